package import JOSE

extension ClientMetadata {
  /// What is signed for the client, by algorithm: its tenant needs a key for each.
  package var signingAlgorithms: [SignatureAlgorithm] {
    [idTokenAlgorithm, accessTokenAlgorithm, userInfoAlgorithm].compactMap { $0?.algorithm }
  }
}
