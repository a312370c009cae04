import Database

/// The identifier of a client (RFC 6749 section 2.2): visible ASCII, ours are UUIDs.
package struct ClientID: Hashable, Sendable, LosslessStringConvertible, SQLRepresentable {
  package let text: String

  static let bytesMax = 128

  package init?(_ text: String) {
    guard (1...Self.bytesMax).contains(text.utf8.count),
      text.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
    else { return nil }
    self.text = text
  }

  package init(sqlValue: String) throws {
    guard let id = ClientID(sqlValue) else { throw StoredValueError(column: "client.id") }
    self = id
  }

  package var sqlValue: String { text }
  package var description: String { text }
}

/// A stored value our rules do not allow: somebody changed the database by hand.
struct StoredValueError: Error, Sendable {
  let column: String
}
