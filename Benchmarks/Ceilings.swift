import Cryptography
import Foundation
import Platform

/// What the machine can do at most, measured in the same run as what is compared with it.
enum Ceilings {
  /// Signatures a second of one core, by `openssl speed`.
  static func signatures(_ algorithm: String) throws -> Double {
    let printed = try Program.output("openssl", ["speed", "-seconds", "1", "-mr", algorithm])
    // Machine readable: `+F2:<number>:<bits>:<signatures/s>:<verifications/s>`, `+F4` for curves.
    guard let line = printed.split(separator: "\n").last(where: { $0.hasPrefix("+F") }),
      let rate = line.split(separator: ":").dropFirst(3).first.flatMap({ Double($0) }), rate > 1
    else { throw BenchFailure("openssl speed printed \(printed.suffix(300))") }
    return rate
  }

  /// Argon2id hashes a second of this process, a thread for each processor.
  static func hashes(seconds: Int) async throws -> Double {
    let hasher = PasswordHasher(
      settings: PasswordHasherSettings(
        cost: .standard, threadsMax: ProcessInfo.processInfo.activeProcessorCount, queueMax: 64,
        deadlineSeconds: 60), random: .system)
    let (start, clock) = (ContinuousClock.now, ContinuousClock())
    let end = start.advanced(by: .seconds(seconds))
    let count = try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<(2 * ProcessInfo.processInfo.activeProcessorCount) {
        group.addTask {
          var count = 0
          while clock.now < end {
            _ = try await hasher.hash(Secret("correct horse battery"))
            count += 1
          }
          return count
        }
      }
      return try await group.reduce(0, +)
    }
    await hasher.stop()
    let elapsed = (clock.now - start).components
    return Double(count) / (Double(elapsed.seconds) + Double(elapsed.attoseconds) / 1e18)
  }
}

extension Bench {
  /// What a bare Hummingbird answers: requests a second, and processor time each in microseconds.
  func hello() async throws -> (rate: Double, cpu: Double) {
    let (port, process) = try await helloServer()
    let before = ProcessorTime.seconds(ofTree: process)
    let load = try await Load.run(
      Load.replay([.get("/")], port: port), seconds: plan.seconds, connections: 32, port: port)
    let used = ProcessorTime.seconds(ofTree: process) - before
    return (load.requestsPerSecond, used / load.requests * 1e6)
  }
}

/// The outside of a JWT: enough to see that the load asks for what the row says.
enum JWTShape {
  static func require(_ token: String, algorithm: String) throws {
    let header = token.split(separator: ".").first.flatMap { Base64URL.decode(String($0)) } ?? []
    guard try JSON.parse(header, limits: .request)["alg"]?.stringValue == algorithm else {
      throw BenchFailure("The token is not signed with \(algorithm).")
    }
  }
}
