import Database
import Tenancy

/// A client by the name it was registered with; the oldest of several.
struct FindClientByName: Statement {
  let name: String
  static let sql: SQL<Self> = """
    select id
      from \(tenant).client
     where metadata ->> 'client_name' = \(\.name)
     order by created_at, id
     limit 1
    """
  static func decode(_ row: inout RowReader) throws -> ClientID { try row.next() }
}
