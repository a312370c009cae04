import FoundationEssentials

/// Reads settings from the environment, and by reading declares them (our policy: style.md "Configuration, declared once").
///
/// It never stops at the first problem: a settings struct is always complete, with placeholders where something is wrong, and
/// `validated()` reports everything together before the struct is used. An empty variable counts as absent.
package struct SettingsReader {
  private let environment: [String: String]
  private let readFile: (String) -> [UInt8]?
  package private(set) var declared: [DeclaredSetting] = []
  package private(set) var problems: [String] = []

  private static let prefix = "TENURE_"
  private static let secretBytesMax = 64 * 1024

  package init(environment: [String: String], readFile: @escaping (String) -> [UInt8]?) {
    self.environment = environment
    self.readFile = readFile
  }

  /// The reader of this process: its environment, with more settings laid over it (a command line's, or a development server's).
  package static func process(overriding overrides: [String: String]) -> SettingsReader {
    let environment = ProcessInfo.processInfo.environment.merging(overrides) { $1 }
    return SettingsReader(environment: environment) { path in
      FileManager.default.contents(atPath: path).map { Array($0) }
    }
  }

  /// A reader over nothing, for the table in the documentation.
  package static var documentation: SettingsReader {
    SettingsReader(environment: [:]) { _ in nil }
  }

  package mutating func value<Value: SettingValue>(
    _ name: String, default defaultValue: Value, _ meaning: String
  ) -> Value {
    declare(name, Value.settingType, defaultValue.settingText, .defaulted, meaning)
    return parse(name) ?? defaultValue
  }

  package mutating func value<Value: SettingValue & Comparable>(
    _ name: String, default defaultValue: Value, in range: ClosedRange<Value>, _ meaning: String
  ) -> Value {
    let bounds = "\(range.lowerBound.settingText) to \(range.upperBound.settingText)"
    declare(name, "\(Value.settingType), \(bounds)", defaultValue.settingText, .defaulted, meaning)
    guard let value: Value = parse(name) else { return defaultValue }
    if !range.contains(value) { problem(name, "must be \(bounds)") }
    return value
  }

  package mutating func required<Value: SettingValue>(_ name: String, _ meaning: String) -> Value {
    declare(name, Value.settingType, nil, .required, meaning)
    if raw(name) == nil { problem(name, "is required") }
    return parse(name) ?? Value.settingPlaceholder
  }

  package mutating func optional<Value: SettingValue>(_ name: String, _ meaning: String) -> Value? {
    declare(name, Value.settingType, nil, .optional, meaning)
    return parse(name)
  }

  /// A secret from `NAME`, or from the file that `NAME_FILE` names (one final line break is not part of it).
  package mutating func secret(_ name: String, _ meaning: String) -> Secret<String> {
    let secret = readSecret(name, .required, meaning)
    if secret == nil, raw(name) == nil, raw(name + "_FILE") == nil {
      problem(name, "is required (or \(Self.prefix)\(name)_FILE, the path of a file)")
    }
    return secret ?? Secret("")
  }

  /// A secret that may be absent.
  package mutating func optionalSecret(_ name: String, _ meaning: String) -> Secret<String>? {
    readSecret(name, .optional, meaning)
  }

  /// Records a problem that only the settings struct can see, such as two values that exclude each other.
  package mutating func problem(_ name: String, _ text: String) {
    problems.append("\(Self.prefix)\(name) \(text)")
  }

  /// Throws all problems, unknown variables included, in one error.
  package func validated() throws(SettingsProblems) {
    let all = problems + unknownVariables().map { "\($0) is not a setting" }
    guard all.isEmpty else { throw SettingsProblems(problems: all) }
  }

  private func raw(_ name: String) -> String? {
    environment[Self.prefix + name].flatMap { $0.isEmpty ? nil : $0 }
  }

  private mutating func parse<Value: SettingValue>(_ name: String) -> Value? {
    guard let text = raw(name) else { return nil }
    do throws(SettingRefusal) {
      return try Value(setting: text)
    } catch {
      problem(name, "must be \(error.expected)")
      return nil
    }
  }

  private mutating func readSecret(
    _ name: String, _ presence: DeclaredSetting.Presence, _ meaning: String
  ) -> Secret<String>? {
    declare(name, "text or file", nil, presence, meaning, isSecret: true)
    switch (raw(name), raw(name + "_FILE")) {
    case (nil, nil):
      return nil
    case (let text?, nil):
      return Secret(text)
    case (nil, let path?):
      guard let bytes = readFile(path) else {
        problem(name + "_FILE", "names a file that cannot be read")
        return nil
      }
      guard bytes.count <= Self.secretBytesMax,
        let text = String(utf8: bytes.span).map(Self.withoutFinalLineBreak),
        !text.isEmpty
      else {
        problem(name + "_FILE", "names a file that is empty, too long or not UTF-8")
        return nil
      }
      return Secret(text)
    case (.some, .some):
      problem(name, "and \(Self.prefix)\(name)_FILE are both set; set one")
      return nil
    }
  }

  private static func withoutFinalLineBreak(_ text: String) -> String {
    var text = Substring(text)
    // One Character when both are there.
    if text.last == "\r\n" || text.last == "\n" { text.removeLast() }
    return String(text)
  }

  private mutating func declare(
    _ name: String, _ type: String, _ defaultText: String?, _ presence: DeclaredSetting.Presence,
    _ meaning: String, isSecret: Bool = false
  ) {
    let setting = DeclaredSetting(
      name: Self.prefix + name, type: type, defaultText: defaultText, presence: presence,
      meaning: meaning, isSecret: isSecret)
    guard let earlier = declared.first(where: { $0.name == setting.name }) else {
      declared.append(setting)
      return
    }
    // Two structs may read one setting, but must agree about it.
    if earlier != setting { problem(name, "is declared twice, and differently") }
  }

  private func unknownVariables() -> [String] {
    var known = Set(declared.map(\.name))
    known.formUnion(declared.filter(\.isSecret).map { $0.name + "_FILE" })
    return environment.keys.filter { name in
      name.hasPrefix(Self.prefix) && !known.contains(name) && !isForeign(name)
    }.sorted()
  }

  /// Variables of the prefix that are not ours to judge.
  ///
  /// They belong to the test suite, to the command line, or are set by Kubernetes in every pod beside a Service
  /// named `tenure`.
  private func isForeign(_ name: String) -> Bool {
    if name.hasPrefix("TENURE_TEST_") || name.hasPrefix("TENURE_CLI_") { return true }
    guard environment["KUBERNETES_SERVICE_HOST"] != nil else { return false }
    return name == "TENURE_PORT" || name.hasPrefix("TENURE_PORT_")
      || name.hasPrefix("TENURE_SERVICE_")
  }
}

