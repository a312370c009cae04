import Platform
import Tenancy
import Testing

@Suite("RFC 7591 section 2: client metadata")
struct ClientMetadataTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let patch: JSONObject
    let refused: [String]

    init(_ name: String, _ patch: JSONObject, refuses refused: String...) {
      (self.name, self.patch, self.refused) = (name, patch, refused)
    }

    var testDescription: String { name }
  }

  /// A web application that is fine; each case changes something.
  static let web: JSONObject = [
    "client_name": "Shop", "redirect_uris": ["https://shop.example/callback"],
    "grant_types": ["authorization_code", "refresh_token"], "scope": "openid email",
  ]

  /// The key of RFC 7517 appendix A.1, and its private half of appendix A.2.
  static let publicKey: JSON = [
    "kty": "EC", "crv": "P-256", "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
    "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM", "kid": "1",
  ]
  static let privateKey: JSON = [
    "kty": "EC", "crv": "P-256", "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
    "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
    "d": "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE",
  ]

  @Test(arguments: [
    Case("as it is", [:]),
    Case("a public client", ["token_endpoint_auth_method": "none"]),
    Case(
      "a loopback address",
      ["redirect_uris": ["http://127.0.0.1:8080/cb", "http://[::1]/cb", "http://localhost/cb"]]),
    Case(
      "a private-use scheme",
      ["application_type": "native", "redirect_uris": ["com.example.app:/oauth2redirect"]]),
    Case(
      "ES256",
      ["id_token_signed_response_alg": "ES256", "access_token_signed_response_alg": "RS256"]),
    Case(
      "pages", ["logo_uri": "https://shop.example/logo.png", "tos_uri": "https://shop.example/tos"]),
    Case("a query in the address", ["redirect_uris": ["https://shop.example/cb?tenant=1"]]),
    Case(
      "client credentials alone",
      ["grant_types": ["client_credentials"], "redirect_uris": [], "scope": .null]),
    Case("http", ["redirect_uris": ["http://shop.example/cb"]], refuses: "redirect_uris"),
    Case(
      "http elsewhere that looks local", ["redirect_uris": ["http://127.0.0.1.example/cb"]],
      refuses: "redirect_uris"),
    Case("a fragment", ["redirect_uris": ["https://shop.example/cb#x"]], refuses: "redirect_uris"),
    Case(
      "an empty fragment", ["redirect_uris": ["https://shop.example/cb#"]], refuses: "redirect_uris"
    ),
    Case("a wildcard", ["redirect_uris": ["https://*.shop.example/cb"]], refuses: "redirect_uris"),
    Case(
      "user information", ["redirect_uris": ["https://a@shop.example/cb"]], refuses: "redirect_uris"
    ),
    Case("a relative address", ["redirect_uris": ["/cb"]], refuses: "redirect_uris"),
    Case("no host", ["redirect_uris": ["https:///cb"]], refuses: "redirect_uris"),
    Case(
      "a host some read as another", ["redirect_uris": ["https://evil.example%2f.shop.example/"]],
      refuses: "redirect_uris"),
    Case(
      "a host with an empty label", ["redirect_uris": ["https://.shop.example/"]],
      refuses: "redirect_uris"),
    Case("a blank", ["redirect_uris": ["https://shop.example/c b"]], refuses: "redirect_uris"),
    Case(
      "a broken escape", ["redirect_uris": ["https://shop.example/%zz"]], refuses: "redirect_uris"),
    Case(
      "a port that is none", ["redirect_uris": ["https://shop.example:99999/"]],
      refuses: "redirect_uris"),
    Case(
      "javascript", ["redirect_uris": ["javascript:alert(1)"], "application_type": "native"],
      refuses: "redirect_uris"),
    Case("data", ["redirect_uris": ["data:text/html,x"]], refuses: "redirect_uris"),
    Case(
      "a private-use scheme of a web application", ["redirect_uris": ["com.example.app:/cb"]],
      refuses: "redirect_uris"),
    Case(
      "the same twice", ["redirect_uris": ["https://a.example/", "https://a.example/"]],
      refuses: "redirect_uris"),
    Case("none at all", ["redirect_uris": []], refuses: "redirect_uris"),
    Case(
      "not a list", ["redirect_uris": "https://shop.example/"], refuses: "redirect_uris",
      "redirect_uris"),
    Case("a number in the list", ["redirect_uris": [1]], refuses: "redirect_uris", "redirect_uris"),
    Case(
      "a logout address with a fragment", ["post_logout_redirect_uris": ["https://a.example/#"]],
      refuses: "post_logout_redirect_uris"),
    Case(
      "a name that turns the page around", ["client_name": "Shop \u{202E}knaB"],
      refuses: "client_name"),
    Case("an unknown grant", ["grant_types": ["password"]], refuses: "grant_types"),
    Case("no grant", ["grant_types": [], "redirect_uris": []], refuses: "grant_types"),
    Case("refresh tokens of nothing", ["grant_types": ["refresh_token"]], refuses: "grant_types"),
    Case(
      "response type without its grant",
      ["grant_types": ["client_credentials"], "response_types": ["code"]], refuses: "response_types"
    ),
    Case("the implicit flow", ["response_types": ["token"]], refuses: "response_types"),
    Case(
      "client credentials of a public client",
      ["grant_types": ["client_credentials"], "token_endpoint_auth_method": "none"],
      refuses: "token_endpoint_auth_method"),
    Case(
      "an unknown method", ["token_endpoint_auth_method": "tls_client_auth"],
      refuses: "token_endpoint_auth_method"),
    Case("a malformed scope", ["scope": "a  b"], refuses: "scope"),
    Case(
      "HS256", ["id_token_signed_response_alg": "HS256"], refuses: "id_token_signed_response_alg"),
    Case("none", ["id_token_signed_response_alg": "none"], refuses: "id_token_signed_response_alg"),
    Case("a page over http", ["policy_uri": "http://shop.example/"], refuses: "policy_uri"),
    Case("a name of a wrong type", ["client_name": ["x"]], refuses: "client_name"),
    Case(
      "a name that is too long", ["client_name": .string(String(repeating: "x", count: 257))],
      refuses: "client_name"),
    Case("an unknown member", ["contacts": ["a@example.com"]], refuses: "contacts"),
    Case(
      "a key of its own",
      [
        "token_endpoint_auth_method": "private_key_jwt", "jwks": ["keys": [Self.publicKey]],
        "token_endpoint_auth_signing_alg": "ES256",
      ]),
    Case(
      "keys elsewhere",
      [
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks_uri": "https://shop.example/jwks.json",
      ]),
    Case(
      "keys here and there",
      ["jwks": ["keys": [Self.publicKey]], "jwks_uri": "https://shop.example/jwks.json"],
      refuses: "jwks"),
    Case(
      "private_key_jwt without keys", ["token_endpoint_auth_method": "private_key_jwt"],
      refuses: "token_endpoint_auth_method"),
    Case("a private key", ["jwks": ["keys": [Self.privateKey]]], refuses: "jwks"),
    Case("no keys", ["jwks": ["keys": []]], refuses: "jwks"),
    Case("a shared secret", ["jwks": ["keys": [["kty": "oct", "k": "AAAA"]]]], refuses: "jwks"),
    Case("keys over http", ["jwks_uri": "http://shop.example/"], refuses: "jwks_uri"),
    Case(
      "an algorithm of another method",
      [
        "token_endpoint_auth_method": "client_secret_jwt",
        "token_endpoint_auth_signing_alg": "ES256",
      ], refuses: "token_endpoint_auth_signing_alg"),
    Case("pairwise", ["subject_type": "pairwise"]),
    Case(
      "pairwise over two hosts",
      ["subject_type": "pairwise", "redirect_uris": ["https://a.example/", "https://b.example/"]],
      refuses: "sector_identifier_uri"),
    Case(
      "pairwise over two hosts of a sector",
      [
        "subject_type": "pairwise", "redirect_uris": ["https://a.example/", "https://b.example/"],
        "sector_identifier_uri": "https://a.example/sector.json",
      ]),
    Case(
      "request objects",
      [
        "request_object_signing_alg": "none",
        "request_uris": ["https://shop.example/request.jwt#GkurKxf5T0Y"],
      ]),
    Case(
      "request objects over http", ["request_uris": ["http://shop.example/r"]],
      refuses: "request_uris"),
    Case("PKCE waived with a reason", ["pkce_waiver_reason": "cannot be changed, ticket 412"]),
    Case(
      "PKCE waived for a public client",
      ["pkce_waiver_reason": "please", "token_endpoint_auth_method": "none"],
      refuses: "pkce_waiver_reason"),
    Case(
      "logout",
      [
        "backchannel_logout_uri": "https://logout.example/",
        "backchannel_logout_session_required": true,
        "frontchannel_logout_uri": "https://shop.example:443/bye",
      ]),
    Case(
      "logout with a fragment", ["backchannel_logout_uri": "https://shop.example/#x"],
      refuses: "backchannel_logout_uri"),
    Case(
      "front-channel logout elsewhere", ["frontchannel_logout_uri": "https://shop.example:8443/"],
      refuses: "frontchannel_logout_uri"),
    Case(
      "sign-in begun over http", ["initiate_login_uri": "http://shop.example/"],
      refuses: "initiate_login_uri"),
    Case("a negative age", ["default_max_age": -1], refuses: "default_max_age"),
    Case(
      "a device",
      [
        "grant_types": ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"],
        "redirect_uris": [], "token_endpoint_auth_method": "none",
      ]),
    Case(
      "token exchange of a public client",
      [
        "grant_types": ["urn:ietf:params:oauth:grant-type:token-exchange"], "redirect_uris": [],
        "token_endpoint_auth_method": "none",
      ], refuses: "token_endpoint_auth_method"),
    Case("the secret is ours to make", ["client_secret": "x"], refuses: "client_secret"),
  ])
  func validates(_ test: Case) {
    do {
      _ = try ClientMetadata(validating: Self.web.merging(test.patch))
      #expect(test.refused == [])
    } catch {
      #expect(error.errors.map(\.field) == test.refused)
    }
  }

  @Test func fillsInTheDefaults() throws {
    let metadata = try ClientMetadata(validating: ["redirect_uris": ["https://a.example/"]])
    #expect(metadata.grantTypes == [.authorizationCode])
    #expect(metadata.responseTypes == [.code])
    #expect(metadata.authenticationMethod == .clientSecretBasic)
    #expect(metadata.idTokenAlgorithm == .rs256)
    #expect(!metadata.isFirstParty)
    #expect(metadata.json["application_type"] == "web")
  }

  @Test func survivesStorage() throws {
    let metadata = try ClientMetadata(
      validating: Self.web.merging([
        "post_logout_redirect_uris": ["https://shop.example/bye"], "first_party": true,
        "policy_uri": "https://shop.example/privacy", "jwks": ["keys": [Self.publicKey]],
        "subject_type": "pairwise", "userinfo_signed_response_alg": "PS256",
        "request_uris": ["https://shop.example/r"], "default_max_age": 3600,
        "require_auth_time": true, "default_acr_values": ["a"], "pkce_waiver_reason": "old",
        "backchannel_logout_uri": "https://shop.example/out", "software_id": "shop",
        "frontchannel_logout_uri": "https://shop.example/out",
      ]))
    #expect(try ClientMetadata(stored: metadata.json) == metadata)
    #expect(try ClientMetadata(stored: metadata.json.merging(["later": 1])) == metadata)
  }

  @Test func patches() throws {
    let metadata = try ClientMetadata(validating: Self.web)
    let patched = try metadata.applying(["client_name": .null, "scope": "openid"])
    #expect(patched.name == nil)
    #expect(patched.redirectURIs == metadata.redirectURIs)
    #expect(patched.differences(from: metadata) == ["client_name", "scope"])
    #expect(throws: ClaimErrors.self) { try metadata.applying(["redirect_uris": []]) }
  }
}
