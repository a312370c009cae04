import Database

/// The current texts of a purpose, or of all of them.
struct CurrentPurposeTexts: Statement {
  let purpose: String?
  static let sql: SQL<Self> = """
    select n.purpose_id, n.language, n.body
      from \(tenant).consent_purpose as p
      join \(tenant).consent_notice as n on n.purpose_id = p.id and n.version = p.notice_version
     where (\(\.purpose) is null or p.id = \(\.purpose))
     order by n.purpose_id, n.language
    """
  static func decode(_ row: inout RowReader) throws -> PurposeText {
    PurposeText(purpose: try row.next(), language: try row.next(), body: try row.next())
  }
}

struct PurposeText: Sendable {
  let purpose: String
  let language: String
  let body: String
}

/// Holds concurrent definitions of purposes of one tenant apart: they are rare, and share versions.
struct LockPurposes: Statement {
  static let sql: SQL<Self> = """
    select id from \(tenant).consent_purpose where id = 'application' for update
    """
  static func decode(_ row: inout RowReader) throws -> String { try row.next() }
}

struct FindPurposeID: Statement {
  let id: String
  static let sql: SQL<Self> = "select id from \(tenant).consent_purpose where id = \(\.id)"
  static func decode(_ row: inout RowReader) throws -> String { try row.next() }
}
