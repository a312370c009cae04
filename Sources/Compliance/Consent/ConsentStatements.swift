import Database
import FoundationEssentials
import Platform
import Tenancy

struct LockPurpose: Statement {
  let id: String
  static let sql: SQL<Self> = """
    select id, name, description, notice_version, status, updated_at
      from \(tenant).consent_purpose
     where id = \(\.id)
       for update
    """
  static func decode(_ row: inout RowReader) throws -> ConsentPurpose { try ConsentPurpose(&row) }
}

struct FindPurpose: Statement {
  let id: String
  static let sql: SQL<Self> = """
    select id, name, description, notice_version, status, updated_at
      from \(tenant).consent_purpose
     where id = \(\.id)
    """
  static func decode(_ row: inout RowReader) throws -> ConsentPurpose { try ConsentPurpose(&row) }
}

struct ListPurposes: Statement {
  let retired: Bool
  static let sql: SQL<Self> = """
    select id, name, description, notice_version, status, updated_at
      from \(tenant).consent_purpose
     where id <> 'application'
       and (\(\.retired) or status = 'active')
     order by id
    """
  static func decode(_ row: inout RowReader) throws -> ConsentPurpose { try ConsentPurpose(&row) }
}

struct PutPurpose: Statement {
  let id: String
  let name: String
  let description: String
  let version: Int
  let status: PurposeStatus
  let now: Date
  static let sql: SQL<Self> = """
    insert into \(tenant).consent_purpose
      (id, name, description, notice_version, status, created_at, updated_at)
    values
      (\(\.id), \(\.name), \(\.description), \(\.version), \(\.status), \(\.now), \(\.now))
    on conflict (id) do update
       set name = excluded.name,
           description = excluded.description,
           notice_version = excluded.notice_version,
           status = excluded.status,
           updated_at = excluded.updated_at
    """
}

struct InsertNotice: Statement {
  let purpose: String
  let version: Int
  let language: String
  let body: String
  let sha256: [UInt8]
  let now: Date
  static let sql: SQL<Self> = """
    insert into \(tenant).consent_notice (purpose_id, version, language, body, sha256, created_at)
    values (\(\.purpose), \(\.version), \(\.language), \(\.body), \(\.sha256), \(\.now))
    """
}

struct PurposeNotices: Statement {
  let purpose: String
  let version: Int
  static let sql: SQL<Self> = """
    select purpose_id, version, language, body, sha256
      from \(tenant).consent_notice
     where purpose_id = \(\.purpose)
       and version = \(\.version)
    """
  static func decode(_ row: inout RowReader) throws -> ConsentNotice { try ConsentNotice(&row) }
}

struct CurrentNotice: Statement {
  let purpose: String
  let language: String
  static let sql: SQL<Self> = """
    select n.purpose_id, n.version, n.language, n.body, n.sha256
      from \(tenant).consent_purpose as p
      join \(tenant).consent_notice as n on n.purpose_id = p.id and n.version = p.notice_version
     where p.id = \(\.purpose)
     order by n.language = \(\.language) desc, n.language = 'en' desc, n.language
     limit 1
    """
  static func decode(_ row: inout RowReader) throws -> ConsentNotice { try ConsentNotice(&row) }
}

/// Binds the event to the text that is current; no row if the purpose cannot be decided on.
struct InsertConsentEvent: Statement {
  let id: ID<ConsentEvent>
  let user: UserID
  let purpose: String
  let client: String?
  let scope: String?
  let action: ConsentAction
  let language: String
  let method: ConsentMethod
  let now: Date
  static let sql: SQL<Self> = """
    insert into \(tenant).consent_event
      (id, user_id, purpose_id, client_id, scope, action, notice_version, notice_sha256, language,
       method, occurred_at)
    select \(\.id), \(\.user), p.id, \(\.client), \(\.scope), \(\.action), n.version, n.sha256,
           n.language, \(\.method), \(\.now)
      from \(tenant).consent_purpose as p
      join \(tenant).consent_notice as n on n.purpose_id = p.id and n.version = p.notice_version
     where p.id = \(\.purpose)
       and (p.status = 'active' or \(\.action) = 'withdrawn')
     order by n.language = \(\.language) desc, n.language = 'en' desc, n.language
     limit 1
    """
}

struct ConsentStates: Statement {
  let user: UserID
  static let sql: SQL<Self> = """
    select distinct on (purpose_id, client_id)
           purpose_id, client_id, scope, action, notice_version, language, occurred_at
      from \(tenant).consent_event
     where user_id = \(\.user)
     order by purpose_id, client_id, occurred_at desc, id desc
    """
  static func decode(_ row: inout RowReader) throws -> ConsentState { try ConsentState(&row) }
}

struct ApplicationConsent: Statement {
  let user: UserID
  let client: String
  static let isPlannedOnce = true
  static let sql: SQL<Self> = """
    select purpose_id, client_id, scope, action, notice_version, language, occurred_at
      from \(tenant).consent_event
     where user_id = \(\.user)
       and purpose_id = 'application'
       and client_id = \(\.client)
     order by occurred_at desc, id desc
     limit 1
    """
  static func decode(_ row: inout RowReader) throws -> ConsentState { try ConsentState(&row) }
}

extension ConsentPurpose {
  fileprivate init(_ row: inout RowReader) throws {
    id = try row.next()
    name = try row.next()
    description = try row.next()
    noticeVersion = try row.next()
    isActive = try row.next(PurposeStatus.self) == .active
    updatedAt = try row.next()
  }
}

extension ConsentNotice {
  fileprivate init(_ row: inout RowReader) throws {
    purpose = try row.next()
    version = try row.next()
    language = try row.next()
    body = try row.next()
    sha256 = try row.next()
  }
}

extension ConsentState {
  fileprivate init(_ row: inout RowReader) throws {
    purpose = try row.next()
    client = try row.next()
    scope = try row.next()
    isGranted = try row.next(ConsentAction.self) == .granted
    noticeVersion = try row.next()
    language = try row.next()
    decidedAt = try row.next()
  }
}
