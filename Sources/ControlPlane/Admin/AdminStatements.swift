import Database
import FoundationEssentials
import Tenancy

/// Whether a token that verifies may still be used: not revoked (RFC 7009), neither its grant, and its
/// client and user are active.
struct CheckTokenUsable: Statement {
  let tokenID: String
  let family: UUID?
  let client: ClientID
  let user: UserID?
  static let sql: SQL<Self> = """
    select not exists (select from \(tenant).token_revocation where jti = \(\.tokenID))
           and exists (select from \(tenant).client where id = \(\.client) and status = 'active')
           and (\(\.family) is null
                or exists (select from \(tenant).token_family f
                             left join \(tenant).session s on s.id = f.session_id
                            where f.id = \(\.family) and f.revoked_at is null
                              and (s.ended_at is null
                                   or 'offline_access' = any (string_to_array(f.scope, ' ')))))
           and (\(\.user) is null
                or exists (select from \(tenant).user_account
                            where id = \(\.user) and status = 'active'))
    """
  static func decode(_ row: inout RowReader) throws -> Bool { try row.next() }
}
