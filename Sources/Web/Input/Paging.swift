import Platform

/// A place in a list: the position of the last item seen, opaque to clients.
package struct Cursor: Sendable, Hashable {
  package let position: String

  package init(position: String) { self.position = position }

  /// Reads the text a client sends back.
  package init?(_ text: String) {
    guard text.utf8.count <= 1024, let bytes = Base64URL.decode(text),
      let position = String(utf8: bytes.span), !position.isEmpty,
      !position.utf8.contains(0)
    else { return nil }
    self.position = position
  }

  package var text: String { Base64URL.encode(position.utf8) }
}

/// `limit` and `cursor` of a list request.
package struct Paging: Sendable {
  package let limit: Int
  package let after: Cursor?

  package init(_ query: Query, limitDefault: Int = 50, limitMax: Int = 200) throws(OAuthError) {
    limit = try query.integer("limit", in: 1...limitMax) ?? limitDefault
    after =
      if let text = try query.optional("cursor") {
        try Self.cursor(text)
      } else {
        nil
      }
  }

  /// The position in the type the list is sorted by, for example an ID.
  package func position<T: LosslessStringConvertible>(_ type: T.Type) throws(OAuthError) -> T? {
    guard let after else { return nil }
    guard let position = T(after.position) else { throw Self.invalid }
    return position
  }

  /// Splits `limit + 1` rows into a page and the cursor of the next one.
  package func page<Row>(
    _ rows: [Row], position: (Row) -> String
  ) -> (rows: ArraySlice<Row>, next: Cursor?) {
    guard rows.count > limit, limit > 0 else { return (rows[...], nil) }
    return (rows[..<limit], Cursor(position: position(rows[limit - 1])))
  }

  private static let invalid = OAuthError.invalidRequest("cursor is not one of ours.")

  private static func cursor(_ text: String) throws(OAuthError) -> Cursor {
    guard let cursor = Cursor(text) else { throw invalid }
    return cursor
  }
}
