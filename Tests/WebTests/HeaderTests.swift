import Cryptography
import HTTPTypes
import Hummingbird
import Platform
import Testing

@testable import Web

@Suite("Headers that carry meaning")
struct HeaderTests {
  @Test(
    "RFC 9110 section 13.1.1: If-Match",
    arguments: [
      (nil, true), ("*", true), ("\"v3\"", true), ("\"v2\", \"v3\"", true), (" \"v3\" ", true),
      ("\"v2\"", false), ("W/\"v3\"", false), ("v3", false), ("", true),
    ] as [(String?, Bool)])
  func ifMatch(_ value: String?, _ holds: Bool) {
    var headers: HTTPFields = [:]
    if let value { headers[.ifMatch] = value }
    let condition = IfMatch(request(.patch, "/", headers))
    #expect(((try? condition.require(ETag(version: 3))) != nil) == holds)
  }

  @Test("our policy: Idempotency-Key is 1 to 255 visible ASCII characters, sent once")
  func idempotencyKey() throws {
    #expect(try IdempotencyKey(request())?.text == nil)
    let good = ["a", "018f3a2c-9d7e", String(repeating: "x", count: 255), "\"quoted\""]
    for text in good {
      #expect(try IdempotencyKey(request(.post, "/", [.idempotencyKey: text]))?.text == text)
    }
    for text in ["", "a b", "ü", String(repeating: "x", count: 256), "a\tb"] {
      #expect(throws: Problem.self) {
        try IdempotencyKey(request(.post, "/", [.idempotencyKey: text]))
      }
    }
    var twice: HTTPFields = [.idempotencyKey: "a"]
    twice.append(HTTPField(name: .idempotencyKey, value: "b"))
    #expect(throws: Problem.self) { try IdempotencyKey(request(.post, "/", twice)) }
  }

  @Test("RFC 6750 section 2.1: the Authorization header")
  func bearer() throws {
    func token(_ value: String) throws -> String? {
      try ([.authorization: value] as HTTPFields).bearerToken()?.reveal()
    }
    #expect(try HTTPFields().bearerToken()?.reveal() == nil)
    #expect(try token("Basic eA==") == nil)
    #expect(try token("Bearer abc.def") == "abc.def")
    #expect(try token("bearer abc") == "abc")
    // A combining mark makes no other character of the blank before it.
    #expect(try token("Bearer \u{301}a") == "\u{301}a")
    for value in [
      "Bearer", "Bearer ", "Bearer  a", "Bearer a b", "Bearer a \u{301}b",
      "Bearer " + String(repeating: "x", count: 20_000),
    ] {
      #expect(throws: BearerChallenge.self) { try token(value) }
    }
    var twice: HTTPFields = [.authorization: "Bearer a"]
    twice.append(HTTPField(name: .authorization, value: "Bearer b"))
    #expect(throws: BearerChallenge.self) { try twice.bearerToken() }
  }

  @Test("cursors survive the trip and refuse what is not ours")
  func cursor() throws {
    let cursor = Cursor(position: "018f3a2c-9d7e-7b1a-8c5d-6e7f80912345")
    #expect(Cursor(cursor.text) == cursor)
    for text in ["", "!", "YQ==", "Y", "gA", "AA", String(repeating: "A", count: 2000)] {
      #expect(Cursor(text) == nil)
    }
    #expect(try Paging(Query("")).limit == 50)
    #expect(try Paging(Query("limit=200")).limit == 200)
    for query in ["limit=0", "limit=201", "limit=x", "limit=-1", "limit=1&limit=2", "cursor=%21"] {
      #expect(throws: OAuthError.self) { try Paging(Query(query)) }
    }
    let paging = try Paging(Query("limit=2&cursor=\(Cursor(position: "7").text)"))
    #expect(try paging.position(Int.self) == 7)
    #expect(throws: OAuthError.self) {
      try Paging(Query("cursor=\(cursor.text)")).position(Int.self)
    }
    let page = paging.page([8, 9, 10]) { String($0) }
    #expect(Array(page.rows) == [8, 9])
    #expect(page.next == Cursor(position: "9"))
    #expect(paging.page([8, 9]) { String($0) }.next == nil)
  }

  @Test("RFC 6265bis section 4.1.3: cookie prefixes over https, plain names over http")
  func cookies() {
    let http: BaseURL = "http://localhost:8080"
    let https: BaseURL = "https://id.example.com"
    #expect(
      CookieName("s", path: "/", of: http).set("v", maxAgeSeconds: 60).field.value
        == "s=v; Path=/; Max-Age=60; HttpOnly; SameSite=Lax")
    #expect(
      CookieName("s", path: "/", of: https).set("v").field.value
        == "__Host-s=v; Path=/; HttpOnly; SameSite=Lax; Secure")
    let scoped = CookieName("s", path: "/t/acme", of: https)
    #expect(
      scoped.removal.field.value
        == "__Secure-s=; Path=/t/acme; Max-Age=0; HttpOnly; SameSite=Lax; Secure")
    #expect(request(.get, "/", [.cookie: "a=1; __Secure-s=x=y; b=2"]).cookie(scoped) == "x=y")
    #expect(request(.get, "/", [.cookie: "s=1; x__Secure-s=2; __Secure-s="]).cookie(scoped) == nil)
    #expect(request(.get, "/", [.cookie: "__Secure-s; a=\u{301};\u{301}; "]).cookie(scoped) == nil)
    for (count, isRead) in [(4096, true), (4097, false)] {
      let value = String(repeating: "v", count: count)
      let found = request(.get, "/", [.cookie: "__Secure-s=\(value)"]).cookie(scoped)
      #expect(found == (isRead ? value : nil))
    }
  }

  @Test("a field sent more than once is read as one list (RFC 9110 section 5.3)")
  func joinedFields() {
    var fields: HTTPFields = [:]
    #expect(fields[text: .contentType] == nil)
    fields.append(HTTPField(name: .contentType, value: "a"))
    #expect(fields[text: .contentType] == "a")
    fields.append(HTTPField(name: .contentType, value: "b"))
    #expect(fields[text: .contentType] == "a, b")
  }

  @Test("draft-ietf-httpapi-ratelimit-headers sections 3 and 4: each limit with what is left of it")
  func rateLimits() throws {
    let minute = try #require(Rate(120, per: .minute, burst: 60))
    let second = try #require(Rate(100, per: .second, burst: 500))
    let states = [
      LimitState(policy: .signIn, rate: minute, remaining: 59, resetSeconds: 1),
      LimitState(policy: .address, rate: second, remaining: 0, resetSeconds: 7),
    ]
    #expect(RateLimitFields.policies(states) == #""sign-in";q=60;w=30, "address";q=500;w=5"#)
    #expect(RateLimitFields.limits(states) == #""sign-in";r=59;t=1, "address";r=0;t=7"#)
  }
}

