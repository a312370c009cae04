import Archive
import Cryptography
import Foundation
import Platform
import Testing

@Suite("RFC 1952: gzip")
struct GzipWriterTests {
  @Test("gzip and Python read it", arguments: [0, 1, 100_000])
  func readable(count: Int) async throws {
    let directory = try TemporaryDirectory()
    let path = directory.path.appending("a.gz")
    let bytes = noise(count)
    let file = try PartFile(path: path)
    let writer = try GzipWriter { try file.write($0) }
    for start in stride(from: 0, to: count, by: 999) {
      try await writer.write(Array(bytes[start..<min(start + 999, count)]))
    }
    #expect(try await writer.finish() == ArchiveDigest(size: count, sha256: SHA2.sha256(bytes)))
    try await file.commit()
    #expect(try run(["gzip", "-t", path.text]).status == 0)
    let script =
      "import sys, gzip, hashlib; print(hashlib.sha256(gzip.open(sys.argv[1]).read()).hexdigest())"
    #expect(try python(script, path.text).output == Hex.encode(SHA2.sha256(bytes)) + "\n")
    await #expect(throws: ArchiveError.self) { try await writer.write([1]) }
  }
}

@Suite("Part files")
struct PartFileTests {
  @Test("the file appears only with commit, private and whole")
  func commits() async throws {
    let directory = try TemporaryDirectory()
    let path = directory.path.appending("tenant/a.zip")
    let file = try PartFile(path: path)
    try file.write([1, 2])
    try file.write([3])
    #expect(!FileManager.default.fileExists(atPath: path.text))
    try await file.commit()
    #expect(try content(of: path) == [1, 2, 3])
    #expect(file.size == 3)
    file.discard()
    #expect(
      try run(["stat", "-c", "%a", path.text, directory.path.appending("tenant").text]).output
        == "600\n700\n")
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: directory.path.appending("tenant").text)
        == ["a.zip"])
    #expect(throws: ArchiveError.self) { try file.write([4]) }
    await #expect(throws: ArchiveError.self) { try await file.commit() }
  }

  @Test("dropped without commit, nothing is left")
  func discards() throws {
    let directory = try TemporaryDirectory()
    do {
      let file = try PartFile(path: directory.path.appending("a"))
      try file.write([1])
      #expect(directory.names == ["a.part"])
    }
    #expect(directory.names == [])
  }

  @Test("what a killed attempt left is dropped; an earlier result is replaced")
  func startsOver() async throws {
    let directory = try TemporaryDirectory()
    let path = directory.path.appending("a")
    try Data("old old old".utf8).write(to: URL(filePath: path.text + ".part"))
    try Data("result".utf8).write(to: URL(filePath: path.text))
    let file = try PartFile(path: path)
    try file.write(Array("new".utf8))
    try await file.commit()
    #expect(try content(of: path) == Array("new".utf8))
    #expect(directory.names == ["a"])
  }

  @Test("two writers never share a part")
  func excludes() async throws {
    let directory = try TemporaryDirectory()
    let path = directory.path.appending("a")
    let first = try PartFile(path: path)
    #expect(throws: ArchiveError.fileBusy) { try PartFile(path: path) }
    try first.write([1])
    try await first.commit()
    let second = try PartFile(path: path)
    try second.write([2])
    try await second.commit()
    #expect(try content(of: path) == [2])
  }

  @Test("a missing parent and a link in the way are errors")
  func refuses() throws {
    let directory = try TemporaryDirectory()
    #expect(throws: ArchiveError.fileFailed(operation: "mkdir", code: ENOENT)) {
      try PartFile(path: directory.path.appending("x/y/a"))
    }
    let link = directory.path.appending("b.part").text
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "/tmp/elsewhere")
    #expect(throws: ArchiveError.fileFailed(operation: "open", code: ELOOP)) {
      try PartFile(path: directory.path.appending("b"))
    }
  }
}
