import Testing

@testable import TenantRuntime

@Suite("Our policy: the continue value of a page leads to this issuer only")
struct ContinuationTests {
  @Test(arguments: [
    "/t/acme/oauth2/authorize?client_id=web&state=%2F%2Fevil", "/t/acme/privacy",
    "/t/acme/privacy/erasure",
  ])
  func accepts(_ text: String) throws {
    let continuation = try #require(Continuation(text, issuerPath: "/t/acme"))
    #expect(continuation.path(issuerPath: "/t/acme") == text)
  }

  @Test(arguments: [
    "", "/", "//evil.example", "https://evil.example/t/acme/privacy", "/t/acme", "/t/acme/",
    "/t/acme/login", "/t/acme/privacy/", "/t/acme//privacy", "/t/other/privacy", "/t/acme/../other",
    "/t/acme/privacy#x", "/t/acme/privacy?a=b\r\nSet-Cookie: x", "/t/acme/privacy?a b",
    "/t/acme/privacy?\u{e9}", "/t/acme\\privacy", "/t/acme/privacy\u{0}",
    "/t/acme/privacy?" + String(repeating: "a", count: 20000),
  ])
  func refuses(_ text: String) {
    #expect(Continuation(text, issuerPath: "/t/acme") == nil)
  }

  @Test func issuerWithoutPath() {
    #expect(Continuation("/privacy", issuerPath: "")?.page == .privacy)
    #expect(Continuation("//evil.example/privacy", issuerPath: "") == nil)
  }
}
