import Cryptography
import Foundation
import JOSE
import Platform
import Synchronization
import Testing

@testable import Outgoing

@Suite("Key sets published elsewhere (OpenID Connect Core section 10.1.1)")
struct RemoteJWKSetTests {
  /// Somebody who signs, publishes keys and rotates them.
  final class Publisher: Sendable {
    struct State {
      var keys: [String: PrivateKey] = [:]
      var answer: String?
    }
    private let state = Mutex(State())

    func rotate(to keyID: String, keeping: Bool = false) throws {
      let key = try PrivateKey.generate(.p256)
      state.withLock { state in
        if !keeping { state.keys = [:] }
        state.keys[keyID] = key
      }
    }

    func answer(_ text: String?) { state.withLock { $0.answer = text } }

    func document(fields: String = "") -> String {
      state.withLock { state in
        if let answer = state.answer { return answer }
        let keys = state.keys.compactMap { keyID, key in
          try? JWK(key.publicKey, keyID: keyID, algorithm: .es256)
        }
        let body = String(decoding: JWKSet(keys).encodedPublic(), as: UTF8.self)
        return Receiver.http(body, type: "application/jwk-set+json", fields: fields)
      }
    }

    func sign(as keyID: String?) throws -> UnverifiedJWS {
      let key = try #require(
        state.withLock { state in keyID.flatMap { state.keys[$0] } ?? state.keys.values.first })
      return try UnverifiedJWS(
        JWS.sign([1], header: [:], with: SigningKey(key, algorithm: .es256, keyID: keyID)))
    }
  }

  /// A publisher that is served, and what verifies with its keys.
  struct Scene: Sendable {
    let publisher: Publisher
    let receiver: Receiver
    let sets: RemoteJWKSets
    let clock: ManualClock
    let url: OutgoingURL

    func verifies(_ jws: UnverifiedJWS, partition: String = "a") async throws {
      let verified = try await sets.verify(
        jws, allowing: [.es256], keysAt: url, partition: partition)
      #expect(verified.payload == [1])
    }

    var fetches: Int { receiver.connections }
  }

  static func scene(fields: String = "", _ body: (Scene) async throws -> Void) async throws {
    let publisher = Publisher()
    try publisher.rotate(to: "1")
    let clock = ManualClock(Date(timeIntervalSince1970: 1_800_000_000))
    try await Receiver.run(answer: { _ in publisher.document(fields: fields) }) { receiver in
      let http = try OutgoingHTTP.testing(
        ["ALLOWED_DESTINATIONS": "127.0.0.1", "FAILURES_MAX": "1000"], clock: clock.clock)
      try await body(
        Scene(
          publisher: publisher, receiver: receiver,
          sets: RemoteJWKSets(http: http, clock: clock.clock), clock: clock,
          url: try OutgoingURL("http://127.0.0.1:\(receiver.port)/jwks")))
    }
  }

  @Test("a set is fetched once, and again when it has aged")
  func kept() async throws {
    try await Self.scene { scene in
      let jws = try scene.publisher.sign(as: "1")
      for _ in 0..<3 { try await scene.verifies(jws) }
      #expect(scene.fetches == 1)
      scene.clock.advance(bySeconds: 599)
      try await scene.verifies(jws)
      #expect(scene.fetches == 1)
      scene.clock.advance(bySeconds: 1)
      try await scene.verifies(jws)
      #expect(scene.fetches == 2)
      try await scene.verifies(jws, partition: "b")
      #expect(scene.fetches == 3)
    }
  }

  @Test(
    "Cache-Control counts, between a minute and an hour (RFC 9111 section 5.2.2)",
    arguments: [
      (nil, 600), ("max-age=900", 900), ("public, MAX-AGE=300, must-revalidate", 300),
      ("max-age=1", 60), ("max-age=31536000", 3600), ("no-store, max-age=900", 60),
      ("no-cache", 60), ("max-age=-5", 60), ("max-age=x", 600),
      ("max-age=99999999999999999999", 600),
    ] as [(String?, Int)])
  func lifetime(_ cacheControl: String?, _ seconds: Int) {
    #expect(
      PublishedJWKSet(keys: JWKSet([]), cacheControl: cacheControl).lifetimeSeconds == seconds)
  }

  @Test("a new kid is fetched for at once; an old one that is taken back stops to count")
  func rotation() async throws {
    try await Self.scene { scene in
      let old = try scene.publisher.sign(as: "1")
      try await scene.verifies(old)
      try scene.publisher.rotate(to: "2")
      try await scene.verifies(scene.publisher.sign(as: "2"))
      #expect(scene.fetches == 2)
      await #expect(throws: JOSEError.unknownKey) { try await scene.verifies(old) }
    }
  }

  @Test("invented names cause a few fetches a minute, no more")
  func invented() async throws {
    try await Self.scene { scene in
      let good = try scene.publisher.sign(as: "1")
      try await scene.verifies(good)
      let stranger = Publisher()
      for attempt in 0..<50 {
        try stranger.rotate(to: "x\(attempt)")
        let forged = try stranger.sign(as: "x\(attempt)")
        await #expect(throws: JOSEError.unknownKey) { try await scene.verifies(forged) }
      }
      #expect(scene.fetches == 5)
      try await scene.verifies(good)
      scene.clock.advance(bySeconds: 60)
      await #expect(throws: JOSEError.unknownKey) {
        try await scene.verifies(stranger.sign(as: "x49"))
      }
      #expect(scene.fetches == 6)
    }
  }

  @Test("one fetch serves all who wait for it")
  func singleFlight() async throws {
    try await Self.scene { scene in
      let jws = try scene.publisher.sign(as: "1")
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<50 { group.addTask { try await scene.verifies(jws) } }
        try await group.waitForAll()
      }
      #expect(scene.fetches == 1)
    }
  }

  @Test("a set without kid works when exactly one key fits")
  func withoutKeyID() async throws {
    try await Self.scene { scene in
      try await scene.verifies(scene.publisher.sign(as: nil))
      try scene.publisher.rotate(to: "2", keeping: true)
      scene.clock.advance(bySeconds: 600)
      await #expect(throws: JOSEError.unknownKey) {
        try await scene.verifies(scene.publisher.sign(as: nil))
      }
    }
  }

  @Test("a disallowed algorithm and a shared secret are refused before anything is fetched")
  func beforeFetching() async throws {
    try await Self.scene { scene in
      let key = try PrivateKey.generate(.rsa2048)
      let rs256 = try UnverifiedJWS(
        JWS.sign([1], header: [:], with: SigningKey(key, algorithm: .rs256, keyID: "1")))
      let hs256 = try UnverifiedJWS(
        JWS.sign(
          [1], header: [:], with: SigningKey(secret: SecretBytes(randomCount: 32), keyID: "1")))
      let attempts: [(UnverifiedJWS, Set<SignatureAlgorithm>)] = [
        (rs256, [.es256]), (hs256, [.es256, .hs256]),
      ]
      for (jws, allowed) in attempts {
        await #expect(throws: JOSEError.algorithmNotAllowed) {
          try await scene.sets.verify(jws, allowing: allowed, keysAt: scene.url, partition: "a")
        }
      }
      #expect(scene.fetches == 0)
    }
  }

  @Test(
    "what is no key set is refused, and not asked for again at once",
    arguments: [
      (Receiver.http("gone", status: "404 Not Found"), .status(404)),
      (Receiver.http("{}", status: "302 Found", fields: "Location: /x\r\n"), .status(302)),
      (Receiver.http("{\"keys\":[]}", type: "text/html"), .contentType),
      (Receiver.http("<html>"), .malformed(.malformed("a character is not allowed here"))),
      (
        Receiver.http("{\"keys\":[],\"keys\":[]}"),
        .malformed(.malformed("a member name occurs twice"))
      ),
      (Receiver.http("{}"), .malformed(.malformed("keys"))),
      (
        Receiver.http("{\"keys\":[\(String(repeating: " ", count: 257 * 1024))]}"),
        .unavailable(.tooLarge)
      ),
      ("nonsense\r\n\r\n", .unavailable(.unreachable)),
    ] as [(String, RemoteJWKSetError)])
  func wrong(_ answer: String, _ error: RemoteJWKSetError) async throws {
    try await Self.scene { scene in
      let jws = try scene.publisher.sign(as: "1")
      scene.publisher.answer(answer)
      for _ in 0..<3 {
        await #expect(throws: error) { try await scene.verifies(jws) }
      }
      #expect(scene.fetches == 1)
      scene.publisher.answer(nil)
      scene.clock.advance(bySeconds: 15)
      try await scene.verifies(jws)
    }
  }

  @Test("a failed look for a newer set does not lose the one that counts")
  func failedRefetch() async throws {
    try await Self.scene { scene in
      let good = try scene.publisher.sign(as: "1")
      try await scene.verifies(good)
      let stranger = Publisher()
      try stranger.rotate(to: "x")
      scene.publisher.answer(Receiver.http("", status: "503 Service Unavailable"))
      await #expect(throws: JOSEError.unknownKey) {
        try await scene.verifies(stranger.sign(as: "x"))
      }
      #expect(scene.fetches == 2)
      try await scene.verifies(good)
      // Past its time it does.
      scene.clock.advance(bySeconds: 600)
      await #expect(throws: RemoteJWKSetError.status(503)) { try await scene.verifies(good) }
    }
  }
}
