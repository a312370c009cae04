import Cryptography
import FoundationEssentials
import JOSE
import Platform
@testable import Tenancy
import Testing

@Suite("RFC 9068 section 2: access tokens")
struct AccessTokenTests {
  let key: SigningKey
  let jwk: JWK
  let now = Date(unixSeconds: 1_800_000_000)

  init() throws {
    let pair = try PrivateKey.generate(.p256)
    key = try SigningKey(pair, algorithm: .es256, keyID: "k")
    jwk = try JWK(pair.publicKey, keyID: "k", algorithm: .es256)
  }

  private func token(_ authentication: AccessToken.Authentication?) throws -> AccessToken {
    AccessToken(
      issuer: "https://id.example/t/acme", audience: ["https://id.example/t/acme"],
      subject: UserID.generate(.system, .system).description,
      clientID: try #require(ClientID("shop")),
      scope: try #require(OAuthScope("openid email")), id: TokenID(family: UUID(), random: .system),
      issuedAt: now, expiresAt: now.addingTimeInterval(300), authentication: authentication)
  }

  @Test func comesBackAsItWasSigned() throws {
    let user = AccessToken.Authentication(time: now, contextClass: "1", methods: ["pwd"])
    for token in [try token(user), try token(nil)] {
      let verified = try JWS.verify(token.signed(with: key), allowing: [.es256]) { _ in jwk }
      #expect(verified.header.type == "at+jwt")
      #expect(try AccessToken(JWTClaims(payload: verified.payload)) == token)
    }
    #expect(try token(user).user != nil)
    #expect(try token(nil).user == nil)
  }

  @Test(arguments: ["iss", "sub", "exp", "iat", "jti", "client_id"])
  func isNoneWithoutARequiredClaim(_ name: String) throws {
    var claims = try token(nil).claims
    claims[name] = nil
    #expect(throws: JOSEError.invalidClaim(name)) { try AccessToken(JWTClaims(claims)) }
  }

  @Test func namesItsFamily() throws {
    let family = UUID()
    let id = TokenID(family: family, random: .system)
    #expect(TokenID(id.description) == id)
    #expect(TokenID(id.description)?.family == family)
    let machine = TokenID(family: nil, random: .system)
    #expect(TokenID(machine.description)?.family == nil)
    #expect(machine.description != TokenID(family: nil, random: .system).description)
    for junk in ["", "x", Base64URL.encode([UInt8](repeating: 1, count: 31))] {
      #expect(TokenID(junk) == nil)
    }
  }
}
