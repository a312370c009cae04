import FoundationEssentials
import Platform
import Testing

@Suite("RFC 4648: text encodings")
struct TextEncodingTests {
  @Test(
    "section 10: test vectors",
    arguments: [
      ("", "", "", ""), ("f", "Zg==", "my", "66"), ("fo", "Zm8=", "mzxq", "666f"),
      ("foo", "Zm9v", "mzxw6", "666f6f"), ("foob", "Zm9vYg==", "mzxw6yq", "666f6f62"),
      ("fooba", "Zm9vYmE=", "mzxw6ytb", "666f6f6261"),
      ("foobar", "Zm9vYmFy", "mzxw6ytboi", "666f6f626172"),
    ])
  func vectors(_ text: String, _ base64: String, _ base32: String, _ hex: String) {
    let bytes = Array(text.utf8)
    let base64URL = String(base64.prefix { $0 != "=" })
    #expect(Base64.encode(bytes) == base64)
    #expect(Base64.decode(base64) == bytes)
    #expect(Base64URL.encode(bytes) == base64URL)
    #expect(Base64URL.decode(base64URL) == bytes)
    #expect(Base32.encode(bytes) == base32)
    #expect(Base32.decode(base32) == bytes)
    #expect(Hex.encode(bytes) == hex)
    #expect(Hex.decode(hex) == bytes)
  }

  @Test("every digit of base 64 stands where the RFC has it")
  func digits() {
    let digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    let bytes = Hex.decode(
      "00108310518720928b30d38f41149351559761969b71d79f8218a39259a7a29aabb2dbafc31cb3d35db7e39ebbf3dfbf"
    )
    #expect(bytes.map { Base64URL.encode($0) } == digits)
    #expect(Base64URL.decode(digits) == bytes)
  }

  @Test("every length and byte comes back")
  func roundTrips() {
    for count in 0..<70 {
      let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ count) }
      #expect(Base64URL.decode(Base64URL.encode(bytes)) == bytes)
      #expect(Base64.decode(Base64.encode(bytes)) == bytes)
      #expect(Base32.decode(Base32.encode(bytes)) == bytes)
      #expect(Hex.decode(Hex.encode(bytes)) == bytes)
    }
    #expect(Base64URL.encode([0xfb, 0xff]) == "-_8")
    #expect(Base64.encode([0xfb, 0xff]) == "+/8=")
    #expect(Base32.encode([UInt8](repeating: 0xff, count: 16)).utf8.count == 26)
  }

  @Test(
    "section 3.5: no padding, no junk bits, no other alphabet",
    arguments: [
      "Zg==", "Zh", "Z", "Zm9vY", "Zm 9", "Zm9v\n", "+/8", "Zm9v=", "é", "Zm9\u{0}", "-_9",
    ])
  func refusesBase64URL(_ text: String) {
    #expect(Base64URL.decode(text) == nil)
  }

  @Test(arguments: ["Zg", "Zg=", "Zg===", "Zh==", "====", "=", "Zm=v", "-_8=", "Zm9v====", "Z==="])
  func refusesBase64(_ text: String) {
    #expect(Base64.decode(text) == nil)
  }

  @Test(arguments: ["m", "mz", "MY", "my======", "m1", "mzx", "mzxw6y"])
  func refusesBase32(_ text: String) {
    // "mz" and "mzxw6y" have set unused bits or an impossible length.
    #expect(Base32.decode(text) == nil)
  }

  @Test(arguments: ["6", "6G", "6F", "0x", " 66", "66 "])
  func refusesHex(_ text: String) {
    #expect(Hex.decode(text) == nil)
  }
}

@Suite("RFC 9562 section 5.7: identifiers")
struct IDTests {
  enum Thing {}
  static let time = Date(timeIntervalSince1970: 1_645_557_742)

  @Test("appendix A.6: the example's time, version and variant")
  func layout() throws {
    let noise: [UInt8] = [0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f]
    let id = ID<Thing>.generate(WallClock { Self.time }, RandomSource { Array(noise.prefix($0)) })
    #expect(id.description == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f")
    #expect(ID<Thing>("017f22e2-79b0-7cc3-98c4-dc0c0c07398f") == id)
    #expect(ID<Thing>(bytes: id.bytes) == id)
    #expect(id.uuid.uuidString.lowercased() == id.description)
  }

  @Test("later is greater, and none repeats")
  func order() {
    let clock = ManualClock(Self.time)
    let first = ID<Thing>.generate(clock.clock, .system)
    clock.advance(bySeconds: 0.001)
    let second = ID<Thing>.generate(clock.clock, .system)
    #expect(first < second)
    #expect(first.description < second.description)
    #expect(Set((0..<1000).map { _ in ID<Thing>.generate(clock.clock, .system) }).count == 1000)
    #expect(
      ID<Thing>.generate(WallClock { Date.distantPast }, .system).bytes.prefix(6).allSatisfy {
        $0 == 0
      })
  }

  @Test(
    "only the canonical form is an identifier",
    arguments: [
      "", "017F22E2-79B0-7CC3-98C4-DC0C0C07398F", "017f22e279b07cc398c4dc0c0c07398f",
      "{017f22e2-79b0-7cc3-98c4-dc0c0c07398f}", "017f22e2-79b0-7cc3-98c4-dc0c0c07398",
      "017f22e2-79b0-7cc3-98c4-dc0c0c07398g", "017f22e2-79b0-7cc3-98c4dc0c0c07398f-",
      "017f22e2-79b0-7cc3-98c4-dc0c0c07398f ", "017f22e2+79b0-7cc3-98c4-dc0c0c07398f",
      "0é7f22e2-79b0-7cc3-98c4-dc0c0c07398",
    ])
  func refuses(_ text: String) {
    #expect(ID<Thing>(text) == nil)
  }

  @Test("wrong lengths of bytes are refused")
  func refusesBytes() {
    #expect(ID<Thing>(bytes: []) == nil)
    #expect(ID<Thing>(bytes: [UInt8](repeating: 0, count: 17)) == nil)
  }

  @Test("Codable as its text")
  func codable() throws {
    let id = ID<Thing>.generate(.system, .system)
    let data = try JSONEncoder().encode([id])
    #expect(String(decoding: data, as: UTF8.self) == "[\"\(id)\"]")
    #expect(try JSONDecoder().decode([ID<Thing>].self, from: data) == [id])
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode([ID<Thing>].self, from: Data("[\"x\"]".utf8))
    }
  }
}

