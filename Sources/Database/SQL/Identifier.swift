/// The name of a table or a column in composed SQL.
///
/// It is made from a literal only, so a value that arrives at run time can never become a name.
package struct Identifier: Hashable, Sendable, ExpressibleByStringLiteral {
  package let name: String

  package init(stringLiteral literal: StaticString) {
    let name = literal.description
    precondition(Self.isValid(name), "\(name) is not a plain lower-case SQL name")
    self.name = name
  }

  /// The name as a quoted identifier.
  package var quoted: String { "\"\(name)\"" }

  private static func isValid(_ name: String) -> Bool {
    guard let first = name.utf8.first, name.utf8.count <= 63 else { return false }
    return (isLetter(first) || first == UInt8(ascii: "_"))
      && name.utf8.allSatisfy { isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "_") }
  }

  private static func isLetter(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }
}

extension Identifier: CustomStringConvertible {
  package var description: String { name }
}
