package import FoundationEssentials
package import JOSE
package import Platform

/// A JWT access token (RFC 9068 section 2.2); not stored anywhere.
package struct AccessToken: Sendable, Hashable {
  package static let type = "at+jwt"

  package let issuer: String
  package let audience: [String]
  /// The user's id, or the client's when it acts for itself (RFC 9068 section 2.2).
  package let subject: String
  package let clientID: ClientID
  package let scope: OAuthScope
  package let id: TokenID
  package let issuedAt: Date
  package let expiresAt: Date
  /// How and when the user was authenticated; nil for client credentials.
  package let authentication: Authentication?
  /// Who acts, and for whom they act in turn (RFC 8693 section 4.1).
  package var actor: JSONObject?
  /// Who alone may become the actor (RFC 8693 section 4.4).
  package var eligibleActor: JSONObject?
  /// What it was exchanged from; nil for a token of a grant.
  package var lineage: TokenLineage?

  /// RFC 9068 section 2.2.1.
  package struct Authentication: Sendable, Hashable {
    package let time: Date
    package let contextClass: String
    package let methods: [String]

    package init(time: Date, contextClass: String, methods: [String]) {
      self.time = time
      self.contextClass = contextClass
      self.methods = methods
    }
  }

  package init(
    issuer: String, audience: [String], subject: String, clientID: ClientID, scope: OAuthScope,
    id: TokenID, issuedAt: Date, expiresAt: Date, authentication: Authentication?
  ) {
    self.issuer = issuer
    self.audience = audience
    self.subject = subject
    self.clientID = clientID
    self.scope = scope
    self.id = id
    self.issuedAt = issuedAt
    self.expiresAt = expiresAt
    self.authentication = authentication
  }

  /// The user the token speaks for; nil for client credentials.
  package var user: UserID? { authentication == nil ? nil : UserID(subject) }

  package func signed(with key: SigningKey) throws(JOSEError) -> String {
    try JWT.sign(claims, type: Self.type, with: key)
  }

  package var claims: JSONObject {
    var claims: JSONObject = [
      "iss": .string(issuer),
      "sub": .string(subject),
      "aud": audience.count == 1 ? .string(audience[0]) : .array(audience.map(JSON.string)),
      "client_id": .string(clientID.text),
      "iat": .integer(issuedAt.unixSeconds),
      "exp": .integer(expiresAt.unixSeconds),
      "jti": .string(id.description),
    ]
    if !scope.isEmpty { claims["scope"] = .string(scope.description) }
    if let authentication {
      claims["auth_time"] = .integer(authentication.time.unixSeconds)
      claims["acr"] = .string(authentication.contextClass)
      claims["amr"] = .array(authentication.methods.map(JSON.string))
    }
    claims["act"] = actor.map(JSON.object)
    claims["may_act"] = eligibleActor.map(JSON.object)
    claims[TokenLineage.claim] = lineage?.json
    return claims
  }

  /// The claims of a token whose signature, issuer, audience and lifetime are verified.
  init(_ claims: JWTClaims) throws(JOSEError) {
    guard let issuer = claims.issuer else { throw .invalidClaim("iss") }
    guard let subject = claims.subject else { throw .invalidClaim("sub") }
    guard let expiresAt = claims.expiresAt else { throw .invalidClaim("exp") }
    guard let issuedAt = claims.issuedAt else { throw .invalidClaim("iat") }
    guard let id = claims.id.flatMap(TokenID.init) else { throw .invalidClaim("jti") }
    guard let client = ClientID(try claims.required("client_id")) else {
      throw .invalidClaim("client_id")
    }
    guard let scope = OAuthScope(stored: claims["scope"]?.stringValue ?? "") else {
      throw .invalidClaim("scope")
    }
    self.init(
      issuer: issuer, audience: claims.audience, subject: subject, clientID: client, scope: scope,
      id: id, issuedAt: issuedAt, expiresAt: expiresAt,
      authentication: try Self.authentication(claims))
    actor = try Self.object(claims, "act")
    eligibleActor = try Self.object(claims, "may_act")
    lineage = try TokenLineage(claims)
  }

  private static func object(_ claims: JWTClaims, _ name: String) throws(JOSEError) -> JSONObject? {
    guard let value = claims[name] else { return nil }
    guard let object = value.objectValue else { throw .invalidClaim(name) }
    return object
  }

  private static func authentication(_ claims: JWTClaims) throws(JOSEError) -> Authentication? {
    guard let time = claims["auth_time"] else { return nil }
    guard let seconds = time.integerValue else { throw .invalidClaim("auth_time") }
    return Authentication(
      time: Date(unixSeconds: seconds), contextClass: try claims.required("acr"),
      methods: claims["amr"]?.arrayValue?.compactMap(\.stringValue) ?? [])
  }
}

/// The `jti` of an access token: the grant it comes from and 128 random bits, so that revoking a grant
/// reaches tokens nobody stored.
package struct TokenID: Sendable, Hashable, LosslessStringConvertible {
  /// The token family; nil for client credentials, where the bytes are zero.
  package let family: UUID?
  package let description: String

  package init(family: UUID?, random: RandomSource) {
    self.family = family
    description = Base64URL.encode(
      (family?.bytes ?? [UInt8](repeating: 0, count: 16)) + random.bytes(16))
  }

  package init?(_ text: String) {
    guard let bytes = Base64URL.decode(text), bytes.count == 32 else { return nil }
    let family = Array(bytes.prefix(16))
    self.family = family.allSatisfy { $0 == 0 } ? nil : ID<TokenID>(bytes: family)?.uuid
    description = text
  }
}
