import Cryptography
import FoundationEssentials
import JOSE
import Platform
import Testing

@Suite("RFC 7519: claims")
struct JWTTests {
  static let now = Date(timeIntervalSince1970: 1_800_000_000)
  static let seconds = 1_800_000_000
  static let policy = JWTPolicy(
    issuer: "https://issuer.example", audiences: ["api", "other"], type: "at+jwt",
    expiry: .required, leewaySeconds: 10)

  static let good: JSONObject = [
    "iss": "https://issuer.example", "sub": "alice", "aud": ["api", "more"],
    "exp": .integer(seconds + 300), "iat": .integer(seconds), "jti": "1", "scope": "openid",
  ]

  struct Change: Sendable, CustomTestStringConvertible {
    let name: String
    let value: JSON?
    let error: JOSEError?

    init(_ name: String, _ value: JSON?, _ error: JOSEError?) {
      self.name = name
      self.value = value
      self.error = error
    }

    var testDescription: String { "\(name): \(value?.text ?? "absent")" }
  }

  @Test(
    "one claim changed",
    arguments: [
      Change("sub", "alice", nil),
      Change("sub", 1, .invalidClaim("sub")),
      Change("iss", nil, .wrongIssuer),
      Change("iss", "https://issuer.example/", .wrongIssuer),
      Change("iss", ["https://issuer.example"], .invalidClaim("iss")),
      Change("aud", "api", nil),
      Change("aud", "API", .wrongAudience),
      Change("aud", nil, .wrongAudience),
      Change("aud", [], .wrongAudience),
      Change("aud", [1, "api"], .invalidClaim("aud")),
      Change("aud", ["api": "api"], .invalidClaim("aud")),
      Change("exp", nil, .invalidClaim("exp")),
      Change("exp", .string("1800000300"), .invalidClaim("exp")),
      Change("exp", .integer(seconds), nil),
      Change("exp", .integer(seconds - 9), nil),
      Change("exp", .integer(seconds - 10), .expired),
      Change("exp", .number(1_799_999_990.5), nil),
      Change("exp", .integer(-1), .invalidClaim("exp")),
      Change("exp", .number(1e300), .invalidClaim("exp")),
      Change("exp", .bool(true), .invalidClaim("exp")),
      Change("nbf", .integer(seconds + 10), nil),
      Change("nbf", .integer(seconds + 11), .notYetValid),
      Change("nbf", "soon", .invalidClaim("nbf")),
      Change("iat", .integer(seconds + 10), nil),
      Change("iat", .integer(seconds + 11), .notYetValid),
      Change("iat", nil, nil),
      Change("jti", .integer(1), .invalidClaim("jti")),
    ])
  func changed(_ change: Change) throws {
    var claims = Self.good
    claims[change.name] = change.value
    let outcome = Result { () throws(JOSEError) in
      try Self.policy.check(try JWTClaims(claims), now: Self.now)
    }
    switch (outcome, change.error) {
    case (.success, nil): break
    case (.failure(let error), let expected): #expect(error == expected)
    case (.success, .some): Issue.record("was accepted")
    }
  }

  @Test("signed and read again")
  func roundTrip() throws {
    let key = try PrivateKey.generate(.p256)
    let jwk = try JWK(key.publicKey, keyID: "1", algorithm: .es256)
    let token = try JWT.sign(
      Self.good, type: "at+jwt", with: SigningKey(key, algorithm: .es256, keyID: "1"))
    let claims = try JWT.verify(
      token, allowing: [.es256], expecting: Self.policy, now: Self.now
    ) { header in header.keyID == "1" ? jwk : nil }
    #expect(claims.issuer == "https://issuer.example")
    #expect(claims.subject == "alice")
    #expect(claims.audience == ["api", "more"])
    #expect(claims.expiresAt == Self.now.addingTimeInterval(300))
    #expect(claims.issuedAt == Self.now)
    #expect(claims.id == "1")
    #expect(claims["scope"] == "openid")
    #expect(try claims.required("scope") == "openid")
    #expect(throws: JOSEError.invalidClaim("client_id")) { try claims.required("client_id") }
    #expect(throws: JOSEError.unknownKey) {
      try JWT.verify(token, allowing: [.es256], expecting: Self.policy, now: Self.now) { _ in nil }
    }
  }

  @Test(
    "typ tells one kind of token from another (RFC 8725 section 3.11)",
    arguments: [
      ("at+jwt", true), ("application/at+jwt", true), ("AT+JWT", true), ("JWT", false),
      ("at+jwt2", false), (nil, false),
    ] as [(String?, Bool)])
  func type(_ type: String?, isAccepted: Bool) throws {
    let secret = SecretBytes(randomCount: 32)
    let token = try JWT.sign(Self.good, type: type, with: SigningKey(secret: secret, keyID: nil))
    let outcome = Result { () throws(JOSEError) in
      try JWT.verify(token, allowing: [.hs256], expecting: Self.policy, now: Self.now) { _ in
        JWK(secret: secret, keyID: nil)
      }
    }
    #expect(((try? outcome.get()) != nil) == isAccepted)
  }

  @Test(
    "claims must be one JSON object without duplicates",
    arguments: ["", "[]", "1", #"{"a":1,"a":2}"#, "{} {}"])
  func malformed(_ text: String) {
    #expect(throws: JOSEError.self) { try JWTClaims(payload: Array(text.utf8)) }
  }

  @Test("an expiry can be waived, with a reason")
  func waived() throws {
    var policy = Self.policy
    policy.expiry = .waived(
      reason: "id_token_hint may be old (OpenID Connect RP-Initiated Logout 2)")
    var claims = Self.good
    claims["exp"] = .integer(1)
    try policy.check(try JWTClaims(claims), now: Self.now)
  }
}
