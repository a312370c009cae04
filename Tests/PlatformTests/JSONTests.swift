import Platform
import Testing

@Suite("RFC 8259: JSON texts")
struct JSONTests {
  static let limits = JSONLimits(depth: 8, bytes: 4096)

  static func parse(_ text: String) throws(JSONError) -> JSON {
    try JSON.parse(Array(text.utf8), limits: limits)
  }

  @Test(
    "values mean what the grammar says",
    arguments: [
      ("null", JSON.null), ("true", true), ("false", false), (" \t\r\n1 ", 1), ("-0", 0),
      ("9223372036854775807", .integer(Int64.max)), ("-9223372036854775808", .integer(Int64.min)),
      ("9223372036854775808", .number(9_223_372_036_854_775_808)), ("1.5", 1.5),
      ("1e2", .number(100)),
      ("-1.25E-2", .number(-0.0125)), ("\"\"", ""), ("\"a\\u00e9\\n\\\"\\\\\\/\"", "aé\n\"\\/"),
      ("\"\\uD83D\\uDE00\"", "😀"), ("\"😀\"", "😀"), ("[]", []), ("{}", [:]),
      ("[1, [2, []]]", [1, [2, []]]), ("{\"a\": {\"b\": null}}", ["a": ["b": .null]]),
      ("\"\\u007F\"", "\u{7f}"), ("\"\u{7f}\"", "\u{7f}"),
    ] as [(String, JSON)])
  func accepts(_ text: String, _ value: JSON) throws {
    #expect(try Self.parse(text) == value)
  }

  @Test(
    "malformed texts are refused, with the place",
    arguments: [
      ("", .unexpectedEnd, 0), ("  ", .unexpectedEnd, 2), ("nul", .invalidLiteral, 0),
      ("True", .unexpectedByte, 0), ("nullx", .trailingData, 4), ("1 2", .trailingData, 2),
      ("\u{FEFF}1", .unexpectedByte, 0), ("'a'", .unexpectedByte, 0), ("NaN", .unexpectedByte, 0),
      ("[1,]", .unexpectedByte, 3), ("[1", .unexpectedEnd, 2), ("[1 2]", .unexpectedByte, 3),
      ("[", .unexpectedEnd, 1), ("]", .unexpectedByte, 0), ("{\"a\"}", .unexpectedByte, 4),
      ("{\"a\":1,}", .unexpectedByte, 7), ("{a:1}", .unexpectedByte, 1),
      ("{1:1}", .unexpectedByte, 1),
      ("{\"a\":1", .unexpectedEnd, 6), ("// x\n1", .unexpectedByte, 0),
      ("1\u{0b}", .trailingData, 1),
    ] as [(String, JSONError.Reason, Int)])
  func refusesStructure(_ text: String, _ reason: JSONError.Reason, _ offset: Int) {
    #expect(throws: JSONError(reason: reason, offset: offset)) { try Self.parse(text) }
  }

  @Test(
    "section 4: a member name occurs once, however it is written",
    arguments: [
      "{\"a\":1,\"a\":2}", "{\"a\":1,\"\\u0061\":2}", "{\"\":1,\"\":1}",
      "{\"x\":{\"a\":1,\"b\":2,\"a\":3}}",
      "{\"\u{e9}\":1,\"e\u{301}\":2}",
    ])
  func refusesDuplicates(_ text: String) {
    #expect(throws: JSONError.self) { try Self.parse(text) }
    #expect(Self.reason(text) == .duplicateMember)
  }

