import Cryptography
import FoundationEssentials
import JOSE
import Platform
import Tenancy

/// An ID token (OpenID Connect Core section 2).
///
/// It says who signed in, when and how; claims about the person come from the userinfo endpoint, unless
/// the request asked for them here.
struct IDToken: Sendable {
  static let type = "JWT"

  private let grant: TokenGrant
  private let accessToken: String
  private let client: Client
  private let tenant: Tenant
  private let now: Date
  /// What the client asked to find here (OpenID Connect Core section 5.5).
  private let person: JSONObject

  init(
    _ grant: TokenGrant, accessToken: String, person: JSONObject, client: Client, tenant: Tenant,
    now: Date
  ) {
    self.person = person
    self.grant = grant
    self.accessToken = accessToken
    self.client = client
    self.tenant = tenant
    self.now = now
  }

  func signed(with key: SigningKey) throws(JOSEError) -> String {
    var claims: JSONObject = [
      "iss": .string(tenant.issuer),
      "sub": .string(tenant.subject(of: grant.user, for: client.metadata)),
      "aud": .string(client.id.text),
      "exp": .integer(now.unixSeconds + tenant.settings.idTokenLifetimeSeconds),
      "iat": .integer(now.unixSeconds), "auth_time": .integer(grant.authenticatedAt.unixSeconds),
      "acr": .string(grant.acr), "amr": .strings(grant.amr),
      "at_hash": .string(Self.hash(accessToken, key.algorithm)),
    ]
    claims = person.merging(claims)
    claims["nonce"] = grant.nonce.map { .string($0) }
    claims["sid"] = grant.session.map { .string($0.description) }
    return try JWT.sign(claims, type: Self.type, with: key)
  }

  /// The left half of the hash that belongs to the algorithm (OpenID Connect Core section 3.1.3.6).
  static func hash(_ token: String, _ algorithm: SignatureAlgorithm) -> String {
    let bytes = Array(token.utf8)
    let digest =
      switch algorithm {
      case .rs256, .ps256, .es256, .hs256: SHA2.sha256(bytes)
      case .es384: SHA2.sha384(bytes)
      case .edDSA: SHA2.sha512(bytes)
      }
    return Base64URL.encode(digest.prefix(digest.count / 2))
  }
}

/// An ID token of ours that comes back as a hint; it may have expired (OpenID Connect Core 3.1.2.1,
/// RP-Initiated Logout section 2).
struct IDTokenHint: Sendable, Equatable {
  let subject: String
  let clientID: ClientID
  let session: ID<Session>?

  /// Whether the token was about this user; `client` is the one it was issued to.
  func names(_ user: UserID, client: ClientMetadata, in tenant: Tenant) -> Bool {
    tenant.subject(of: user, for: client) == subject
  }
}

/// Verifies hints with the tenant's own keys: one of another issuer, or one that was tampered with, is nil.
struct IDTokenHintVerifier: Sendable {
  static let algorithms: Set<SignatureAlgorithm> = [.rs256, .ps256, .es256, .es384, .edDSA]

  let keys: SigningKeyRing
  let clock: WallClock

  func hint(_ token: String, of tenant: Tenant) async throws -> IDTokenHint? {
    let keys = try await keys.keys(of: tenant)
    do throws(JOSEError) {
      let claims = try JWT.verify(
        token, allowing: Self.algorithms,
        expecting: JWTPolicy(
          issuer: tenant.issuer, audiences: [], type: IDToken.type,
          expiry: .waived(reason: "a hint tells who, not whether"), leewaySeconds: 5),
        now: clock.now()
      ) { header in header.keyID.flatMap(keys.verificationKey) }
      guard let subject = claims.subject,
        let client = claims.audience.first.flatMap(ClientID.init), claims.audience.count == 1
      else { return nil }
      return IDTokenHint(
        subject: subject, clientID: client,
        session: claims["sid"]?.stringValue.flatMap { ID<Session>($0) })
    } catch {
      return nil
    }
  }
}
