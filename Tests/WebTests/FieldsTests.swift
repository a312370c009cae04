import Hummingbird
import Platform
import Testing

@testable import Web

@Suite("JSON bodies")
struct FieldsTests {
  @Test(arguments: [
    "", "{", "[1,]", "{\"a\":1,\"a\":2}", "{\"a\":01}", "{\"a\":\"\\ud800\"}", "{} x", "nul",
    "{\"a\":\"\\u0000\"}", "{\"a\":[{\"b\":\"x\\u0000\"}]}", "{\"\\u0000\":1}",
    String(repeating: "[", count: 40) + String(repeating: "]", count: 40),
  ])
  func refusesBrokenJSON(_ text: String) async {
    let request = request(.post, "/", [.contentType: "application/json"], body: text)
    let refusal = await refusal { try await JSONBody.read(request, limit: 1000) } as? Problem
    #expect(refusal?.status == .badRequest)
    #expect(refusal?.detail?.isEmpty == false)
  }

  @Test(arguments: ["[]", "1", "\"x\"", "null", "true"])
  func refusesWhatIsNotAnObject(_ text: String) async {
    let request = request(.post, "/", [.contentType: "application/json"], body: text)
    let refusal = await refusal { try await Fields(request, limit: 1000) }
    #expect(refusal?.status == .badRequest)
  }

  @Test("media type and size")
  func headers() async throws {
    let form = request(.post, "/", [.contentType: "application/x-www-form-urlencoded"], body: "{}")
    #expect(
      await refusal { try await JSONBody.read(form, limit: 10) }?.status == .unsupportedMediaType)
    let none = request(.post, "/", [:], body: "{}")
    #expect(
      await refusal { try await JSONBody.read(none, limit: 10) }?.status == .unsupportedMediaType)
    let type: HTTPFields = [.contentType: "application/merge-patch+json; charset=utf-8"]
    let long = request(.post, "/", type, body: "{\"a\":\"0123456789\"}")
    #expect(await refusal { try await JSONBody.read(long, limit: 10) }?.status == .contentTooLarge)
    #expect(try await JSONBody.read(long, limit: 100) == ["a": "0123456789"])
  }

  enum Kind: String, CaseIterable { case export, erasure }

  struct Bad: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let json: JSON
    let errors: [FieldError]
    init(_ name: String, _ json: JSON, _ errors: [FieldError]) {
      (testDescription, self.json, self.errors) = (name, json, errors)
    }
  }

  static let bad = [
    Bad(
      "nothing at all", [:],
      [
        FieldError("name", "is required."), FieldError("kind", "is required."),
        FieldError("count", "is required."),
      ]),
    Bad(
      "nulls", ["name": .null, "kind": .null, "count": .null],
      [
        FieldError("name", "is required."), FieldError("kind", "is required."),
        FieldError("count", "is required."),
      ]),
    Bad(
      "wrong types",
      ["name": 1, "kind": true, "count": "3", "flag": "true", "tags": "x", "address": []],
      [
        FieldError("name", "must be a string."), FieldError("kind", "must be a string."),
        FieldError("count", "must be a whole number from 1 to 10."),
        FieldError("flag", "must be true or false."),
        FieldError("tags", "must be a list of strings."),
        FieldError("address", "must be an object."),
      ]),
    Bad(
      "lengths and ranges",
      ["name": "abcdef", "kind": "gone", "count": 11, "tags": ["a", "b", "c"]],
      [
        FieldError("name", "must have 2 to 5 characters."),
        FieldError("kind", "must be one of: export, erasure."),
        FieldError("count", "must be a whole number from 1 to 10."),
        FieldError("tags", "must have at most 2 items."),
      ]),
    Bad(
      "inside lists and objects, and unknown members",
      [
        "name": "abc", "kind": "export", "count": 1.5, "tags": ["a", 2],
        "address": ["city": 7, "planet": "x"], "extra": 1,
      ],
      [
        FieldError("count", "must be a whole number from 1 to 10."),
        FieldError("tags[1]", "must be a string."),
        FieldError("address.city", "must be a string."),
        FieldError("address.planet", "is not known."),
        FieldError("extra", "is not known."),
      ]),
  ]

  @Test(arguments: bad)
  func collects(_ row: Bad) throws {
    var fields = try Fields(row.json)
    _ = fields.string("name", length: 2...5)
    _ = fields.value("kind", length: 0...20, "must be one of: export, erasure.") {
      Kind(rawValue: $0)
    }
    _ = fields.integer("count", in: 1...10)
    _ = fields.optionalBool("flag")
    _ = fields.strings("tags", count: 0...2, length: 1...5)
    _ = fields.object("address") { $0.optionalString("city", length: 1...50) }
    #expect(throws: Problem.validation(row.errors)) { try fields.finish() }
  }

  @Test("what is right comes through")
  func reads() throws {
    var fields = try Fields([
      "name": "Ä😀", "kind": "erasure", "flag": false, "tags": ["x"], "nick": .null,
      "address": ["city": "Bern"], "email": "a@b.c", "phone": "1",
    ])
    #expect(fields.string("name", length: 2...2) == "Ä😀")
    #expect(fields.choice("kind", Kind.self) == .erasure)
    #expect(fields.optionalBool("flag") == false)
    #expect(fields.strings("tags", count: 1...1, length: 1...1) == ["x"])
    #expect(fields.object("address") { $0.optionalString("city", length: 1...50) } == "Bern")
    guard case .removed = fields.change("nick", length: 1...5) else {
      Issue.record("null removes")
      return
    }
    guard case .unchanged = fields.change("name2", length: 1...5) else {
      Issue.record("absent leaves alone")
      return
    }
    #expect(fields.takeRest() == ["email": "a@b.c", "phone": "1"])
    try fields.finish()
  }
}
