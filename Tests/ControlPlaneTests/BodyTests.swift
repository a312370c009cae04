import Compliance
import HTTPTypes
import Platform
import Tenancy
import Testing
import Web

@testable import ControlPlane

/// A body that is refused, and the fields that are named.
struct BadBody: Sendable, CustomTestStringConvertible {
  let why: String
  let body: JSON
  let fields: Set<String>

  init(_ why: String, _ body: JSON, _ fields: Set<String>) {
    self.why = why
    self.body = body
    self.fields = fields
  }

  var testDescription: String { why }

  func check(_ parse: (JSON) throws -> Void) {
    do {
      try parse(body)
      Issue.record("\(why): accepted")
    } catch let problem as Problem {
      #expect(problem.status == .unprocessableContent || fields.isEmpty, "\(problem)")
      #expect(Set(problem.errors.map(\.field)) == fields, "\(problem.errors)")
    } catch {
      Issue.record(error)
    }
  }
}

@Suite("Bodies of organizations")
struct OrganizationBodyTests {
  @Test(arguments: [
    BadBody("not an object", ["a"], []),
    BadBody("empty", [:], ["slug", "name"]),
    BadBody("wrong types", ["slug": 1, "name": [:], "settings": 3], ["slug", "name", "settings"]),
    BadBody("nulls", ["slug": .null, "name": .null], ["slug", "name"]),
    BadBody("bad slug", ["slug": "A_B", "name": "x"], ["slug"]),
    BadBody("reserved slug", ["slug": "admin", "name": "x"], ["slug"]),
    BadBody(
      "long name", ["slug": "abc", "name": .string(String(repeating: "x", count: 201))], ["name"]),
    BadBody("unknown member", ["slug": "abc", "name": "x", "plan": "gold"], ["plan"]),
    BadBody(
      "unknown and wrong settings",
      ["slug": "abc", "name": "x", "settings": ["colour": 1, "access_token_lifetime_seconds": 0]],
      ["settings.colour", "settings.access_token_lifetime_seconds"]),
    BadBody(
      "all at once", ["slug": "-", "settings": ["language": 1], "x": 1],
      ["slug", "name", "settings.language", "x"]),
  ])
  func refuses(_ bad: BadBody) {
    bad.check { _ = try OrganizationDraft($0) }
  }

  @Test(arguments: [
    BadBody("slug", ["slug": "other"], ["slug"]),
    BadBody("empty name", ["name": ""], ["name"]),
    BadBody("null name", ["name": .null], ["name"]),
    BadBody("unknown", ["status": "active"], ["status"]),
  ])
  func refusesPatch(_ bad: BadBody) {
    bad.check { _ = try OrganizationPatch($0) }
  }

  @Test("A patch merges settings, and null is the default")
  func settings() throws {
    let patch = try OrganizationPatch(
      ["settings": ["language": "de", "record_ip_address": .null]])
    let before: JSON = ["record_ip_address": false, "access_token_lifetime_seconds": 600]
    let settings = try patch.settings(over: before)
    #expect(settings.language == "de")
    #expect(settings.recordsIPAddress == TenantSettings().recordsIPAddress)
    #expect(settings.accessTokenLifetimeSeconds == 600)
  }
}

@Suite("Bodies of users (OpenID Connect Core section 5.1)")
struct UserBodyTests {
  @Test(arguments: [
    BadBody("empty", [:], ["username"]),
    BadBody("not an e-mail", ["email": "nobody"], ["email"]),
    BadBody("short password", ["username": "a", "password": "1234567"], ["password"]),
    BadBody(
      "long password", ["username": "a", "password": .string(String(repeating: "x", count: 2000))],
      ["password"]),
    BadBody("password of another type", ["username": "a", "password": 12_345_678], ["password"]),
    BadBody("unknown claim", ["username": "a", "shoe_size": 43], ["shoe_size"]),
    BadBody("id", ["username": "a", "id": "x"], ["id"]),
    BadBody(
      "everything", ["email": 1, "birthdate": "31.12.1990", "password": "x", "address": "here"],
      ["email", "birthdate", "password", "address"]),
  ])
  func refuses(_ bad: BadBody) {
    bad.check { _ = try UserDraft($0) }
  }

