import Cryptography
import Database
package import FoundationEssentials
package import JOSE
package import Platform

package enum ClientStatus: String, SQLCodable, Sendable, Hashable, CaseIterable {
  case active, disabled
}

/// An application of one tenant; a snapshot, and a class for the reason ``Tenant`` is one.
package final class Client: Sendable {
  package let id: ClientID
  package let metadata: ClientMetadata
  package let status: ClientStatus
  let secrets: ClientSecrets
  /// Grows with every change; the ETag.
  package let version: Int
  package let createdAt: Date
  package let updatedAt: Date

  init(
    id: ClientID, metadata: ClientMetadata, status: ClientStatus, secrets: ClientSecrets,
    version: Int, createdAt: Date, updatedAt: Date
  ) {
    self.id = id
    self.metadata = metadata
    self.status = status
    self.secrets = secrets
    self.version = version
    self.createdAt = createdAt
    self.updatedAt = updatedAt
  }

  package var isPublic: Bool { metadata.authenticationMethod == .none }
  package var isActive: Bool { status == .active }

  /// Whether the client registered itself, and so may manage its registration (RFC 7592).
  package var isSelfRegistered: Bool { secrets.registrationTokenHash != nil }

  /// Whether this is the client's secret; constant time, and false for public clients.
  package func accepts(_ secret: Secret<String>) -> Bool {
    Self.matches(secret, secrets.hash)
  }

  /// Whether this is the client's registration access token (RFC 7592 section 1.2).
  package func accepts(registrationToken token: Secret<String>) -> Bool {
    Self.matches(token, secrets.registrationTokenHash)
  }

  /// The same work for a client that does not exist, or has no such secret: false.
  package static func rejects(_ secret: Secret<String>) -> Bool { matches(secret, nil) }

  private static func matches(_ secret: Secret<String>, _ hash: [UInt8]?) -> Bool {
    let isEqual = constantTimeEquals(
      SHA2.sha256(secret.reveal()), hash ?? [UInt8](repeating: 0, count: SHA256Digest.byteCount))
    return isEqual && hash != nil
  }

  /// The key of its HS256 assertions: the octets of the secret (OpenID Connect Core section 10.1).
  package func secretKey(in tenant: Tenant) throws -> JWK? {
    guard let sealed = secrets.sealed else { return nil }
    return JWK(
      secret: SecretBytes(try tenant.key.open(sealed, at: .clientSecret(id))), keyID: nil)
  }

  package func allows(_ grant: ClientGrantType) -> Bool { metadata.grantTypes.contains(grant) }

  /// In the names of RFC 7591; never with the secret, which nobody knows any more.
  package var json: JSONObject {
    JSONObject([
      ("client_id", .string(id.text)),
      ("client_id_issued_at", .integer(createdAt.unixSeconds)),
    ]).merging(metadata.json)
  }
}

/// A client with the secret that was just made for it; shown once.
package struct IssuedClient: Sendable {
  package let client: Client
  package let secret: Secret<String>?
  /// For a client that registers itself (RFC 7592); nil where none was made.
  package var registrationToken: Secret<String>?

  package init(client: Client, secret: Secret<String>?, registrationToken: Secret<String>? = nil) {
    self.client = client
    self.secret = secret
    self.registrationToken = registrationToken
  }

  /// RFC 7591 section 3.2.1: secrets that do not expire have `client_secret_expires_at` 0.
  package var json: JSONObject {
    var object = client.json
    if let secret {
      object["client_secret"] = .string(secret.reveal())
      object["client_secret_expires_at"] = 0
    }
    return object
  }
}

/// What is stored of the secrets of a client.
struct ClientSecrets: Sendable, Hashable {
  /// SHA-256 of the generated secret; nil for a client without one.
  var hash: [UInt8]?
  /// The secret itself under the tenant key, for clients that sign with it and for no others.
  var sealed: [UInt8]?
  /// SHA-256 of the registration access token; nil for a client that did not register itself.
  var registrationTokenHash: [UInt8]?

  /// What a client with this method keeps: a secret it has no use for goes away.
  func kept(for method: ClientAuthenticationMethodName) -> ClientSecrets {
    var kept = self
    if !method.usesSecret { kept.hash = nil }
    if method != .clientSecretJWT { kept.sealed = nil }
    return kept
  }

  /// Whether a client with this method has to be given a new secret.
  func needsSecret(for method: ClientAuthenticationMethodName) -> Bool {
    method == .clientSecretJWT ? sealed == nil : method.usesSecret && hash == nil
  }

  /// With a secret that was just made.
  func with(
    _ secret: ClientSecret, of client: ClientID, for method: ClientAuthenticationMethodName,
    in tenant: Tenant
  ) -> ClientSecrets {
    var changed = self
    changed.hash = secret.hash
    changed.sealed =
      method == .clientSecretJWT
      ? tenant.key.seal(Array(secret.secret.reveal().utf8), at: .clientSecret(client)) : nil
    return changed
  }
}

/// A generated secret: 256 bits as base64url, stored as SHA-256 (design section 4).
struct ClientSecret: Sendable {
  let secret: Secret<String>
  let hash: [UInt8]

  static let byteCount = 32

  init(_ random: RandomSource) {
    let text = random.token(byteCount: Self.byteCount)
    secret = Secret(text)
    hash = SHA2.sha256(text)
  }
}

/// Why a change of a client was refused.
package enum ClientError: Error, Sendable, Hashable {
  case invalid(ClaimErrors)
  case notFound
  case versionMismatch
  /// A public client has no secret.
  case noSecret
  /// More clients have registered themselves than the organization allows.
  case tooMany
}