@Suite("RFC 3339: timestamps")
struct TimestampTests {
  @Test(
    "section 5.8 and edges of the calendar",
    arguments: [
      ("1985-04-12T23:20:50.52Z", 482_196_050.52, "1985-04-12T23:20:50.520Z"),
      ("1996-12-19T16:39:57-08:00", 851_042_397, "1996-12-20T00:39:57.000Z"),
      ("1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00.000Z"),
      ("2000-02-29T12:00:00Z", 951_825_600, "2000-02-29T12:00:00.000Z"),
      ("2024-12-31T23:59:59.999Z", 1_735_689_599.999, "2024-12-31T23:59:59.999Z"),
      ("1969-12-31T23:59:59Z", -1, "1969-12-31T23:59:59.000Z"),
      ("0000-01-01T00:00:00Z", -62_167_219_200, "0000-01-01T00:00:00.000Z"),
      ("9999-12-31T23:59:59Z", 253_402_300_799, "9999-12-31T23:59:59.000Z"),
      ("2026-11-21T08:25:00.123456789+05:30", 1_795_229_700.123456789, "2026-11-21T02:55:00.123Z"),
    ])
  func accepts(_ text: String, _ seconds: Double, _ canonical: String) throws {
    let date = try #require(Date(rfc3339: text))
    #expect(abs(date.timeIntervalSince1970 - seconds) < 0.000_01)
    #expect(date.rfc3339 == canonical)
    #expect(Date(rfc3339: date.rfc3339)?.rfc3339 == canonical)
  }

  @Test(
    "everything else is refused",
    arguments: [
      "", "2026-11-21", "2026-11-21T08:25:00", "2026-11-21 08:25:00Z", "2026-11-21t08:25:00z",
      "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-02-29T00:00:00Z",
      "1900-02-29T00:00:00Z",
      "2026-04-31T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-01T24:00:00Z",
      "2026-01-01T00:60:00Z",
      "2016-12-31T23:59:60Z", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00.1234567890Z",
      "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00+0100", "2026-01-01T00:00:00Zx",
      "+026-01-01T00:00:00Z", "2026-1-01T00:00:00Z", "２026-01-01T00:00:00Z",
    ])
  func refuses(_ text: String) {
    #expect(Date(rfc3339: text) == nil)
  }

  @Test("every day of 400 years comes back, in order")
  func calendar() throws {
    var previous = ""
    for day in stride(from: -50_000, to: 100_000, by: 1) {
      let text = Date(unixSeconds: day * 86_400).rfc3339
      #expect(previous < text)
      #expect(Date(rfc3339: text)?.unixSeconds == day * 86_400)
      previous = text
    }
  }

  @Test("milliseconds survive the binary fraction of Date")
  func milliseconds() {
    for millisecond in 0..<1000 {
      let text = "2026-11-21T08:25:00.\(String(1000 + millisecond).dropFirst())Z"
      #expect(Date(rfc3339: text)?.rfc3339 == text)
    }
  }

  @Test("times without a form are clamped; unixSeconds rounds down")
  func clamps() {
    #expect(Date.distantFuture.rfc3339 == "4001-01-01T00:00:00.000Z")
    #expect(Date(timeIntervalSince1970: 1e15).rfc3339 == "9999-12-31T23:59:59.999Z")
    #expect(Date(timeIntervalSince1970: -1e15).rfc3339 == "0000-01-01T00:00:00.000Z")
    #expect(Date(timeIntervalSince1970: -0.5).unixSeconds == -1)
    #expect(Date(timeIntervalSince1970: 1.9).unixSeconds == 1)
  }
}

@Suite("Secrets")
struct SecretTests {
  @Test("do not print, however one asks")
  func redacted() {
    let secret = Secret("hunter2")
    struct Holder { let secret: Secret<String> }
    var dumped = ""
    dump(Holder(secret: secret), to: &dumped)
    for text in [
      "\(secret)", String(describing: secret), String(reflecting: secret),
      "\(Holder(secret: secret))",
      "\([secret])", "\(Optional(secret) as Any)", dumped,
      "\(Mirror(reflecting: secret).children.map(\.value))",
    ] {
      #expect(!text.contains("hunter2"))
    }
    #expect(secret.reveal() == "hunter2")
    #expect(secret.map(\.count).reveal() == 7)
  }
}

@Suite("Randomness")
struct RandomSourceTests {
  @Test("as many bytes as asked for, and not the same ones")
  func counts() {
    for count in [0, 1, 7, 8, 9, 16, 33] {
      #expect(RandomSource.system.bytes(count).count == count)
    }
    #expect(RandomSource.system.bytes(32) != RandomSource.system.bytes(32))
    #expect(RandomSource.system.token(byteCount: 32).utf8.count == 43)
    // Each position takes many values: no byte of the word is left zero.
    for position in 0..<9 {
      #expect(Set((0..<64).map { _ in RandomSource.system.bytes(9)[position] }).count > 16)
    }
  }
}
