import FoundationEssentials
import Platform
import Tenancy
import Testing
import Web

@testable import TenantRuntime

@Suite("OpenID Connect Core 3.1.2.3 and 3.1.2.4: what an authorization request leads to")
struct AuthorizationDecisionTests {
  static let now = Date(timeIntervalSince1970: 1_800_000_000)

  struct Row: Sendable, CustomTestStringConvertible {
    let testDescription: String
    var parameters: [String: String] = [:]
    /// How long ago the user signed in; nil if nobody is signed in.
    var signedInSecondsAgo: Double? = 100
    var granted: String? = "openid email"
    var hinted: HintedSubject = .none
    var startedSecondsAgo: Double?
    var contextClass = Session.passwordACR
    let expected: String
  }

  static func sub(_ value: String) -> [String: String] {
    ["claims": #"{"id_token":{"sub":{"value":"\#(value)"}}}"#]
  }

  static func essential(_ contextClass: String) -> [String: String] {
    ["claims": #"{"id_token":{"acr":{"essential":true,"values":["\#(contextClass)"]}}}"#]
  }

  @Test(arguments: [
    Row(testDescription: "signed in and granted", expected: "issue"),
    Row(testDescription: "nobody signed in", signedInSecondsAgo: nil, expected: "signIn"),
    Row(testDescription: "nothing granted", granted: nil, expected: "askConsent"),
    Row(testDescription: "scope grows", granted: "openid", expected: "askConsent"),
    Row(
      testDescription: "more granted than asked", granted: "openid email profile", expected: "issue"
    ),
    Row(
      testDescription: "prompt none, signed in and granted", parameters: ["prompt": "none"],
      expected: "issue"),
    Row(
      testDescription: "prompt none, nobody", parameters: ["prompt": "none"],
      signedInSecondsAgo: nil, expected: "login_required"),
    Row(
      testDescription: "prompt none, not granted", parameters: ["prompt": "none"], granted: nil,
      expected: "consent_required"),
    Row(
      testDescription: "prompt none, too old", parameters: ["prompt": "none", "max_age": "10"],
      expected: "login_required"),
    Row(testDescription: "prompt login", parameters: ["prompt": "login"], expected: "signIn"),
    Row(
      testDescription: "prompt select_account", parameters: ["prompt": "select_account"],
      expected: "signIn"),
    Row(
      testDescription: "prompt login, signed in for this request", parameters: ["prompt": "login"],
      signedInSecondsAgo: 5, startedSecondsAgo: 20, expected: "issue"),
    Row(
      testDescription: "prompt login, signed in before this request",
      parameters: ["prompt": "login"], signedInSecondsAgo: 30, startedSecondsAgo: 20,
      expected: "signIn"),
    Row(
      testDescription: "prompt consent", parameters: ["prompt": "consent"], expected: "askConsent"),
    Row(
      testDescription: "prompt login consent, signed in for it",
      parameters: ["prompt": "login consent"], signedInSecondsAgo: 5, startedSecondsAgo: 20,
      expected: "askConsent"),
    Row(testDescription: "max_age kept", parameters: ["max_age": "100"], expected: "issue"),
    Row(testDescription: "max_age exceeded", parameters: ["max_age": "99"], expected: "signIn"),
    Row(
      testDescription: "max_age 0", parameters: ["max_age": "0"], signedInSecondsAgo: 1,
      expected: "signIn"),
    Row(
      testDescription: "max_age 1, signed in for this request", parameters: ["max_age": "1"],
      signedInSecondsAgo: 30, startedSecondsAgo: 40, expected: "issue"),
    Row(testDescription: "hint names the user", hinted: .present, expected: "issue"),
    Row(testDescription: "hint names somebody else", hinted: .somebodyElse, expected: "signIn"),
    Row(
      testDescription: "hint names somebody else, prompt none", parameters: ["prompt": "none"],
      hinted: .somebodyElse, expected: "login_required"),
    Row(
      testDescription: "somebody other than the hint has signed in for it",
      signedInSecondsAgo: 5, hinted: .somebodyElse, startedSecondsAgo: 20,
      expected: "access_denied"),
    Row(
      testDescription: "sub of the user", parameters: sub("alice"), expected: "issue"),
    Row(testDescription: "sub of another user", parameters: sub("bob"), expected: "signIn"),
    Row(
      testDescription: "sub of another user, prompt none",
      parameters: sub("bob").merging(["prompt": "none"]) { $1 }, expected: "login_required"),
    Row(
      testDescription: "sub of another user, signed in for it", parameters: sub("bob"),
      signedInSecondsAgo: 5, startedSecondsAgo: 20, expected: "access_denied"),
    Row(
      testDescription: "acr_values out of reach", parameters: ["acr_values": "urn:gold"],
      expected: "issue"),
    Row(
      testDescription: "acr_values, one within reach and not reached",
      parameters: ["acr_values": "urn:gold \(Session.passwordACR)"], contextClass: "urn:old",
      expected: "signIn"),
    Row(
      testDescription: "acr_values not reached, prompt none",
      parameters: ["acr_values": Session.passwordACR, "prompt": "none"], contextClass: "urn:old",
      expected: "issue"),
    Row(
      testDescription: "acr_values not reached, signed in for this request",
      parameters: ["acr_values": Session.passwordACR], signedInSecondsAgo: 5,
      startedSecondsAgo: 20, contextClass: "urn:old", expected: "issue"),
    Row(
      testDescription: "acr_values reached", parameters: ["acr_values": Session.passwordACR],
      expected: "issue"),
    Row(
      testDescription: "essential acr out of reach",
      parameters: essential("urn:gold"),
      expected: "unmet_authentication_requirements"),
    Row(
      testDescription: "essential acr reached",
      parameters: essential(Session.passwordACR), expected: "issue"),
    Row(
      testDescription: "essential acr not reached", parameters: essential(Session.passwordACR),
      contextClass: "urn:old", expected: "signIn"),
    Row(
      testDescription: "essential acr not reached, prompt none",
      parameters: essential(Session.passwordACR).merging(["prompt": "none"]) { $1 },
      contextClass: "urn:old", expected: "login_required"),
    Row(
      testDescription: "essential acr not reached, signed in for this request",
      parameters: essential(Session.passwordACR), signedInSecondsAgo: 5, startedSecondsAgo: 20,
      contextClass: "urn:old", expected: "unmet_authentication_requirements"),
    Row(
      testDescription: "essential acr without values",
      parameters: ["claims": #"{"id_token":{"acr":{"essential":true}}}"#], contextClass: "urn:old",
      expected: "issue"),
    Row(
      testDescription: "a claim beyond the granted scope",
      parameters: ["claims": #"{"userinfo":{"name":null}}"#], expected: "askConsent"),
    Row(
      testDescription: "a claim of the granted scope",
      parameters: ["claims": #"{"id_token":{"email":null}}"#], expected: "issue"),
    Row(
      testDescription: "a claim that was granted by name",
      parameters: ["claims": #"{"userinfo":{"name":null}}"#],
      granted: "openid email urn:tenure:claim:name", expected: "issue"),
    Row(
      testDescription: "a claim whose scope was granted before",
      parameters: ["claims": #"{"userinfo":{"name":null}}"#],
      granted: "openid email profile", expected: "issue"),
    Row(testDescription: "hint is not ours", hinted: .unusable, expected: "invalid_request"),
  ])
  func decides(_ row: Row) throws {
    let request = try AuthorizationFixture.request(row.parameters)
    let situation = AuthorizationSituation(
      user: row.signedInSecondsAgo.map {
        SignedInUser(
          authenticatedAt: Self.now.addingTimeInterval(-$0), contextClass: row.contextClass,
          subject: "alice")
      },
      grantedScope: row.granted.flatMap { OAuthScope($0) }, hinted: row.hinted,
      interactionStartedAt: row.startedSecondsAgo.map { Self.now.addingTimeInterval(-$0) },
      now: Self.now)
    let name =
      switch request.decision(situation) {
      case .refuse(let error): error.code.rawValue
      case .signIn: "signIn"
      case .askConsent: "askConsent"
      case .issue: "issue"
      }
    #expect(name == row.expected)
  }
}

@Suite(
  "RFC 6749 section 4.1.2.1, OpenID Connect Core 3.1.2.6: refusals of the authorization endpoint")
struct AuthorizationRequestTests {
  struct Row: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let parameters: [String: String?]
    let expected: OAuthError.Code

    init(_ description: String, _ parameters: [String: String?], _ expected: OAuthError.Code) {
      testDescription = description
      self.parameters = parameters
      self.expected = expected
    }
  }

  @Test(arguments: [
    Row("no response_type", ["response_type": nil], .invalidRequest),
    Row("token", ["response_type": "token"], .unsupportedResponseType),
    Row("code id_token", ["response_type": "code id_token"], .unsupportedResponseType),
    Row("fragment", ["response_mode": "fragment"], .invalidRequest),
    Row("no challenge", ["code_challenge": nil], .invalidRequest),
    Row("plain challenge", ["code_challenge_method": "plain"], .invalidRequest),
    Row("no method", ["code_challenge_method": nil], .invalidRequest),
    Row("no scope", ["scope": nil], .invalidRequest),
    Row("unknown scope", ["scope": "openid admin"], .invalidScope),
    Row("malformed scope", ["scope": "openid  email"], .invalidScope),
    Row("unknown prompt", ["prompt": "dance"], .invalidRequest),
    Row("prompt none and login", ["prompt": "none login"], .invalidRequest),
    Row("max_age word", ["max_age": "soon"], .invalidRequest),
    Row("max_age negative", ["max_age": "-1"], .invalidRequest),
    Row("request object", ["request": "e30.e30."], .requestNotSupported),
    Row("request_uri", ["request_uri": "https://app.example/r"], .requestURINotSupported),
    Row("registration", ["registration": "{}"], .registrationNotSupported),
    Row("long nonce", ["nonce": String(repeating: "n", count: 2000)], .invalidRequest),
  ])
  func refuses(_ row: Row) throws {
    do throws(OAuthError) {
      _ = try AuthorizationFixture.request(row.parameters)
      Issue.record("accepted")
    } catch {
      #expect(error.code == row.expected)
    }
  }

  @Test("A repeated parameter is refused where it is used, not before (section 3.1)")
  func repeated() throws {
    let query = try Query("client_id=web&scope=openid&scope=email&state=a")
    let parameters = AuthorizationParameters(query)
    #expect(parameters.repeated == ["scope"])
    #expect(throws: OAuthError.self) { try parameters.required("scope") }
    #expect(parameters.values["state"] == "a")
  }

  @Test("Unknown parameters are ignored and do not travel on")
  func unknown() throws {
    let parameters = AuthorizationParameters(try Query("client_id=web&extra=foobar&a[b]=c"))
    #expect(parameters.query == "client_id=web")
  }

  @Test("An empty parameter is an absent one")
  func empty() throws {
    #expect(AuthorizationParameters(try Query("client_id=web&state=")).values["state"] == nil)
  }
}

@Suite("Our policy: a ticket keeps prompt=login from asking for ever, and belongs to one request")
struct InteractionTicketTests {
  let key = AuthorizationFixture.key
  let now = Date(timeIntervalSince1970: 1_800_000_000.25)
  let parameters = AuthorizationParameters(["client_id": "web", "prompt": "login"])

  @Test func roundTrip() {
    let text = InteractionTicket(startedAt: now).text(for: parameters, key: key)
    let carrying = parameters.with(InteractionTicket.parameterName, text)
    let read = InteractionTicket(text, for: carrying, key: key, now: now.addingTimeInterval(60))
    #expect(read?.startedAt == now)
  }

  @Test func refusals() {
    let text = InteractionTicket(startedAt: now).text(for: parameters, key: key)
    let later = now.addingTimeInterval(60)
    let other = parameters.with("client_id", "other")
    #expect(InteractionTicket(text, for: other, key: key, now: later) == nil)
    #expect(InteractionTicket("1" + text, for: parameters, key: key, now: later) == nil)
    #expect(InteractionTicket("", for: parameters, key: key, now: later) == nil)
    #expect(InteractionTicket("x.y", for: parameters, key: key, now: later) == nil)
    #expect(
      InteractionTicket(text, for: parameters, key: key, now: now.addingTimeInterval(3601)) == nil)
    #expect(
      InteractionTicket(text, for: parameters, key: key, now: now.addingTimeInterval(-1)) == nil)
  }
}
