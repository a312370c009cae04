import HTTPTypes
import Platform
import Web

/// The query of an operation, read once; parameters nobody asked for are refused (our policy), so that a
/// mistyped filter does not list everything.
struct AdminQuery {
  private let query: Query

  init(_ query: Query, allowed: Set<String>) throws {
    self.query = query
    if let unknown = query.names.first(where: { !allowed.contains($0) }) {
      throw Problem.badRequest("The parameter \(unknown.prefix(64)) is not known.")
    }
  }

  static let paging: Set<String> = ["limit", "cursor"]

  func paging() throws -> Paging { try Paging(query) }

  func text(_ name: String, max: Int = 256) throws -> String? {
    try query.optional(name, max: max)
  }

  /// An id; what is not one names nobody.
  func id<Entity>(_ name: String, _: Entity.Type) throws -> ID<Entity>? {
    guard let text = try text(name) else { return nil }
    guard let id = ID<Entity>(text) else { throw Problem.badRequest("\(name) must be an id.") }
    return id
  }

  func flag(_ name: String) throws -> Bool { try query.flag(name) }

  /// One of the cases of an enumeration.
  func choice<T: RawRepresentable<String> & CaseIterable>(_ name: String, _ type: T.Type) throws
    -> T?
  {
    guard let text = try text(name) else { return nil }
    guard let value = T(rawValue: text) else {
      let names = T.allCases.map(\.rawValue).joined(separator: ", ")
      throw Problem.badRequest("\(name) must be one of: \(names).")
    }
    return value
  }
}

extension Paging {
  /// The answer of a list: a page of rows and where the next one begins.
  func answer<Row>(
    _ member: String, _ rows: [Row], position: (Row) -> String, _ json: (Row) -> JSONObject
  ) -> JSONResponse {
    let page = page(rows, position: position)
    return JSONResponse(
      .ok,
      [
        member: .array(page.rows.map { .object(json($0)) }),
        "next_cursor": .optional(page.next?.text),
      ])
  }
}
