import Platform
import Tenancy
import Testing

@Suite("OpenID Connect Core 5.1: claims of a user")
struct ClaimsTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let input: JSONObject
    /// The fields that are refused; empty if the input is fine.
    let refused: [String]

    init(_ name: String, _ input: JSONObject, refuses refused: String...) {
      (self.name, self.input, self.refused) = (name, input, refused)
    }

    var testDescription: String { name }
  }

  @Test(arguments: [
    Case("nothing", [:]),
    Case("all of them", Self.everything),
    Case("null is absent", ["name": .null, "address": .null]),
    Case("a wrong type", ["name": 1], refuses: "name"),
    Case("an empty text", ["name": ""], refuses: "name"),
    Case(
      "a text that is too long", ["name": .string(String(repeating: "x", count: 257))],
      refuses: "name"),
    Case("a control character", ["nickname": "a\u{7}b"], refuses: "nickname"),
    Case("an unknown claim", ["favourite_colour": "red"], refuses: "favourite_colour"),
    Case("sub is not for setting", ["sub": "x"], refuses: "sub"),
    Case(
      "a flag as text", ["email": "a@b.example", "email_verified": "true"],
      refuses: "email_verified"),
    Case("verified without an address", ["email_verified": true], refuses: "email_verified"),
    Case(
      "verified without a number", ["phone_number_verified": true], refuses: "phone_number_verified"
    ),
    Case("several at once", ["name": 1, "email": "x", "x": 1], refuses: "name", "email", "x"),
  ])
  func validates(_ test: Case) {
    #expect(refusals(test.input) == test.refused)
  }

  @Test(arguments: [
    "a@example.com", "a.b+c@sub.example.com", "ünïcode@exämple.com", "o'brien@example.com",
    "a@localhost",
  ])
  func acceptsEmail(_ text: String) {
    #expect(refusals(["email": .string(text)]) == [])
  }

  @Test(arguments: [
    "example.com", "@example.com", "a@", "a b@example.com", "a@b@example.com", "a@.example.com",
    "a@example.com.", "a@exa..mple.com", "a@example.com\n",
  ])
  func refusesEmail(_ text: String) {
    #expect(refusals(["email": .string(text)]) == ["email"])
  }

  @Test(
    "Birthdates: a date, a year, or a date without its year",
    arguments: [
      ("1990-12-31", true), ("0000-02-29", true), ("1984", true), ("2000-02-29", true),
      ("1900-02-29", false), ("1990-13-01", false), ("1990-00-10", false), ("1990-04-31", false),
      ("1990-1-1", false), ("90", false), ("1990/12/31", false), ("tomorrow", false),
    ])
  func birthdates(_ text: String, _ isValid: Bool) {
    #expect(refusals(["birthdate": .string(text)]).isEmpty == isValid)
  }

  @Test(arguments: [
    ("https://example.com/me", true), ("http://example.com", true), ("ftp://example.com", false),
    ("javascript:alert(1)", false), ("/relative", false), ("https://", false),
    ("https://example.com/ü", false),
  ])
  func webAddresses(_ text: String, _ isValid: Bool) {
    #expect(refusals(["website": .string(text)]).isEmpty == isValid)
  }

  @Test func refusesPartsOfAnAddressByTheirName() {
    #expect(refusals(["address": "here"]) == ["address"])
    #expect(
      refusals(["address": ["country": 1, "planet": "Earth", "locality": "a\nb"]])
        == ["address.locality", "address.country", "address.planet"])
    #expect(refusals(["address": ["street_address": "Main Street 1\nBack yard"]]) == [])
  }

  @Test func messagesNeverRepeatTheValue() {
    let secret = "very-personal"
    do {
      _ = try Claims(validating: ["email": .string(secret), "birthdate": .string("1-\(secret)")])
      Issue.record("must be refused")
    } catch {
      #expect(error.errors.count == 2)
      #expect(!error.errors.contains { $0.message.contains(secret) })
    }
  }

  @Test(arguments: [
    ("openid", []),
    ("openid email", ["email", "email_verified"]),
    ("phone", ["phone_number", "phone_number_verified"]),
    ("address", ["address"]),
    (
      "profile",
      [
        "name", "given_name", "family_name", "middle_name", "nickname", "preferred_username",
        "profile", "picture", "website", "gender", "birthdate", "zoneinfo", "locale",
      ]
    ),
  ])
  func releases(_ scope: String, _ names: [String]) throws {
    let claims = try Claims(validating: Self.everything)
    let released = claims.released(for: try #require(OAuthScope(scope)))
    #expect(released.names == names)
  }

  @Test func theUserNameStandsInForThePreferredOne() throws {
    let claims = try Claims(validating: ["username": "alice"])
    #expect(
      claims.released(for: try #require(OAuthScope("profile"))) == ["preferred_username": "alice"])
  }

  @Test func keepsTheOrderOfTheSpecification() throws {
    let claims = try Claims(validating: ["email": "a@example.com", "name": "A", "username": "a"])
    #expect(claims.members.names == ["username", "name", "email"])
  }

  @Test("RFC 7396: a patch replaces, removes, and merges the address")
  func patches() throws {
    let claims = try Claims(validating: [
      "name": "A", "nickname": "a", "email": "a@example.com", "email_verified": true,
      "address": ["locality": "Bonn", "country": "DE"],
    ])
    let patched = try claims.applying([
      "name": "B", "nickname": .null, "address": ["country": .null, "region": "NRW"],
    ])
    #expect(
      patched.members == [
        "name": "B", "email": "a@example.com", "email_verified": true,
        "address": ["locality": "Bonn", "region": "NRW"],
      ])
    #expect(patched.differences(from: claims) == ["name", "nickname", "address"])
  }

  @Test func aChangedAddressIsNotVerifiedAnyMore() throws {
    let claims = try Claims(validating: ["email": "a@example.com", "email_verified": true])
    #expect(try claims.applying(["email": "b@example.com"]).members == ["email": "b@example.com"])
    #expect(try claims.applying(["email": "b@example.com", "email_verified": true]).emailVerified)
    #expect(try claims.applying(["email": .null]).members == [:])
  }

  private func refusals(_ input: JSONObject) -> [String] {
    do {
      _ = try Claims(validating: input)
      return []
    } catch {
      return error.errors.map(\.field)
    }
  }

  static let everything: JSONObject = [
    "username": "alice", "name": "Alice Example", "given_name": "Alice", "family_name": "Example",
    "middle_name": "M.", "nickname": "Al", "preferred_username": "alice.e",
    "profile": "https://example.com/alice", "picture": "https://example.com/alice.png",
    "website": "https://alice.example", "email": "alice@example.com", "email_verified": true,
    "gender": "female", "birthdate": "1990-12-31", "zoneinfo": "Europe/Berlin", "locale": "de-DE",
    "phone_number": "+49 30 1234567", "phone_number_verified": false,
    "address": [
      "formatted": "Hauptstraße 1\n10115 Berlin", "street_address": "Hauptstraße 1",
      "locality": "Berlin", "region": "BE", "postal_code": "10115", "country": "DE",
    ],
  ]
}
