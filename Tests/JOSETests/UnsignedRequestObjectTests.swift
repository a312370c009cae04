import JOSE
import Platform
import Testing

@Suite("OpenID Connect Core section 6.1: request objects that nobody signed")
struct UnsignedRequestObjectTests {
  static let parameters = #"{"iss":"client","response_type":"code"}"#

  static func unsigned(_ header: String = #"{"alg":"none"}"#, _ payload: String = parameters)
    -> String
  {
    compact(header, payload, [])
  }

  @Test("read, for a client that registered for it")
  func read() throws {
    for header in [
      #"{"alg":"none"}"#, #"{"alg":"none","typ":"JWT","kid":"1"}"#,
      #"{"alg":"none","typ":"oauth-authz-req+jwt"}"#,
    ] {
      let object = try UnsignedRequestObject(Self.unsigned(header), registeredAlgorithm: "none")
      #expect(object.parameters["iss"] == "client")
    }
  }

  @Test("refused for every other client", arguments: [nil, "", "RS256", "NONE", "none "])
  func notRegistered(_ algorithm: String?) {
    #expect(throws: JOSEError.algorithmNotAllowed) {
      try UnsignedRequestObject(Self.unsigned(), registeredAlgorithm: algorithm)
    }
  }

  struct Refusal: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let compact: String
    let error: JOSEError?

    init(_ description: String, _ compact: String, _ error: JOSEError?) {
      (testDescription, self.compact, self.error) = (description, compact, error)
    }
  }

  @Test(
    "what is not exactly unsigned is refused",
    arguments: [
      Refusal("a signature", compact(#"{"alg":"none"}"#, parameters, [1]), .algorithmNotAllowed),
      Refusal("another algorithm", unsigned(#"{"alg":"HS256"}"#), .algorithmNotAllowed),
      Refusal("upper case", unsigned(#"{"alg":"None"}"#), .algorithmNotAllowed),
      Refusal("no algorithm", unsigned("{}"), .algorithmNotAllowed),
      Refusal("a list", unsigned(#"{"alg":["none"]}"#), .algorithmNotAllowed),
      Refusal("twice", unsigned(#"{"alg":"none","alg":"none"}"#), nil),
      Refusal("crit", unsigned(#"{"alg":"none","crit":["exp"]}"#), .criticalExtension),
      Refusal("b64", unsigned(#"{"alg":"none","b64":false}"#), .criticalExtension),
      Refusal("an access token", unsigned(#"{"alg":"none","typ":"at+jwt"}"#), .wrongType),
      Refusal("typ is a number", unsigned(#"{"alg":"none","typ":1}"#), .wrongType),
      Refusal("two parts", "e30.e30", .malformed("three parts")),
      Refusal("four parts", unsigned() + ".", .malformed("three parts")),
      Refusal("no base64url", "e30=.e30.", .malformed("base64url")),
      Refusal("no object", unsigned(#"{"alg":"none"}"#, "[]"), .malformed("claims are an object")),
      Refusal("a parameter twice", unsigned(#"{"alg":"none"}"#, #"{"a":1,"a":2}"#), nil),
      Refusal(
        "too large", unsigned(#"{"alg":"none"}"#, String(repeating: " ", count: 17_000)), .tooLarge),
    ])
  func refused(_ refusal: Refusal) {
    do throws(JOSEError) {
      _ = try UnsignedRequestObject(refusal.compact, registeredAlgorithm: "none")
      Issue.record("was accepted")
    } catch {
      if let expected = refusal.error { #expect(error == expected) }
    }
  }

  @Test("the same text is no signature anywhere else")
  func elsewhere() {
    #expect(throws: JOSEError.algorithmNotAllowed) { try UnverifiedJWS(Self.unsigned()) }
    #expect(throws: JOSEError.algorithmNotAllowed) {
      try JWS.verify(Self.unsigned(), allowing: allAlgorithms) { _ in nil }
    }
  }
}
