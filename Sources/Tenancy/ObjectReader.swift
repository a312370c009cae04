import Platform

/// Reads the members of a JSON object once, typed, and collects every problem (design: parse once,
/// at the edge).
///
/// Members nobody asked for are problems too.
struct ObjectReader {
  let object: JSONObject
  private(set) var errors: [ClaimError] = []
  private var known: Set<String> = []
  /// Of nested objects.
  private var unknown: [String] = []

  init(_ object: JSONObject) {
    self.object = object
  }

  mutating func refuse(_ field: String, _ message: String) {
    errors.append(ClaimError(field, message))
  }

  /// The member's value; `null` counts as absent.
  mutating func value(_ name: String) -> JSON? {
    known.insert(name)
    guard let value = object[name], value != .null else { return nil }
    return value
  }

  mutating func string(_ name: String, bytesMax: Int) -> String? {
    guard let value = value(name) else { return nil }
    guard let text = value.stringValue else {
      refuse(name, "must be a string")
      return nil
    }
    if let problem = TextRule.problem(text, bytesMax: bytesMax) {
      refuse(name, problem)
      return nil
    }
    return text
  }

  /// A string without rules; the caller has its own.
  mutating func text(_ name: String) -> String? {
    guard let value = value(name) else { return nil }
    guard let text = value.stringValue else {
      refuse(name, "must be a string")
      return nil
    }
    return text
  }

  mutating func bool(_ name: String) -> Bool? {
    guard let value = value(name) else { return nil }
    guard let flag = value.boolValue else {
      refuse(name, "must be true or false")
      return nil
    }
    return flag
  }

  mutating func integer(_ name: String, in range: ClosedRange<Int>) -> Int? {
    guard let value = value(name) else { return nil }
    guard let number = value.integerValue, range.contains(number) else {
      refuse(name, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
      return nil
    }
    return number
  }

  mutating func strings(_ name: String, countMax: Int, bytesMax: Int) -> [String]? {
    guard let value = value(name) else { return nil }
    guard let elements = value.arrayValue else {
      refuse(name, "must be an array of strings")
      return nil
    }
    guard elements.count <= countMax else {
      refuse(name, "must have at most \(countMax) entries")
      return nil
    }
    var texts: [String] = []
    for element in elements {
      guard let text = element.stringValue else {
        refuse(name, "must be an array of strings")
        return nil
      }
      if let problem = TextRule.problem(text, bytesMax: bytesMax) {
        refuse(name, "has an entry that \(problem)")
        return nil
      }
      texts.append(text)
    }
    return texts
  }

  /// A value of a closed list.
  mutating func choice<Value: RawRepresentable & CaseIterable>(_ name: String) -> Value?
  where Value.RawValue == String {
    guard let value = value(name) else { return nil }
    guard let text = value.stringValue, let choice = Value(rawValue: text) else {
      refuse(name, "must be one of \(Self.list(Value.self))")
      return nil
    }
    return choice
  }

  mutating func choices<Value: RawRepresentable & CaseIterable>(_ name: String) -> [Value]?
  where Value.RawValue == String {
    guard let value = value(name) else { return nil }
    let choices = value.arrayValue?.map { $0.stringValue.flatMap(Value.init(rawValue:)) }
    guard let choices, choices.allSatisfy({ $0 != nil }) else {
      refuse(name, "must be an array of \(Self.list(Value.self))")
      return nil
    }
    return choices.compactMap { $0 }
  }

  /// The members of a nested object, whose problems are named `name.member`.
  mutating func object<Value>(_ name: String, _ body: (inout ObjectReader) -> Value) -> Value? {
    guard let value = value(name) else { return nil }
    guard let members = value.objectValue else {
      refuse(name, "must be an object")
      return nil
    }
    var nested = ObjectReader(members)
    let result = body(&nested)
    errors += nested.errors.map { ClaimError("\(name).\($0.field)", $0.message) }
    unknown += nested.unknownNames.map { "\(name).\($0)" }
    return result
  }

  private var unknownNames: [String] { unknown + object.names.filter { !known.contains($0) } }

  /// Call last: refuses what was not read, and throws all that was wrong.
  mutating func finish() throws(ClaimErrors) {
    for name in unknownNames {
      // The name comes from outside and may be long or personal itself.
      refuse(String(name.prefix(64)), "is not known")
    }
    guard errors.isEmpty else { throw ClaimErrors(errors) }
  }

  private static func list<Value: RawRepresentable & CaseIterable>(_: Value.Type) -> String
  where Value.RawValue == String {
    Value.allCases.map(\.rawValue).joined(separator: ", ")
  }
}

/// What every text has to keep: not empty, not too long, no control characters, and none that reverse what people
/// read beside it (Unicode Standard Annex 9 section 2).
enum TextRule {
  static func problem(_ text: String, bytesMax: Int, multiline: Bool = false) -> String? {
    guard !text.isEmpty else { return "must not be empty" }
    guard text.utf8.count <= bytesMax else { return "must have at most \(bytesMax) bytes" }
    for scalar in text.unicodeScalars {
      if multiline, scalar == "\n" || scalar == "\r" { continue }
      if scalar.properties.generalCategory == .control {
        return "must not contain control characters"
      }
      if (0x202A...0x202E).contains(scalar.value) || (0x2066...0x2069).contains(scalar.value) {
        return "must not contain characters that change the direction of writing"
      }
    }
    return nil
  }
}
