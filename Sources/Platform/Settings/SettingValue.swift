import FoundationEssentials
package import Logging

/// A type a setting can have: it parses the text of an environment variable, strictly.
package protocol SettingValue: Sendable {
  /// What the table of settings calls the type.
  static var settingType: String { get }
  /// What a settings struct holds while problems are collected; it is discarded with the struct.
  static var settingPlaceholder: Self { get }
  /// Parses the text or says what it must be, as the end of the sentence "NAME must be …".
  init(setting text: String) throws(SettingRefusal)
  var settingText: String { get }
}

/// What a setting must be.
package struct SettingRefusal: Error, Sendable {
  package let expected: String

  package init(_ expected: String) {
    self.expected = expected
  }
}

extension String: SettingValue {
  package static var settingType: String { "text" }
  package static var settingPlaceholder: String { "" }
  package init(setting text: String) { self = text }
  package var settingText: String { self }
}

extension Int: SettingValue {
  package static var settingType: String { "integer" }
  package static var settingPlaceholder: Int { 0 }

  package init(setting text: String) throws(SettingRefusal) {
    guard let value = Int(text), String(value) == text else { throw SettingRefusal("an integer") }
    self = value
  }

  package var settingText: String { String(self) }
}

extension Double: SettingValue {
  package static var settingType: String { "number" }
  package static var settingPlaceholder: Double { 0 }

  package init(setting text: String) throws(SettingRefusal) {
    guard let value = Double(text), value.isFinite else { throw SettingRefusal("a number") }
    self = value
  }

  package var settingText: String { String(self) }
}

extension Bool: SettingValue {
  package static var settingType: String { "true or false" }
  package static var settingPlaceholder: Bool { false }

  package init(setting text: String) throws(SettingRefusal) {
    guard let value = Bool(text) else { throw SettingRefusal("true or false") }
    self = value
  }

  package var settingText: String { String(self) }
}

/// Whole seconds; name such a setting `…_SECONDS`.
extension Duration: SettingValue {
  package static var settingType: String { "seconds" }
  package static var settingPlaceholder: Duration { .zero }

  package init(setting text: String) throws(SettingRefusal) {
    guard let value = Int(text), String(value) == text, (0...3_155_760_000).contains(value) else {
      throw SettingRefusal("a number of seconds")
    }
    self = .seconds(value)
  }

  package var settingText: String { String(components.seconds) }
}

/// One of the cases of an enumeration, by its raw value.
extension SettingValue where Self: RawRepresentable & CaseIterable, RawValue == String {
  package static var settingType: String { allCases.map(\.rawValue).joined(separator: ", ") }

  package init(setting text: String) throws(SettingRefusal) {
    guard let value = Self(rawValue: text) else {
      throw SettingRefusal("one of \(Self.settingType)")
    }
    self = value
  }

  package var settingText: String { rawValue }
}

extension Logger.Level: SettingValue {
  package static var settingPlaceholder: Logger.Level { .info }
}

/// Values separated by commas, without spaces.
extension Array: SettingValue where Element: SettingValue {
  package static var settingType: String { "list of \(Element.settingType)" }
  package static var settingPlaceholder: [Element] { [] }

  package init(setting text: String) throws(SettingRefusal) {
    self = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      guard !part.isEmpty else { throw SettingRefusal("a list separated by commas") }
      append(try Element(setting: String(part)))
    }
  }

  package var settingText: String { map(\.settingText).joined(separator: ",") }
}

/// A path in the file system.
package struct FilePath: SettingValue, Hashable, ExpressibleByStringLiteral, CustomStringConvertible
{
  package let text: String

  package init(_ text: String) {
    self.text = text
  }

  package init(stringLiteral text: String) {
    self.init(text)
  }

  package init(setting text: String) throws(SettingRefusal) {
    guard !text.isEmpty, text.utf8.count < 4096, !text.utf8.contains(0) else {
      throw SettingRefusal("a path")
    }
    self.init(text)
  }

  package static var settingType: String { "path" }
  package static var settingPlaceholder: FilePath { "" }
  package var settingText: String { text }
  package var description: String { text }

  package func appending(_ component: String) -> FilePath {
    FilePath(text.hasSuffix("/") ? text + component : text + "/" + component)
  }
}

/// The address under which something is reached over HTTP: `https://id.example.com`, without a final slash.
///
/// Our policy, so that strings built on it (issuers, redirects) compare exactly: lower-case scheme and host, no user, query
/// or fragment, and no port that is the scheme's own.
package struct BaseURL: SettingValue, Hashable, ExpressibleByStringLiteral, CustomStringConvertible
{
  package let text: String
  package let scheme: String
  package let host: String
  /// The port in the text, if there is one.
  package let port: Int?

  package init?(_ raw: String) {
    let text = raw.hasSuffix("/") ? String(raw.dropLast()) : raw
    guard raw.utf8.count <= 512, raw.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }),
      let parts = URLComponents(string: text), let scheme = parts.scheme, let host = parts.host,
      scheme == "http" || scheme == "https", !host.isEmpty, host == host.lowercased(),
      parts.user == nil, parts.password == nil, parts.query == nil, parts.fragment == nil,
      !parts.path.hasSuffix("/"), !parts.path.contains("//"), parts.string == text,
      parts.port.map({ (1...65535).contains($0) && $0 != (scheme == "http" ? 80 : 443) }) ?? true
    else { return nil }
    (self.text, self.scheme, self.host, self.port) = (text, scheme, host, parts.port)
  }

  package init(stringLiteral text: String) {
    guard let value = BaseURL(text) else { preconditionFailure("not a base URL: \(text)") }
    self = value
  }

  package init(setting text: String) throws(SettingRefusal) {
    guard let value = BaseURL(text) else {
      throw SettingRefusal("an http or https URL in lower case, without user, query and fragment")
    }
    self = value
  }

  package var isSecure: Bool { scheme == "https" }

  /// Scheme, host and port (RFC 6454 section 6.2).
  package var origin: String {
    port.map { "\(scheme)://\(host):\($0)" } ?? "\(scheme)://\(host)"
  }

  package static var settingType: String { "URL" }
  package static var settingPlaceholder: BaseURL { "http://placeholder.invalid" }
  package var settingText: String { text }
  package var description: String { text }
}
