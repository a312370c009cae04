import Testing

@testable import TenantRuntime

@Suite("OAuth 2.1 section 2.3.1 and RFC 8252 section 7.3: redirect URIs")
struct RedirectMatchTests {
  struct Row: Sendable, CustomTestStringConvertible {
    let requested: String
    let registered: String
    let native: Bool
    let matches: Bool
    var testDescription: String { "\(requested) for \(registered), native \(native)" }

    init(_ requested: String, _ registered: String, native: Bool = false, _ matches: Bool) {
      self.requested = requested
      self.registered = registered
      self.native = native
      self.matches = matches
    }
  }

  @Test(arguments: [
    Row("https://app.example/cb", "https://app.example/cb", true),
    Row("https://app.example/cb/", "https://app.example/cb", false),
    Row("https://app.example/cb?x=1", "https://app.example/cb", false),
    Row("https://app.example/cb?x=1", "https://app.example/cb?x=1", true),
    Row("https://APP.example/cb", "https://app.example/cb", false),
    Row("https://app.example.evil.example/cb", "https://app.example/cb", false),
    Row("http://127.0.0.1:49152/cb", "http://127.0.0.1/cb", native: true, true),
    Row("http://127.0.0.1:49152/cb", "http://127.0.0.1:8000/cb", native: true, true),
    Row("http://[::1]:49152/cb", "http://[::1]/cb", native: true, true),
    Row("http://localhost:49152/cb", "http://localhost/cb", native: true, true),
    Row("http://127.0.0.1:49152/cb", "http://127.0.0.1/cb", native: false, false),
    Row("http://127.0.0.1:49152/other", "http://127.0.0.1/cb", native: true, false),
    Row("http://127.0.0.1:49152/cb?x", "http://127.0.0.1/cb", native: true, false),
    Row("http://localhost:49152/cb", "http://127.0.0.1/cb", native: true, false),
    Row("http://127.0.0.1.evil.example/cb", "http://127.0.0.1/cb", native: true, false),
    Row("http://127.0.0.1:1@evil.example/cb", "http://127.0.0.1/cb", native: true, false),
    Row("http://127.0.0.1:0/cb", "http://127.0.0.1/cb", native: true, false),
    Row("http://127.0.0.1:70000/cb", "http://127.0.0.1/cb", native: true, false),
    Row("http://127.0.0.1:/cb", "http://127.0.0.1/cb", native: true, false),
    Row("https://127.0.0.1:1/cb", "https://127.0.0.1/cb", native: true, false),
    Row("com.example.app:/cb", "com.example.app:/cb", native: true, true),
  ])
  func matches(_ row: Row) {
    #expect(
      RedirectMatch.matches(row.requested, registered: [row.registered], isNative: row.native)
        == row.matches)
  }
}
