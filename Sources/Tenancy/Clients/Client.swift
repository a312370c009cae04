import Cryptography
import Database
package import FoundationEssentials
package import Platform

package enum ClientStatus: String, SQLCodable, Sendable, Hashable, CaseIterable {
  case active, disabled
}

/// An application of one tenant; a snapshot, and a class for the reason ``Tenant`` is one.
package final class Client: Sendable {
  package let id: ClientID
  package let metadata: ClientMetadata
  package let status: ClientStatus
  /// SHA-256 of the generated secret; nil for a public client.
  let secretHash: [UInt8]?
  /// Grows with every change; the ETag.
  package let version: Int
  package let createdAt: Date
  package let updatedAt: Date

  init(
    id: ClientID, metadata: ClientMetadata, status: ClientStatus, secretHash: [UInt8]?,
    version: Int, createdAt: Date, updatedAt: Date
  ) {
    self.id = id
    self.metadata = metadata
    self.status = status
    self.secretHash = secretHash
    self.version = version
    self.createdAt = createdAt
    self.updatedAt = updatedAt
  }

  package var isPublic: Bool { metadata.authenticationMethod == .none }
  package var isActive: Bool { status == .active }

  /// Whether this is the client's secret; constant time, and false for public clients.
  package func accepts(_ secret: Secret<String>) -> Bool {
    guard let secretHash else { return false }
    return constantTimeEquals(SHA2.sha256(secret.reveal()), secretHash)
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
}
