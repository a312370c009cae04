import Database
import FoundationEssentials
import Tenancy

/// Whether a token that verifies may still be used: not revoked (RFC 7009), neither its grant, and its
/// client and user are active; and who that user is, since `sub` may be pairwise.
struct CheckTokenUsable: Statement {
  let tokenID: String
  let family: UUID?
  let client: ClientID
  let user: UserID?
  let issuedAt: Date
  static let isPlannedOnce = true
  static let sql: SQL<Self> = """
    select not exists (select from \(tenant).token_revocation where jti = \(\.tokenID))
           and exists (select from \(tenant).client 
                        where id = \(\.client)
                          and status = 'active'
                          and (tokens_revoked_at is null or tokens_revoked_at < \(\.issuedAt)))
           and (\(\.family) is null
                or exists (select from \(tenant).token_family f
                            where f.id = \(\.family)
                              and f.revoked_at is null
                              and (select u.status
                                     from \(tenant).user_account u
                                    where u.id = f.user_id) = 'active'
                              and ('offline_access' = any (string_to_array(f.scope, ' '))
                                   or (select s.ended_at
                                         from \(tenant).session s
                                        where s.id = f.session_id) is null)))
           and (\(\.user) is null
                or exists (select from \(tenant).user_account
                            where id = \(\.user) and status = 'active')),
           (select user_id from \(tenant).token_family where id = \(\.family))
    """
  static func decode(_ row: inout RowReader) throws -> (isUsable: Bool, user: UserID?) {
    (isUsable: try row.next(), user: try row.next())
  }
}
