import Tenancy
import Testing
import Web

@testable import TenantRuntime

@Suite("RFC 6749 section 3.3: scopes")
struct ScopePolicyTests {
  @Test(arguments: [
    ("openid email", "", true), ("openid", "openid email", true), ("email", "openid", false),
    ("admin", "", false), ("", "", false), ("openid\"", "", false), ("api:read", "api:read", true),
  ])
  func withAUser(text: String, registered: String, isAllowed: Bool) throws {
    let registered = try #require(OAuthScope(stored: registered))
    if isAllowed {
      #expect(try ScopePolicy.requested(text, registered: registered).description == text)
    } else {
      #expect(throws: OAuthError.invalidScope) {
        try ScopePolicy.requested(text, registered: registered)
      }
    }
  }

  @Test("A client for itself gets what it registered, without what needs a user")
  func alone() throws {
    let registered = try #require(OAuthScope("openid api:read api:write offline_access"))
    #expect(try ScopePolicy.own(nil, registered: registered).description == "api:read api:write")
    #expect(try ScopePolicy.own("api:read", registered: registered).description == "api:read")
    #expect(throws: OAuthError.invalidScope) {
      try ScopePolicy.own("openid", registered: registered)
    }
    #expect(throws: OAuthError.invalidScope) {
      try ScopePolicy.own("other", registered: registered)
    }
    #expect(try ScopePolicy.own(nil, registered: .none).isEmpty)
  }
}