@Suite("Our policy: forms come from our own pages")
struct FormGuardTests {
  let base: BaseURL = "http://localhost:8080"
  var forms: FormGuard {
    FormGuard(key: HMACKey([UInt8](repeating: 7, count: 32)), server: base, random: .system)
  }

  /// A post as a browser makes it from the page that showed the ticket.
  func post(_ ticket: FormTicket, _ headers: HTTPFields = [:]) throws -> (Request, Form) {
    let pair = try #require(ticket.cookie).field.value.prefix { $0 != ";" }
    var headers = headers
    headers[.cookie] = String(pair)
    return (request(.post, "/", headers), try Form(Array("csrf=\(ticket.value)".utf8)))
  }

  @Test("a form of ours passes, and the cookie is kept for the next page")
  func passes() throws {
    let ticket = forms.ticket(for: request(.get), binding: "session")
    let (request, form) = try post(ticket)
    try forms.verify(request, form, binding: "session")
    let next = forms.ticket(for: request, binding: "session")
    #expect(next.cookie == nil)
    #expect(next.value == ticket.value)
  }

  @Test("no cookie, another session, another key, a planted cookie, no field")
  func refuses() throws {
    let ticket = forms.ticket(for: request(.get), binding: "session")
    let (request, form) = try post(ticket)
    #expect(throws: Problem.self) { try forms.verify(request, form, binding: "other") }
    #expect(throws: Problem.self) { try forms.verify(request, Form([]), binding: "session") }
    #expect(throws: Problem.self) {
      try forms.verify(WebTests.request(), form, binding: "session")
    }
    let foreign = FormGuard(
      key: HMACKey([UInt8](repeating: 8, count: 32)), server: base, random: .system)
    #expect(throws: Problem.self) { try foreign.verify(request, form, binding: "session") }
    let planted = WebTests.request(.post, "/", [.cookie: "tenure_form=\(ticket.value)"])
    #expect(throws: Problem.self) { try forms.verify(planted, form, binding: "session") }
    let twice = try Form(Array("csrf=\(ticket.value)&csrf=\(ticket.value)".utf8))
    #expect(throws: Problem.self) { try forms.verify(request, twice, binding: "session") }
  }

  @Test(
    "Fetch Metadata, and Origin for browsers without it",
    arguments: [
      (nil, nil, true), ("same-origin", nil, true), ("same-origin", "null", true),
      (nil, "http://localhost:8080", true), ("cross-site", nil, false), ("same-site", nil, false),
      ("none", nil, false), ("cross-site", "http://localhost:8080", false), (nil, "null", false),
      (nil, "http://localhost:8081", false), (nil, "https://localhost:8080", false),
      (nil, "http://localhost:8080.evil.example", false),
    ] as [(String?, String?, Bool)])
  func origin(_ site: String?, _ origin: String?, _ passes: Bool) throws {
    var headers: HTTPFields = [:]
    if let site { headers[.fetchSite] = site }
    if let origin { headers[.origin] = origin }
    let (request, form) = try post(
      forms.ticket(for: WebTests.request(.get), binding: ""), headers)
    let refused = (try? forms.verify(request, form, binding: "")) == nil
    #expect(refused != passes)
  }
}
