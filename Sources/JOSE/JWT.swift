package import FoundationEssentials
package import Platform

/// JSON Web Tokens (RFC 7519) signed as compact JWS.
package enum JWT {
  /// Signs the claims; `type` becomes `typ`, so that a token of one kind cannot pass as another (RFC 8725 section 3.11).
  package static func sign(
    _ claims: JSONObject, type: String?, with key: SigningKey
  ) throws(JOSEError) -> String {
    try JWS.sign(
      JSON.object(claims).encoded(), header: type.map { ["typ": .string($0)] } ?? [:], with: key)
  }

  /// Verifies the signature, then the registered claims.
  package static func verify(
    _ token: String, allowing algorithms: Set<SignatureAlgorithm>, expecting policy: JWTPolicy,
    now: Date, bytesMax: Int = JWS.bytesMax, key: (JWSHeader) throws(JOSEError) -> JWK?
  ) throws(JOSEError) -> JWTClaims {
    let verified = try JWS.verify(token, allowing: algorithms, bytesMax: bytesMax, key: key)
    return try policy.claims(of: verified, now: now)
  }
}

/// What a token must say to be accepted.
package struct JWTPolicy: Sendable {
  package enum Expiry: Sendable, Hashable {
    case required
    case waived(reason: String)
  }

  /// The only issuer accepted; nil where the caller has none to compare, such as an unsigned choice of keys.
  package var issuer: String?
  /// One of these must be among the token's; empty where audiences are checked elsewhere.
  package var audiences: Set<String>
  /// The media type expected in `typ`; nil where the standard knows none (RFC 7523 assertions).
  package var type: String?
  package var expiry: Expiry
  package var leewaySeconds: Int

  package init(
    issuer: String?, audiences: Set<String>, type: String?, expiry: Expiry, leewaySeconds: Int
  ) {
    self.issuer = issuer
    self.audiences = audiences
    self.type = type
    self.expiry = expiry
    self.leewaySeconds = leewaySeconds
  }

  /// The claims of a verified signature, if they are acceptable at `now`.
  package func claims(of verified: VerifiedJWS, now: Date) throws(JOSEError) -> JWTClaims {
    if let type, !verified.header.hasType(type) { throw .wrongType }
    let claims = try JWTClaims(payload: verified.payload)
    try check(claims, now: now)
    return claims
  }

  package func check(_ claims: JWTClaims, now: Date) throws(JOSEError) {
    if let issuer, claims.issuer != issuer { throw .wrongIssuer }
    if !audiences.isEmpty, audiences.isDisjoint(with: claims.audience) { throw .wrongAudience }
    let leeway = TimeInterval(leewaySeconds)
    if expiry == .required {
      guard let expiresAt = claims.expiresAt else { throw .invalidClaim("exp") }
      // RFC 7519 section 4.1.4: not accepted on or after that time.
      guard now < expiresAt.addingTimeInterval(leeway) else { throw .expired }
    }
    if let notBefore = claims.notBefore, now < notBefore.addingTimeInterval(-leeway) {
      throw .notYetValid
    }
    // Our policy: a token from the future has a clock or a forger behind it.
    if let issuedAt = claims.issuedAt, now < issuedAt.addingTimeInterval(-leeway) {
      throw .notYetValid
    }
  }
}

/// The claims of a token: the registered ones typed (RFC 7519 section 4.1), the others as they are.
package struct JWTClaims: Sendable, Hashable {
  package let issuer: String?
  package let subject: String?
  package let audience: [String]
  package let expiresAt: Date?
  package let notBefore: Date?
  package let issuedAt: Date?
  package let id: String?
  package private(set) var members: JSONObject

  package init(payload: [UInt8]) throws(JOSEError) {
    guard let members = try parseJSON(payload, bytesMax: max(payload.count, 1)).objectValue else {
      throw .malformed("claims are an object")
    }
    try self.init(members)
  }

  package init(_ members: JSONObject) throws(JOSEError) {
    self.members = members
    issuer = try Self.text(members, "iss")
    subject = try Self.text(members, "sub")
    id = try Self.text(members, "jti")
    audience = try Self.audience(members)
    expiresAt = try Self.date(members, "exp")
    notBefore = try Self.date(members, "nbf")
    issuedAt = try Self.date(members, "iat")
  }

  /// What a policy looks at and no more: for those who check the same claims again.
  package var registered: JWTClaims {
    var claims = self
    claims.members = [:]
    return claims
  }

  package subscript(_ name: String) -> JSON? { members[name] }

  /// A claim that must be there and be text.
  package func required(_ name: String) throws(JOSEError) -> String {
    guard let text = try Self.text(members, name) else { throw .invalidClaim(name) }
    return text
  }

  private static func text(_ members: JSONObject, _ name: String) throws(JOSEError) -> String? {
    guard let value = members[name] else { return nil }
    guard let text = value.stringValue else { throw .invalidClaim(name) }
    return text
  }

  /// One string or several (RFC 7519 section 4.1.3).
  private static func audience(_ members: JSONObject) throws(JOSEError) -> [String] {
    guard let value = members["aud"] else { return [] }
    if let text = value.stringValue { return [text] }
    guard let elements = value.arrayValue else { throw .invalidClaim("aud") }
    let names = elements.compactMap(\.stringValue)
    guard names.count == elements.count else { throw .invalidClaim("aud") }
    return names
  }

  /// A NumericDate (RFC 7519 section 2), until the year 9999.
  private static func date(_ members: JSONObject, _ name: String) throws(JOSEError) -> Date? {
    guard let value = members[name] else { return nil }
    guard let seconds = value.doubleValue, (0...253_402_300_799).contains(seconds) else {
      throw .invalidClaim(name)
    }
    return Date(timeIntervalSince1970: seconds)
  }
}
