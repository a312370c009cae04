import HTTPTypes
import Hummingbird
import Platform
import Testing

@testable import Web

@Suite("Refusals")
struct RefusalTests {
  @Test(
    "the form of an error follows the path",
    arguments: [
      ("/admin/v1/organizations", .problem), ("/openapi.json", .problem), ("/assets/x", .problem),
      ("/t/acme/oauth2/token", .oauth), ("/t/acme/oauth2/authorize", .page),
      ("/t/acme/oidc/userinfo", .oauth), ("/t/acme/oidc/logout", .page),
      ("/t/acme/.well-known/jwks.json", .oauth), ("/t/acme/login", .page), ("/", .page),
      ("/.well-known/oauth-authorization-server/t/acme", .oauth), ("/t/acme/privacy", .page),
      ("/token", .page), ("/administrator", .page),
    ] as [(String, ErrorFormat)])
  func format(_ path: String, _ format: ErrorFormat) {
    #expect(ErrorFormat(path: path) == format)
  }

  @Test("RFC 9457: a problem document")
  func problem() {
    let problem = Problem.validation([FieldError("name", "is required.")])
    #expect(problem.status.code == 422)
    #expect(
      problem.document(.problem)
        == ErrorDocument(
          contentType: "application/problem+json",
          body: [
            "type": "urn:tenure:problem:validation", "title": "The request is not valid",
            "status": 422, "detail": "See errors for each field.",
            "errors": [["field": "name", "message": "is required."]],
          ]))
    #expect(Problem(.gone).document(.page).body["type"] == "about:blank")
  }

  @Test("RFC 6749 section 5.2: an OAuth error", arguments: OAuthError.Code.allCases)
  func oauth(_ code: OAuthError.Code) {
    let error = OAuthError(code, "It \"does\" not\\work – at all.", detail: "secret reason")
    let document = error.document(.oauth)
    #expect(document.contentType == "application/json")
    #expect(document.body["error"]?.stringValue == code.rawValue)
    #expect(document.body["error_description"]?.stringValue == "It 'does' not?work ? at all.")
    #expect(!document.body.text.contains("secret"))
    #expect(error.status.code >= 400)
    #expect((error.headers[.wwwAuthenticate] != nil) == (code == .invalidClient))
    #expect(error.document(.problem).contentType == "application/problem+json")
  }

  @Test("A problem is told to OAuth clients in their words")
  func problemForOAuth() {
    let away = Problem.unavailable("Try again.")
    #expect(away.document(.oauth).body["error"] == "temporarily_unavailable")
    #expect(away.headers[.retryAfter] == "5")
    #expect(away.document(.problem).body["status"] == 503)
    #expect(Problem.payloadTooLarge(limit: 1).document(.oauth).body["error"] == "invalid_request")
    #expect(Problem.notFound().document(.oauth).contentType == "application/problem+json")
  }

  @Test("RFC 6750 section 3: challenges")
  func challenges() {
    #expect(BearerChallenge.missing.headers[.wwwAuthenticate] == "Bearer realm=\"tenure\"")
    #expect(BearerChallenge.missing.status == .unauthorized)
    let scope = BearerChallenge.insufficientScope("users:write")
    #expect(scope.status == .forbidden)
    #expect(
      scope.headers[.wwwAuthenticate]?.hasSuffix("scope=\"users:write\"") == true)
    #expect(
      BearerChallenge.invalidToken("kid unknown").document(.oauth).body["error"] == "invalid_token")
    #expect(BearerChallenge.invalidRequest("x").status == .badRequest)
  }
}