/// One setting, as the documentation shows it.
package struct DeclaredSetting: Sendable, Hashable {
  package enum Presence: Sendable { case required, optional, defaulted }

  package let name: String
  package let type: String
  package let defaultText: String?
  package let presence: Presence
  package let meaning: String
  package let isSecret: Bool
}

/// Everything that is wrong with the settings, one line each.
package struct SettingsProblems: Error, Sendable, CustomStringConvertible {
  package let problems: [String]

  package var description: String {
    problems.map { "- \($0)" }.joined(separator: "\n")
  }
}

extension SettingsReader {
  /// The table of all declared settings, in Markdown.
  package var markdown: String {
    let rows = declared.map { setting in
      let name =
        setting.isSecret ? "`\(setting.name)` or `\(setting.name)_FILE`" : "`\(setting.name)`"
      let fallback =
        switch setting.presence {
        case .required: "required"
        case .optional: "none"
        case .defaulted: setting.defaultText.map { $0.isEmpty ? "empty" : "`\($0)`" } ?? "none"
        }
      let type = setting.isSecret ? "secret" : setting.type
      return "| \(name) | \(type) | \(fallback) | \(setting.meaning) |"
    }
    return """
      | setting | type | default | meaning |
      |---|---|---|---|
      \(rows.joined(separator: "\n"))

      """
  }
}