  @Test("A refused password is never repeated")
  func secrecy() {
    #expect {
      _ = try UserDraft(["username": "a", "password": "geheim"])
    } throws: { error in
      !String(reflecting: error).contains("geheim")
    }
  }

  @Test(arguments: [
    BadBody("erasing", ["status": "erasing"], ["status"]),
    BadBody("short password", ["password": "x"], ["password"]),
  ])
  func refusesPatch(_ bad: BadBody) {
    bad.check { _ = try UserPatch($0) }
  }

  @Test("Claims merge, null removes, unknown ones are refused")
  func merges() throws {
    let before = try Claims(validating: ["username": "a", "nickname": "b", "email": "a@b.example"])
    let after = try UserPatch(["nickname": .null, "name": "C"]).applied(to: before)
    #expect(after.members == ["username": "a", "name": "C", "email": "a@b.example"])
    #expect(throws: Problem.self) { try UserPatch(["shoe_size": 43]).applied(to: before) }
  }
}

@Suite("Bodies of privacy requests, purposes and rules")
struct PrivacyBodyTests {
  @Test(arguments: [
    BadBody("empty", [:], ["kind", "subject"]),
    BadBody("unknown kind", ["kind": "rectification", "subject": ["email": "a@b.c"]], ["kind"]),
    BadBody("nobody", ["kind": "export", "subject": [:]], ["subject.id"]),
    BadBody(
      "two names", ["kind": "export", "subject": ["email": "a@b.c", "username": "a"]],
      ["subject.id"]),
    BadBody("not an id", ["kind": "export", "subject": ["id": "7"]], ["subject.id"]),
    BadBody("not an object", ["kind": "export", "subject": "a@b.c"], ["subject"]),
    BadBody(
      "unknown member", ["kind": "export", "subject": ["email": "a@b.c", "phone": "1"]],
      ["subject.phone"]),
  ])
  func refusesRequest(_ bad: BadBody) {
    bad.check { _ = try RequestBody($0) }
  }

  @Test(arguments: [
    BadBody("empty", [:], ["id", "name", "description"]),
    BadBody("built in", ["id": "application", "name": "x", "description": "x"], ["id"]),
    BadBody("bad id", ["id": "News Letter", "name": "x", "description": "x"], ["id"]),
    BadBody(
      "two forms of the text",
      ["id": "x", "name": "x", "description": "x", "notice": "a", "notices": ["en": "a"]],
      ["notices"]),
    BadBody(
      "bad language", ["id": "x", "name": "x", "description": "x", "notices": ["e n": "a"]],
      ["notices.e n"]),
    BadBody(
      "empty text", ["id": "x", "name": "x", "description": "x", "notices": ["en": ""]],
      ["notices.en"]),
  ])
  func refusesPurpose(_ bad: BadBody) {
    bad.check { _ = try PurposeDefinition($0, language: "en") }
  }

  @Test("A single text is in the organization's language")
  func purposeText() throws {
    let body: JSON = ["id": "news", "name": "News", "description": "Mail", "notice": "Ja?"]
    #expect(try PurposeDefinition(body, language: "de").notices == ["de": "Ja?"])
  }

  @Test(arguments: [
    BadBody("negative", ["keep_days": -1], ["keep_days"]),
    BadBody("too long", ["keep_days": 36_501], ["keep_days"]),
    BadBody("wrong types", ["enabled": "yes", "keep_days": "30"], ["enabled", "keep_days"]),
    BadBody("unknown", ["keep": 1], ["keep"]),
  ])
  func refusesRule(_ bad: BadBody) {
    bad.check { _ = try RuleChange($0) }
  }

  @Test(arguments: [
    BadBody("nothing", [:], ["rules"]),
    BadBody("not objects", ["rules": [1]], ["rules[0]"]),
    BadBody(
      "unknown rule and bad days", ["rules": [["rule": "x"], ["rule": "known", "keep_days": -1]]],
      ["rules[0].rule", "rules[1].keep_days"]),
  ])
  func refusesRules(_ bad: BadBody) {
    bad.check { _ = try RuleChanges($0, known: ["known"]) }
  }
}
