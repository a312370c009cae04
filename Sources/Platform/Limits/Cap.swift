/// A number of things allowed at most, or `off`: lifting a limit is spelled out.
package enum Cap: SettingValue, Hashable {
  case off
  case at(Int)

  package static var settingType: String { "integer or off" }
  package static var settingPlaceholder: Cap { .off }

  package init(setting text: String) throws(SettingRefusal) {
    if text == "off" {
      self = .off
    } else if let value = Int(text), String(value) == text, value > 0 {
      self = .at(value)
    } else {
      throw SettingRefusal("a positive integer, or off")
    }
  }

  package var settingText: String {
    switch self {
    case .off: "off"
    case .at(let value): String(value)
    }
  }
}
