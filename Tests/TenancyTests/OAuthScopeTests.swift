import Tenancy
import Testing

@Suite("RFC 6749 section 3.3: scope")
struct OAuthScopeTests {
  @Test(arguments: [
    ("openid", ["openid"]), ("openid profile", ["openid", "profile"]), ("a a b", ["a", "b"]),
    ("users:read !#[]~", ["users:read", "!#[]~"]),
  ])
  func parses(_ text: String, _ tokens: [String]) {
    #expect(OAuthScope(text)?.tokens == tokens)
  }

  @Test(arguments: [
    "", " ", "a  b", " a", "a ", "a\tb", "a\nb", "qu\"ote", "back\\slash", "ü", "a\u{7f}",
    String(repeating: "x", count: 4097),
  ])
  func refuses(_ text: String) {
    #expect(OAuthScope(text) == nil)
  }

  @Test func refusesTooMany() {
    #expect(OAuthScope((0..<101).map { "s\($0)" }.joined(separator: " ")) == nil)
    #expect(OAuthScope((0..<100).map { "s\($0)" }.joined(separator: " ")) != nil)
  }

  @Test func isASet() throws {
    let (left, right) = (try #require(OAuthScope("a b c")), try #require(OAuthScope("c b a")))
    #expect(left == right)
    #expect(Set([left, right]).count == 1)
    #expect(left.description == "a b c")
    #expect(left != OAuthScope("a b"))
    #expect(try #require(OAuthScope("b")).isSubset(of: left))
    #expect(!left.isSubset(of: try #require(OAuthScope("b"))))
    #expect(left.intersection(try #require(OAuthScope("c x"))).description == "c")
    #expect(left.union(try #require(OAuthScope("x a"))).description == "a b c x")
    #expect(left.subtracting(try #require(OAuthScope("b"))).description == "a c")
    #expect(OAuthScope(stored: "") == OAuthScope.none)
    #expect(OAuthScope.none.isSubset(of: left))
  }
}