  @Test("section 4: duplicates are found in large objects too, in linear time")
  func refusesDuplicatesInLargeObjects() throws {
    let limits = JSONLimits(depth: 2, bytes: 1 << 24)
    let members = (0..<100_000).map { "\"m\($0)\":\($0)" }.joined(separator: ",")
    let object = try JSON.parse(Array("{\(members)}".utf8), limits: limits)
    #expect(object["m99999"] == 99_999)
    #expect(throws: JSONError.self) {
      try JSON.parse(Array("{\(members),\"m77\":0}".utf8), limits: limits)
    }
  }

  @Test(
    "section 6: numbers",
    arguments: [
      "01", "-", "+1", ".5", "1.", "1.e2", "1e", "1e+", "0x10", "-01", "1e999", "-1e999", "1_000",
      "--1",
      String(repeating: "1", count: 200),
    ])
  func refusesNumbers(_ text: String) {
    #expect(throws: JSONError.self) { try Self.parse(text) }
  }

  @Test(
    "section 7 and 8.2: strings",
    arguments: [
      ("\"", .unexpectedEnd), ("\"abc", .unexpectedEnd), ("\"a\nb\"", .controlCharacter),
      ("\"\u{0}\"", .controlCharacter), ("\"\\n\u{1f}\"", .controlCharacter),
      ("\"\\x41\"", .invalidEscape),
      ("\"\\u12\"", .invalidEscape), ("\"\\u12G4\"", .invalidEscape),
      ("\"\\u+123\"", .invalidEscape),
      ("\"\\u\u{10}\u{11}12\"", .invalidEscape), ("\"\\u0000\"", .nullCharacter),
      ("\"\\uD800\"", .loneSurrogate), ("\"\\uDC00\"", .loneSurrogate),
      ("\"\\uD800\\u0041\"", .loneSurrogate), ("\"\\uD800x\"", .loneSurrogate),
      ("\"\\uDC00\\uD800\"", .loneSurrogate), ("\"\\uD800\\uD800\"", .loneSurrogate),
      ("\"\\", .unexpectedEnd),
    ] as [(String, JSONError.Reason)])
  func refusesStrings(_ text: String, _ reason: JSONError.Reason) {
    #expect(Self.reason(text) == reason)
  }

  @Test(
    "RFC 3629 section 3: bytes that are not UTF-8",
    arguments: [
      [0x80], [0xc0, 0xaf], [0xe0, 0x80, 0x80], [0xf0, 0x80, 0x80, 0x80], [0xed, 0xa0, 0x80],
      [0xf4, 0x90, 0x80, 0x80], [0xff], [0xc3], [0xe2, 0x82],
    ] as [[UInt8]])
  func refusesEncodings(_ sequence: [UInt8]) {
    for prefix in ["\"", "\"\\n"] {
      let text = Array(prefix.utf8) + sequence + Array("\"".utf8)
      #expect(throws: JSONError.self) { try JSON.parse(text, limits: Self.limits) }
    }
    #expect(throws: JSONError.self) { try JSON.parse(sequence, limits: Self.limits) }
  }

  @Test("section 9: depth and size are limited")
  func limits() throws {
    let eight = String(repeating: "[", count: 8) + String(repeating: "]", count: 8)
    _ = try Self.parse(eight)
    #expect(Self.reason("[\(eight)]") == .tooDeep)
    // Depth is given back by every closing bracket.
    _ = try Self.parse(
      "[" + Array(repeating: "{\"a\":[]}", count: 100).joined(separator: ",") + "]")
    let flood = String(repeating: "[", count: 4000)
    #expect(Self.reason(flood) == .tooDeep)
    #expect(Self.reason("\"" + String(repeating: "a", count: 5000) + "\"") == .tooLong)
  }

  @Test("errors never quote the text")
  func errorsCarryNoData() {
    let error = #expect(throws: JSONError.self) { try Self.parse("{\"secret\":hunter2}") }
    #expect(error?.description == "a character is not allowed here (at byte 10)")
  }

  @Test("member names are compared byte by byte (section 8.3)")
  func namesAreBytes() throws {
    let object = try Self.parse("{\"\u{212a}ey\":1}")  // Kelvin sign: canonically equivalent to K
    #expect(object["Key"] == nil)
    #expect(object["\u{212a}ey"] == 1)
  }

  @Test("encoding escapes what it must and parses back to the same value")
  func encodes() throws {
    let value: JSON = [
      "text": "a\"\\\n\r\t\u{1}é😀/", "list": [1, -2.5, .null, true, false], "empty": [:],
      "z": .integer(7),
    ]
    #expect(
      value.text
        == #"{"text":"a\"\\\n\r\t\u0001é😀/","list":[1,-2.5,null,true,false],"empty":{},"z":7}"#)
    #expect(try JSON.parse(value.encoded(), limits: Self.limits) == value)
    #expect(JSON.number(.infinity).text == "null")
    for number in [Double.leastNonzeroMagnitude, 1.7976931348623157e308, 0.1, 1e21, -123456.789] {
      #expect(try Self.parse(JSON.number(number).text) == .number(number))
    }
  }

  @Test("what must be escaped is found wherever it stands, and nothing else is")
  func escapesAnywhere() throws {
    let escaped = Array(UInt8(0x01)..<0x20) + [0x22, 0x5C]
    for scalar in escaped + [0x20, 0x21, 0x23, 0x2F, 0x5B, 0x5D, 0x7F, 0x80, 0xA2, 0xDC, 0xFF] {
      let lengths = try (0..<18).map { position in
        let (before, after) = (
          String(repeating: "a", count: position), String(repeating: "a", count: 17 - position)
        )
        let text = before + String(Unicode.Scalar(scalar)) + after
        let encoded = JSON.string(text).text
        return try Self.parse(encoded) == .string(text) ? encoded.utf8.count : 0
      }
      let isLonger = lengths.allSatisfy { $0 > 17 + String(Unicode.Scalar(scalar)).utf8.count + 2 }
      #expect(Set(lengths).count == 1 && isLonger == escaped.contains(scalar), "\(scalar)")
    }
  }

  @Test("mutated texts are refused or understood, never worse")
  func mutations() throws {
    let seed = Array(
      #"{"a":[1,-2.5e3,"x\u00e9\uD83D\uDE00",null,{"b":true,"":[]}],"é":"\\"} "#.utf8)
    var state: UInt64 = 7
    func random(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    var understood = 0
    for _ in 0..<20_000 {
      var text = seed
      for _ in 0...random(3) {
        switch random(3) {
        case 0: text[random(text.count)] = UInt8(random(256))
        case 1: text.remove(at: random(text.count))
        default: text.insert(text[random(text.count)], at: random(text.count))
        }
      }
      guard let value = try? JSON.parse(text, limits: Self.limits) else { continue }
      understood += 1
      #expect(try JSON.parse(value.encoded(), limits: Self.limits) == value)
    }
    #expect(understood > 100)
  }

  static func reason(_ text: String) -> JSONError.Reason? {
    do throws(JSONError) {
      _ = try parse(text)
      return nil
    } catch {
      return error.reason
    }
  }
}

@Suite("JSON objects")
struct JSONObjectTests {
  @Test("members keep their order, equality ignores it")
  func order() {
    let first: JSONObject = ["b": 1, "a": 2]
    let second: JSONObject = ["a": 2, "b": 1]
    #expect(first.names == ["b", "a"])
    #expect(first == second)
    #expect(first.hashValue == second.hashValue)
    #expect(first != ["a": 2, "b": 2])
    #expect(first != ["a": 2, "c": 1])
  }

  @Test("setting replaces, appends and removes, small and large", arguments: [3, 40])
  func mutation(count: Int) {
    var object = JSONObject()
    for number in 0..<count { object["m\(number)"] = .integer(number) }
    object["m1"] = "one"
    object["m0"] = nil
    object["absent"] = nil
    #expect(object.count == count - 1)
    #expect(object["m0"] == nil)
    #expect(object["m1"] == "one")
    #expect(object["m\(count - 1)"] == .integer(count - 1))
    object["m0"] = 0
    #expect(object.names.last == "m0")
    #expect(object.merging(["m0": 5, "new": 6])["m0"] == 5)
  }

  @Test("typed views answer only for their type")
  func views() {
    let value: JSON = ["s": "x", "i": 3, "w": 3.0, "d": 1.5, "b": true, "n": .null, "a": [1]]
    #expect(value["s"]?.stringValue == "x")
    #expect(value["i"]?.integerValue == 3)
    #expect(value["w"]?.integerValue == 3)
    #expect(value["d"]?.integerValue == nil)
    #expect(value["d"]?.doubleValue == 1.5)
    #expect(value["b"]?.boolValue == true)
    #expect(value["b"]?.integerValue == nil)
    #expect(value["n"]?.isNull == true)
    #expect(value["a"]?.arrayValue?.count == 1)
    #expect(value["a"]?["s"] == nil)
    #expect(JSON.number(1e300).integerValue == nil)
  }
}
