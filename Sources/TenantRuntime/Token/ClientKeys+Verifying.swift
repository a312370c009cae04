import JOSE
import Outgoing
import Tenancy

extension RemoteJWKSets {
  /// Verifies with keys that were registered: as a document, or by where they are published.
  func verify(_ jws: UnverifiedJWS, with keys: ClientKeys, partition: String) async throws
    -> VerifiedJWS
  {
    if let document = keys.document {
      guard let key = try JWKSet(document).key(for: jws.header) else {
        throw JOSEError.unknownKey
      }
      return try jws.verified(with: key, allowing: SignatureAlgorithm.asymmetric)
    }
    guard let uri = keys.uri else { throw JOSEError.unknownKey }
    return try await verify(
      jws, allowing: SignatureAlgorithm.asymmetric, keysAt: OutgoingURL(uri), partition: partition)
  }
}
