import Foundation
import Platform
import Testing

/// What another program made of a file.
struct Outcome {
  let status: Int32
  let output: String
}

/// Runs a program that reads archives for a living.
func run(_ arguments: [String]) throws -> Outcome {
  let process = Process()
  process.executableURL = URL(filePath: "/usr/bin/env")
  process.arguments = arguments
  let pipe = Pipe()
  process.standardOutput = pipe
  process.standardError = pipe
  try process.run()
  let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
  process.waitUntilExit()
  return Outcome(
    status: process.terminationStatus, output: String(decoding: output, as: UTF8.self))
}

func python(_ script: String, _ arguments: String...) throws -> Outcome {
  try run(["python3", "-c", script] + arguments)
}

/// A directory that goes away with the test.
final class TemporaryDirectory {
  let path: FilePath

  init() throws {
    path = FilePath(NSTemporaryDirectory() + "tenure-archive-\(UUID().uuidString)")
    try FileManager.default.createDirectory(atPath: path.text, withIntermediateDirectories: true)
  }

  deinit {
    try? FileManager.default.removeItem(atPath: path.text)
  }

  var names: [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: path.text).sorted()) ?? []
  }
}

func content(of path: FilePath) throws -> [UInt8] {
  Array(try Data(contentsOf: URL(filePath: path.text)))
}

/// Bytes that compress badly, the same every time.
func noise(_ count: Int) -> [UInt8] {
  var state: UInt64 = 0x9e37_79b9_7f4a_7c15
  return (0..<count).map { _ in
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return UInt8(truncatingIfNeeded: state >> 56)
  }
}
