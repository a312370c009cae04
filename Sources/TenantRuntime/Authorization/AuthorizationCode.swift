import Cryptography
import FoundationEssentials
import Platform
import Tenancy
import Web

/// What an authorization code stands for (RFC 6749 section 4.1.2); the payload of its row.
struct AuthorizationCode: Sendable, Equatable {
  let client: ClientID
  let redirectURI: String
  let scope: OAuthScope
  /// Nil where the client has a waiver of PKCE and sent none.
  let challenge: String?
  let nonce: String?
  /// The family the code will start; given out beforehand so that a second use knows what to revoke.
  let family: ID<TokenFamily>
  let session: ID<Session>
  let authenticatedAt: Date
  let acr: String
  let amr: [String]
  let claims: ReleasedClaims
  let resources: [String]

  struct Redeemed: Sendable {
    let family: ID<TokenFamily>
    let user: UserID
    let grant: AuthorizationCode
  }

  struct Stored: Sendable {
    let user: UserID?
    let grant: AuthorizationCode
    let expiresAt: Date
    let consumedAt: Date?
  }

  /// The digest a code is kept as; nil if the text can't be one.
  static func hash(_ text: String) -> [UInt8]? {
    guard let bytes = Base64URL.decode(text), bytes.count == 32 else { return nil }
    return SHA2.sha256(bytes)
  }
}

extension AuthorizationCode {
  struct Malformed: Error {}

  init(_ payload: JSON) throws {
    guard let client = payload["client_id"]?.stringValue.flatMap({ ClientID($0) }),
      let redirectURI = payload["redirect_uri"]?.stringValue,
      let scope = payload["scope"]?.stringValue.flatMap({ OAuthScope(stored: $0) }),
      let family = payload["family_id"]?.stringValue.flatMap({ ID<TokenFamily>($0) }),
      let session = payload["session_id"]?.stringValue.flatMap({ ID<Session>($0) }),
      let authenticatedAt = payload["auth_time"]?.stringValue.flatMap({ Date(rfc3339: $0) }),
      let acr = payload["acr"]?.stringValue,
      let amr = payload["amr"]?.arrayValue
    else { throw Malformed() }
    self.init(
      client: client, redirectURI: redirectURI, scope: scope,
      challenge: payload["code_challenge"]?.stringValue,
      nonce: payload["nonce"]?.stringValue, family: family, session: session,
      authenticatedAt: authenticatedAt, acr: acr, amr: amr.compactMap(\.stringValue),
      claims: ReleasedClaims(stored: payload["claims"]),
      resources: payload["resources"]?.arrayValue?.compactMap(\.stringValue) ?? [])
  }

  var payload: JSON {
    var members: JSONObject = [
      "client_id": .string(client.text), "redirect_uri": .string(redirectURI),
      "scope": .string(scope.description), "resources": .strings(resources),
      "family_id": .string(family.description), "session_id": .string(session.description),
      "auth_time": .string(authenticatedAt.rfc3339), "acr": .string(acr), "amr": .strings(amr),
    ]
    members["code_challenge"] = challenge.map(JSON.string)
    members["nonce"] = nonce.map(JSON.string)
    members["claims"] = claims.document
    return .object(members)
  }

  /// Why a code that could not be consumed is refused (RFC 6749 section 5.2); no I/O.
  enum Refusal: Sendable, Equatable {
    case refuse(OAuthError)
    /// A second use: what the first one started ends (RFC 6749 section 4.1.2).
    case revokeFamily(OAuthError)
  }
}

extension AuthorizationCode.Stored {
  func refusal(
    client: ClientID, redirectURI: String?, challenge: String?, resources: ResourceIndicators,
    now: Date
  ) -> AuthorizationCode.Refusal {
    guard grant.client == client else { return .refuse(.invalidGrant("code of another client")) }
    guard consumedAt == nil else { return .revokeFamily(.invalidGrant("code reused")) }
    guard now < expiresAt else { return .refuse(.invalidGrant("code expired")) }
    // RFC 9700 section 2.1.1: a verifier for a code without challenge is a downgrade.
    guard grant.challenge == challenge else {
      return .refuse(.invalidGrant("code_verifier does not match"))
    }
    if let redirectURI, redirectURI != grant.redirectURI {
      return .refuse(.invalidGrant("redirect_uri does not match"))
    }
    guard resources.narrows(grant.resources) else { return .refuse(.invalidTarget) }
    return .refuse(.invalidGrant("user or session no longer active"))
  }
}
