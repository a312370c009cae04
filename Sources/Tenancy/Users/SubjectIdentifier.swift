import Cryptography
import Platform

/// What a client knows a user by (OpenID Connect Core section 8).
extension Tenant {
  /// The `sub` of a user in everything a client gets: tokens, userinfo, introspection, logout.
  ///
  /// Public ones are the user's id. Pairwise ones are derived and stored nowhere, so that there is no
  /// table to tell who is who; who has a user at hand can compare.
  package func subject(of user: UserID, for client: ClientMetadata) -> String {
    switch client.subject.type {
    case .public: user.description
    case .pairwise: pairwiseSubject(of: user, sector: client.sectorIdentifier)
    }
  }

  /// Section 8.1: not reversible, different for each sector, and the same for all clients of one.
  private func pairwiseSubject(of user: UserID, sector: String) -> String {
    let key = key.macKey(.pairwiseSubject)
    return Base64URL.encode(key.sha256("\(sector)\n\(user.description)"))
  }
}

extension KeyPurpose {
  static let pairwiseSubject = KeyPurpose("pairwise-subject")
}

extension ClientMetadata {
  /// Section 8.1: the host of `sector_identifier_uri`, or the only one of the redirect URIs.
  var sectorIdentifier: String {
    let named = subject.sectorIdentifierURI ?? redirectURIs.first ?? ""
    return URIParts(named)?.host ?? named
  }
}
