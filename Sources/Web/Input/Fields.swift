package import Hummingbird
package import Platform

/// The members of a JSON object, read one by one; every mistake is collected.
///
/// ```swift
/// var fields = try await Fields(request, limit: 64 * 1024)
/// let name = fields.string("name", length: 1...200)
/// let slug = fields.optionalString("slug", length: 1...63)
/// try fields.finish()  // 422 with all mistakes, also for members nobody asked for
/// ```
/// A required member that is missing reads as an empty value, which nobody sees: `finish` throws.
package struct Fields {
  private let prefix: String
  private var members: JSONObject
  private var errors: [FieldError] = []

  package init(_ request: Request, limit: Int) async throws {
    try self.init(await JSONBody.read(request, limit: limit))
  }

  /// The members of `json`, which must be an object; `prefix` names the object in messages.
  package init(_ json: JSON, prefix: String = "") throws(Problem) {
    guard let members = json.objectValue else {
      throw .badRequest("The body must be a JSON object.")
    }
    self.members = members
    self.prefix = prefix
  }

  /// Throws what was collected.
  ///
  /// Members that were not read are mistakes, too.
  package mutating func finish() throws(Problem) {
    for name in members.names { refuse(name, "is not known.") }
    guard errors.isEmpty else { throw .validation(errors) }
  }

  /// Records a mistake found outside, for example by a domain type.
  package mutating func refuse(_ name: String, _ message: String) {
    errors.append(FieldError(prefix + name, message))
  }

  package mutating func refuse(_ others: [FieldError]) {
    errors += others.map { FieldError(prefix + $0.field, $0.message) }
  }

  /// Whether the member is there, `null` included.
  package func has(_ name: String) -> Bool { members[name] != nil }

  /// The member as it is, taken out; nil when absent.
  package mutating func take(_ name: String) -> JSON? {
    let value = members[name]
    members[name] = nil
    return value
  }

  /// All members not read so far, for a domain type that validates them itself.
  package mutating func takeRest() -> JSONObject {
    let rest = members
    members = [:]
    return rest
  }
}

// MARK: - Strings

extension Fields {
  /// A string of `length` characters (Unicode scalars).
  package mutating func string(_ name: String, length: ClosedRange<Int>) -> String {
    guard let value = take(name), value != .null else {
      refuse(name, "is required.")
      return ""
    }
    return text(value, name, length) ?? ""
  }

  /// As ``string(_:length:)``; absent and `null` are nil.
  package mutating func optionalString(_ name: String, length: ClosedRange<Int>) -> String? {
    guard let value = take(name), value != .null else { return nil }
    return text(value, name, length)
  }

  /// A string that means something: `parse` returns nil for what is not allowed.
  package mutating func value<T>(
    _ name: String, length: ClosedRange<Int>, _ message: String, _ parse: (String) -> T?
  ) -> T? {
    guard has(name), members[name] != .null else {
      _ = take(name)
      refuse(name, "is required.")
      return nil
    }
    return optionalValue(name, length: length, message, parse)
  }

  package mutating func optionalValue<T>(
    _ name: String, length: ClosedRange<Int>, _ message: String, _ parse: (String) -> T?
  ) -> T? {
    guard let text = optionalString(name, length: length) else { return nil }
    guard let value = parse(text) else {
      refuse(name, message)
      return nil
    }
    return value
  }

  /// One of the cases of an enumeration.
  package mutating func choice<T: RawRepresentable<String> & CaseIterable>(
    _ name: String, _ type: T.Type
  ) -> T? {
    let names = T.allCases.map(\.rawValue).joined(separator: ", ")
    return optionalValue(name, length: 0...100, "must be one of: \(names).") { T(rawValue: $0) }
  }

  /// A list of strings; absent and `null` are nil.
  package mutating func strings(
    _ name: String, count: ClosedRange<Int>, length: ClosedRange<Int>
  ) -> [String]? {
    guard let value = take(name), value != .null else { return nil }
    guard let items = value.arrayValue else {
      refuse(name, "must be a list of strings.")
      return nil
    }
    guard count.contains(items.count) else {
      refuse(name, "must have \(Self.describe(count)) items.")
      return nil
    }
    return items.enumerated().compactMap { text($1, "\(name)[\($0)]", length) }
  }

  private mutating func text(
    _ value: JSON, _ name: String, _ length: ClosedRange<Int>
  ) -> String? {
    guard let text = value.stringValue else {
      refuse(name, "must be a string.")
      return nil
    }
    guard length.contains(text.unicodeScalars.count) else {
      refuse(name, "must have \(Self.describe(length)) characters.")
      return nil
    }
    return text
  }

  private static func describe(_ range: ClosedRange<Int>) -> String {
    switch range.lowerBound {
    case range.upperBound: "\(range.lowerBound)"
    case 0: "at most \(range.upperBound)"
    default: "\(range.lowerBound) to \(range.upperBound)"
    }
  }
}

// MARK: - Other types

extension Fields {
  /// True or false, one of them; nil only if refused.
  package mutating func bool(_ name: String) -> Bool? {
    let value = optionalBool(name)
    if value == nil, !errors.contains(where: { $0.field == prefix + name }) {
      refuse(name, "is required.")
    }
    return value
  }

  package mutating func optionalBool(_ name: String) -> Bool? {
    guard let value = take(name), value != .null else { return nil }
    guard let bool = value.boolValue else {
      refuse(name, "must be true or false.")
      return nil
    }
    return bool
  }

  package mutating func optionalInteger(_ name: String, in range: ClosedRange<Int>) -> Int? {
    guard let value = take(name), value != .null else { return nil }
    guard let number = value.integerValue, range.contains(number)
    else {
      refuse(name, "must be a whole number from \(range.lowerBound) to \(range.upperBound).")
      return nil
    }
    return number
  }

  package mutating func integer(_ name: String, in range: ClosedRange<Int>) -> Int {
    guard has(name), members[name] != .null else {
      _ = take(name)
      refuse(name, "is required.")
      return range.lowerBound
    }
    return optionalInteger(name, in: range) ?? range.lowerBound
  }

  /// A nested object, read by `body`; its mistakes are named `name.member`.
  package mutating func object<T>(_ name: String, _ body: (inout Fields) -> T) -> T? {
    guard let value = take(name), value != .null else { return nil }
    guard var nested = try? Fields(value, prefix: "\(prefix)\(name).") else {
      refuse(name, "must be an object.")
      return nil
    }
    let result = body(&nested)
    for member in nested.members.names { nested.refuse(member, "is not known.") }
    errors += nested.errors
    return result
  }
}

/// What a change request says about one member (RFC 7396): nothing, remove it, or a new value.
package enum Change<Value: Sendable>: Sendable {
  case unchanged
  case removed
  case set(Value)

  /// The value after the change.
  package func applied(to old: Value?) -> Value? {
    switch self {
    case .unchanged: old
    case .removed: nil
    case .set(let value): value
    }
  }
}

extension Fields {
  package mutating func change(
    _ name: String, length: ClosedRange<Int>
  ) -> Change<String> {
    guard has(name) else { return .unchanged }
    guard members[name] != .null else {
      _ = take(name)
      return .removed
    }
    return optionalString(name, length: length).map(Change.set) ?? .unchanged
  }
}
