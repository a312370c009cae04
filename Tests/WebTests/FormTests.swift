import Hummingbird
import Testing

@testable import Web

@Suite("RFC 6749 section 3.1, WHATWG URL section 5.1: forms and queries")
struct FormTests {
  struct Bad: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let text: String
    let sentence: String
    init(_ name: String, _ text: String, _ sentence: String) {
      (testDescription, self.text, self.sentence) = (name, text, sentence)
    }
  }

  static let bad = [
    Bad("escape cut off after %", "a=1&b=%", "A parameter has a broken percent escape."),
    Bad("escape cut off after one digit", "b=%4", "A parameter has a broken percent escape."),
    Bad("escape without digits", "b=%zz", "A parameter has a broken percent escape."),
    Bad("escape with a sign", "b=%+1", "A parameter has a broken percent escape."),
    Bad("escape in the name", "%g0=1", "A parameter has a broken percent escape."),
    Bad("NUL, escaped", "b=a%00", "A parameter has a broken percent escape."),
    Bad("NUL, raw", "b=a\0", "A parameter contains a NUL character."),
    Bad("invalid UTF-8", "b=%ff", "A parameter is not valid UTF-8."),
    Bad("overlong UTF-8", "b=%c0%af", "A parameter is not valid UTF-8."),
    Bad("a surrogate in UTF-8", "b=%ed%a0%80", "A parameter is not valid UTF-8."),
    Bad("UTF-8 cut off", "b=%e2%82", "A parameter is not valid UTF-8."),
    Bad("no name", "=1", "A parameter has no name."),
    Bad(
      "too many pairs", Array(repeating: "a=1", count: 201).joined(separator: "&"),
      "There are too many parameters."),
  ]

  @Test(arguments: bad)
  func refuses(_ row: Bad) throws {
    let expected = OAuthError(.invalidRequest, row.sentence)
    #expect(throws: expected) { try Form(Array(row.text.utf8)) }
    #expect(throws: expected) { try Query(row.text) }
  }

  @Test("bytes that are not UTF-8, as a body can have them, and as many pairs as may be")
  func rawBytes() throws {
    for bytes in [Array("a=".utf8) + [0xff], [0xff] + Array("=a".utf8)] {
      #expect(throws: OAuthError(.invalidRequest, "A parameter is not valid UTF-8.")) {
        try Form(bytes)
      }
    }
    let many = "&&" + Array(repeating: "a=1", count: 200).joined(separator: "&&") + "&"
    #expect(try Form(Array(many.utf8)).all("a").count == 200)
    #expect(try Form(Array("&&".utf8)).names.isEmpty)
  }

  @Test("keys are flat, plus is a space in both halves, empty is absent")
  func reads() throws {
    let form = try Form(Array("a[b]=1&c+d=e+f%2B&empty=&bare&u=%C3%A9%F0%9F%98%80&&x=a=b".utf8))
    #expect(try form.required("a[b]") == "1")
    #expect(try form.required("c d") == "e f+")
    #expect(try form.optional("empty") == nil)
    #expect(try form.optional("bare") == nil)
    #expect(try form.optional("absent") == nil)
    #expect(try form.required("u") == "é😀")
    #expect(try form.required("x") == "a=b")
    #expect(form.names == ["a[b]", "bare", "c d", "empty", "u", "x"])
  }

  @Test("a repeated parameter is refused where it is read, and allowed where a list is meant")
  func repeats() throws {
    let form = try Form(Array("scope=a&scope=b&purpose=x&purpose=y&once=&once=".utf8))
    #expect(throws: OAuthError(.invalidRequest, "scope was sent more than once.")) {
      try form.required("scope")
    }
    #expect(throws: OAuthError(.invalidRequest, "once was sent more than once.")) {
      try form.optional("once")
    }
    #expect(form.all("purpose") == ["x", "y"])
  }

  @Test("missing, too long, not a number, not a flag")
  func accessors() throws {
    let query = try Query(
      "n=12&big=999&word=x&long=abcdef&yes=true&no=false&maybe=1&neg=-1&ar=%D9%A1")
    #expect(throws: OAuthError(.invalidRequest, "gone is required.")) { try query.required("gone") }
    #expect(throws: OAuthError(.invalidRequest, "long is too long.")) {
      try query.optional("long", max: 5)
    }
    #expect(try query.integer("n", in: 1...100) == 12)
    #expect(try query.integer("gone", in: 1...100) == nil)
    for name in ["big", "word", "neg", "ar"] {
      #expect(throws: OAuthError.self) { try query.integer(name, in: 1...100) }
    }
    #expect(try query.flag("yes") == true)
    #expect(try query.flag("no") == false)
    #expect(try query.flag("gone") == false)
    #expect(throws: OAuthError.self) { try query.flag("maybe") }
    for text in ["dry_run", "dry_run=", "dry_run=true&dry_run=true", "dry_run=TRUE", "dry_run=1"] {
      let sloppy = try Query(text)
      #expect(throws: OAuthError.self, "\(text)") { try sloppy.flag("dry_run") }
    }
  }

  @Test(arguments: [
    "application/json", "application/x-www-form-urlencodedx", "multipart/form-data; boundary=x", "",
  ])
  func refusesMediaType(_ type: String) async throws {
    let request = request(headers: [.contentType: type], body: "a=1")
    await #expect(throws: OAuthError.self) { try await Form(request, limit: 100) }
  }

  @Test("the media type may have parameters and any case")
  func acceptsMediaType() async throws {
    let request = request(
      headers: [.contentType: "Application/X-WWW-Form-URLEncoded ; charset=UTF-8"], body: "a=1")
    #expect(try await Form(request, limit: 100).required("a") == "1")
  }

  @Test("a body over the limit is 413, by its length and by its content")
  func limit() async throws {
    let type: HTTPFields = [.contentType: "application/x-www-form-urlencoded"]
    let long = request(headers: type, body: "a=12345678")
    #expect(await refusal { try await Form(long, limit: 9) }?.status == .contentTooLarge)
    #expect(await refusal { try await Form(long, limit: 10) } == nil)
    var announced = type
    announced[.contentLength] = "100000"
    let request = request(headers: announced, body: "a=1")
    #expect(await refusal { try await Form(request, limit: 9) }?.status == .contentTooLarge)
  }

  private func request(headers: HTTPFields, body: String) -> Request {
    WebTests.request(.post, "/", headers, body: body)
  }
}
