import Archive
import Cryptography
import FoundationEssentials
import Platform
import Testing

@Suite("APPNOTE 6.3.10: ZIP archives, as other programs read them")
struct ZIPWriterTests {
  static let time = Date(unixSeconds: 1_795_249_501)  // 2026-11-21T08:25:01Z

  /// Writes an archive to a file through the product's own sink.
  static func archive(
    at path: FilePath, _ body: (ZIPWriter) async throws -> Void
  ) async throws {
    let file = try PartFile(path: path)
    let writer = try ZIPWriter { bytes in try file.write(bytes) }
    try await body(writer)
    try await writer.finish()
    try await file.commit()
  }

  @Test("unzip and Python agree about names, contents and times")
  func readable() async throws {
    let directory = try TemporaryDirectory()
    let path = directory.path.appending("a.zip")
    let large = noise(300_000)
    let repetitive = [UInt8](repeating: 0x61, count: 3_000_000)
    try await Self.archive(at: path) { writer in
      try await writer.beginEntry("empty.txt", modified: Self.time)
      #expect(try await writer.endEntry() == ArchiveDigest(size: 0, sha256: SHA2.sha256([])))
      try await writer.beginEntry("data/größe 📦.json", modified: Self.time)
      for start in stride(from: 0, to: large.count, by: 7_001) {
        try await writer.write(Array(large[start..<min(start + 7_001, large.count)]))
      }
      #expect(
        try await writer.endEntry() == ArchiveDigest(size: 300_000, sha256: SHA2.sha256(large)))
      try await writer.beginEntry("data/same.txt", modified: Self.time)
      try await writer.write(repetitive)
      try await writer.write([])
      _ = try await writer.endEntry()
    }
    let unzip = try run(["unzip", "-tq", path.text])
    #expect(unzip.status == 0, "\(unzip.output)")
    let script = """
      import sys, zipfile, hashlib, datetime
      z = zipfile.ZipFile(sys.argv[1])
      assert z.testzip() is None
      for i in z.infolist():
        assert i.date_time == (2026, 11, 21, 8, 25, 0), i.date_time
        assert i.external_attr >> 16 == 0o100644 and i.extract_version == 20
        print(i.filename, i.file_size, hashlib.sha256(z.read(i)).hexdigest())
      """
    let outcome = try python(script, path.text)
    #expect(outcome.status == 0, "\(outcome.output)")
    #expect(
      outcome.output == """
        empty.txt 0 \(Hex.encode(SHA2.sha256([])))
        data/größe 📦.json 300000 \(Hex.encode(SHA2.sha256(large)))
        data/same.txt 3000000 \(Hex.encode(SHA2.sha256(repetitive)))

        """)
    #expect(try content(of: path).count < 310_000)
  }

  @Test("extracting gives the files, with their times in UTC")
  func extracts() async throws {
    let directory = try TemporaryDirectory()
    let path = directory.path.appending("a.zip")
    try await Self.archive(at: path) { writer in
      try await writer.beginEntry("a/b/c.txt", modified: Self.time)
      try await writer.write(Array("hello".utf8))
      _ = try await writer.endEntry()
    }
    let unzip = try run(["unzip", "-q", path.text, "-d", directory.path.text])
    #expect(unzip.status == 0, "\(unzip.output)")
    #expect(try content(of: directory.path.appending("a/b/c.txt")) == Array("hello".utf8))
    let stat = try run(["stat", "-c", "%Y %a", directory.path.appending("a/b/c.txt").text])
    #expect(stat.output == "1795249501 644\n")
  }

  @Test("an archive without entries is an archive")
  func empty() async throws {
    let directory = try TemporaryDirectory()
    let path = directory.path.appending("a.zip")
    try await Self.archive(at: path) { _ in }
    let outcome = try python(
      "import sys, zipfile; print(zipfile.ZipFile(sys.argv[1]).namelist())", path.text)
    #expect(outcome.output == "[]\n")
  }

  @Test("section 4.3.14: more than 65,535 entries")
  func manyEntries() async throws {
    let directory = try TemporaryDirectory()
    let path = directory.path.appending("a.zip")
    let count = 65_600
    try await Self.archive(at: path) { writer in
      for number in 0..<count {
        try await writer.beginEntry("e/\(number)", modified: Self.time)
        if number.isMultiple(of: 8_200) { try await writer.write(Array("\(number)".utf8)) }
        _ = try await writer.endEntry()
      }
    }
    let script = """
      import sys, zipfile
      z = zipfile.ZipFile(sys.argv[1])
      print(len(z.infolist()), z.read("e/57400"))
      """
    let outcome = try python(script, path.text)
    #expect(outcome.output == "65600 b'57400'\n")
    let unzip = try run(["unzip", "-p", path.text, "e/8200"])
    #expect(unzip.output == "8200")
  }

  @Test("content is handed on as it comes: nothing is collected")
  func constantMemory() async throws {
    var largest = 0
    var total = 0
    let writer = try ZIPWriter { bytes in
      largest = max(largest, bytes.count)
      total += bytes.count
    }
    let block = noise(1 << 20)
    try await writer.beginEntry("large", modified: Self.time)
    for _ in 0..<8 {
      let before = total
      try await writer.write(block)
      #expect(total - before > 900_000)
    }
    #expect(try await writer.endEntry().size == 8 << 20)
    try await writer.finish()
    #expect(largest <= 192 * 1024)
    #expect(total > 8 << 20)
  }

  @Test(
    "names that would surprise are refused",
    arguments: [
      "", "/etc/passwd", "../x", "a/../b", "a/..", "./a", "a/.", "a//b", "a/", "a\\b", "C:\\x",
      "c:x", "a\u{0}b",
      "a\nb", "a\u{202e}gpj.exe", "a\u{200b}b", "a\u{2028}b", "what?", "a*b", "a|b", "\"a\"", "a<b",
      "CON", "nul.txt", "a/Com1.json",
      "a ", " a", "a.", "a./b", String(repeating: "a", count: 513),
      String(repeating: "é", count: 200),
    ])
  func refusesName(_ name: String) async throws {
    let writer = try ZIPWriter { _ in }
    let error = await #expect(throws: ArchiveError.self) {
      try await writer.beginEntry(name, modified: Self.time)
    }
    guard case .invalidName = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test("names that some file system confuses are refused")
  func refusesDuplicates() async throws {
    let writer = try ZIPWriter { _ in }
    try await writer.beginEntry("data/A.json", modified: Self.time)
    _ = try await writer.endEntry()
    for name in ["data/A.json", "DATA/a.json"] {
      await #expect(throws: ArchiveError.duplicateName) {
        try await writer.beginEntry(name, modified: Self.time)
      }
    }
  }

  @Test("calls out of turn are refused")
  func refusesDisorder() async throws {
    let writer = try ZIPWriter { _ in }
    await #expect(throws: ArchiveError.self) { try await writer.write([1]) }
    await #expect(throws: ArchiveError.self) { _ = try await writer.endEntry() }
    try await writer.beginEntry("a", modified: Self.time)
    await #expect(throws: ArchiveError.self) {
      try await writer.beginEntry("b", modified: Self.time)
    }
    await #expect(throws: ArchiveError.self) { try await writer.finish() }
    _ = try await writer.endEntry()
    try await writer.finish()
    await #expect(throws: ArchiveError.self) { try await writer.finish() }
    await #expect(throws: ArchiveError.self) {
      try await writer.beginEntry("b", modified: Self.time)
    }
  }

  @Test("a sink's error reaches the caller")
  func sinkFails() async throws {
    struct Full: Error {}
    let writer = try ZIPWriter { _ in throw Full() }
    try await writer.beginEntry("a", modified: Self.time)
    await #expect(throws: Full.self) { try await writer.write(noise(1 << 20)) }
  }
}
