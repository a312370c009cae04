package import Database
import JOSE
import Platform

/// What a token was exchanged from (RFC 8693): it counts only while all of that does.
///
/// A claim of ours, since tokens are not stored. A grant of a person that stands behind it is in `jti` already.
package struct TokenLineage: Sendable, Hashable {
  static let claim = "exchanged_from"

  /// The `jti` of every access token on the way, the newest first.
  package let tokens: [String]
  /// The clients those were issued to.
  package let clients: [ClientID]

  /// An ID token has no `jti`; its client counts all the same.
  package init(token: String?, client: ClientID, before: TokenLineage?) {
    tokens = (token.map { [$0] } ?? []) + (before?.tokens ?? [])
    let earlier = before?.clients ?? []
    clients = earlier.contains(client) ? earlier : [client] + earlier
  }

  init?(_ claims: JWTClaims) throws(JOSEError) {
    guard let value = claims[Self.claim] else { return nil }
    guard let tokens = Self.texts(value["jti"]), let names = Self.texts(value["client_id"])
    else { throw .invalidClaim(Self.claim) }
    self.tokens = tokens
    clients = names.compactMap { ClientID($0) }
    guard clients.count == names.count else { throw .invalidClaim(Self.claim) }
  }

  private static func texts(_ value: JSON?) -> [String]? {
    guard let elements = value?.arrayValue else { return nil }
    let texts = elements.compactMap(\.stringValue)
    return texts.count == elements.count ? texts : nil
  }

  var json: JSON {
    ["jti": .strings(tokens), "client_id": .strings(clients.map(\.text))]
  }
}

extension Database {
  /// Whether what a token was exchanged from still counts; true for every other token, without asking.
  package func isLineageAlive(of token: AccessToken, in tenant: Tenant) async throws -> Bool {
    guard let lineage = token.lineage else { return true }
    // A client that is revoked takes its tokens along, those it exchanged for others among them.
    let clients = Set(lineage.clients + [token.clientID])
    let find = FindLineageStatus(
      tokens: lineage.tokens, clients: clients.map(\.text), issuedAt: token.issuedAt)
    return try await first(find, in: tenant.schema) ?? false
  }
}
