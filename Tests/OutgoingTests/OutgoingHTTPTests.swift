import Foundation
import HTTPTypes
import NIOSSL
import Platform
import Synchronization
import Testing
import Tracing

@testable import Outgoing

@Suite("Outgoing requests")
struct OutgoingHTTPTests {
  @Test("a request and its answer, with the caller's trace")
  func exchange() async throws {
    try await Receiver.run(answer: { _ in
      Receiver.http("hello", status: "201 Created", type: "Text/Plain; charset=utf-8")
    }) { receiver in
      let http = try OutgoingHTTP.testing()
      let trace = TraceContext.begin(isSampled: true)
      let url = try OutgoingURL("http://127.0.0.1:\(receiver.port)/a?b=c")
      let answer = try await ServiceContext.withValue(ServiceContext(trace)) {
        try await http.send(
          .post(
            Array("logout_token=x".utf8), contentType: "application/x-www-form-urlencoded", to: url,
            fields: [.accept: "*/*"], answerBytesMax: 5),
          partition: "a")
      }
      #expect(answer.status == 201)
      #expect(answer.mediaType == "text/plain")
      #expect(answer.body == Array("hello".utf8))
      let request = receiver.requests.joined().lowercased()
      #expect(request.hasPrefix("post /a?b=c http/1.1\r\n"))
      #expect(request.contains("host: 127.0.0.1:\(receiver.port)\r\n"))
      #expect(request.contains("traceparent: \(trace.traceparent)\r\n"))
      #expect(request.contains("content-type: application/x-www-form-urlencoded\r\n"))
      #expect(request.hasSuffix("\r\n\r\nlogout_token=x"))
    }
  }

  @Test("loopback is refused unless the operator vouches for it, and nobody connects")
  func guarded() async throws {
    try await Receiver.run(answer: { _ in Receiver.http("{}") }) { receiver in
      let http = try OutgoingHTTP.testing([:]) { _ in ["127.0.0.1"] }
      for host in ["127.0.0.1", "localhost", "a.example"] {
        await #expect(throws: OutgoingError.refusedURL("plain HTTP")) {
          try await http.get("http://\(host):\(receiver.port)/")
        }
      }
      let anyPort = try OutgoingHTTP.testing(["PORTS": "\(receiver.port)"]) { _ in ["127.0.0.1"] }
      for host in ["127.0.0.1", "a.example"] {
        await #expect(throws: OutgoingError.refusedAddress) {
          try await anyPort.get("https://\(host):\(receiver.port)/")
        }
      }
      #expect(receiver.connections == 0)
    }
  }

  @Test("a name is resolved once, and the connection goes to the address that was checked")
  func rebinding() async throws {
    try await Receiver.run(answer: { _ in Receiver.http("{}") }) { receiver in
      let looks = Mutex(0)
      // Vouched for at the first look, private at the second: a resolver that rebinds.
      let http = try OutgoingHTTP.testing(["ALLOWED_DESTINATIONS": "127.0.0.1"]) { _ in
        looks.withLock { count in
          count += 1
          return count == 1 ? ["127.0.0.1"] : ["10.0.0.1"]
        }
      }
      // The machine's own resolver knows no such name, so only the pinned address can have been used.
      let address = "http://rebound.example:\(receiver.port)/"
      #expect(try await http.get(address).status == 200)
      #expect(looks.withLock { $0 } == 1)
      #expect(receiver.requests.joined().contains("rebound.example:\(receiver.port)\r\n"))
      await #expect(throws: OutgoingError.self) { try await http.get(address) }
      #expect(receiver.connections == 1)
    }
  }

  @Test("a redirect is an answer and is not followed, wherever it leads")
  func redirect() async throws {
    try await Receiver.run(answer: { _ in Receiver.http("secret") }) { inner in
      let location = "Location: http://127.0.0.1:\(inner.port)/\r\n"
      try await Receiver.run(answer: { _ in
        Receiver.http("", status: "302 Found", fields: location)
      }) { receiver in
        let answer = try await OutgoingHTTP.testing().get("http://127.0.0.1:\(receiver.port)/")
        #expect(answer.status == 302)
        #expect(inner.connections == 0)
      }
    }
  }

  @Test(
    "answers are bounded",
    arguments: [
      Receiver.http(String(repeating: "x", count: 1025)),
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n800\r\n"
        + String(repeating: "x", count: 2048) + "\r\n0\r\n\r\n",
      Receiver.http("", fields: "X: \(String(repeating: "x", count: 17 * 1024))\r\n"),
    ])
  func large(_ answer: String) async throws {
    try await Receiver.run(answer: { _ in answer }) { receiver in
      let http = try OutgoingHTTP.testing()
      await #expect(throws: OutgoingError.tooLarge) {
        try await http.get("http://127.0.0.1:\(receiver.port)/")
      }
    }
  }

  @Test(
    "silence, a body that never ends and a broken answer end in time",
    arguments: [
      (nil, .timedOut),
      ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", .timedOut),
      ("SSH-2.0-OpenSSH\r\n", .unreachable),
    ] as [(String?, OutgoingError)])
  func slow(_ answer: String?, _ error: OutgoingError) async throws {
    try await Receiver.run(answer: { _ in answer }) { receiver in
      let http = try OutgoingHTTP.testing([
        "ALLOWED_DESTINATIONS": "127.0.0.1", "TIMEOUT_SECONDS": "1",
      ])
      await #expect(throws: error) { try await http.get("http://127.0.0.1:\(receiver.port)/") }
    }
  }

  @Test("the next address is tried when one can't be connected to, and only then")
  func nextAddress() async throws {
    try await Receiver.run(answer: { _ in Receiver.http("{}") }) { receiver in
      let http = try OutgoingHTTP.testing { _ in ["127.0.0.2", "127.0.0.3", "127.0.0.1"] }
      #expect(try await http.get("http://a.example:\(receiver.port)/").status == 200)
    }
    // 0.0.0.0 listens at every address of loopback, and answers nonsense at the first.
    try await Receiver.run(answer: { _ in "nonsense\r\n\r\n" }) { receiver in
      let http = try OutgoingHTTP.testing { _ in ["127.0.0.1", "127.0.0.1"] }
      await #expect(throws: OutgoingError.unreachable) {
        try await http.get("http://a.example:\(receiver.port)/")
      }
      #expect(receiver.connections == 1)
    }
  }

  @Test(
    "TLS: the name is in SNI, certificate check and Host, the connection goes to the pinned address"
  )
  func tls() async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let authority = folder.appendingPathComponent("ca.pem")
    try Certificates.authority.write(to: authority, atomically: true, encoding: .utf8)
    let context = try NIOSSLContext(
      configuration: .makeServerConfiguration(
        certificateChain: NIOSSLCertificate.fromPEMBytes(Array(Certificates.server.utf8)).map {
          .certificate($0)
        },
        privateKey: .privateKey(
          NIOSSLPrivateKey(bytes: Array(Certificates.serverKey.utf8), format: .pem))))
    try await Receiver.run(tls: context, answer: { _ in Receiver.http("{}") }) { receiver in
      let changes = [
        "ALLOWED_DESTINATIONS": "127.0.0.1", "CA_FILE": authority.path,
      ]
      let http = try OutgoingHTTP.testing(changes) { _ in ["127.0.0.1"] }
      #expect(try await http.get("https://pinned.example:\(receiver.port)/").status == 200)
      #expect(receiver.requests.joined().contains("pinned.example:\(receiver.port)\r\n"))
      // Another name, the bare address, and a machine that does not know the authority.
      await #expect(throws: OutgoingError.unreachable) {
        try await http.get("https://other.example:\(receiver.port)/")
      }
      await #expect(throws: OutgoingError.unreachable) {
        try await http.get("https://127.0.0.1:\(receiver.port)/")
      }
      let strange = try OutgoingHTTP.testing { _ in ["127.0.0.1"] }
      await #expect(throws: OutgoingError.unreachable) {
        try await strange.get("https://pinned.example:\(receiver.port)/")
      }
      #expect(receiver.requests.count == 1)
    }
  }

  @Test("a host that fails is left alone for a while, for the one who asked it")
  func breaker() async throws {
    let clock = ManualClock(Date(timeIntervalSince1970: 1_800_000_000))
    let isUp = Mutex(false)
    try await Receiver.run(answer: { _ in
      isUp.withLock { $0 } ? Receiver.http("{}") : "nonsense\r\n\r\n"
    }) { receiver in
      let http = try OutgoingHTTP.testing(
        ["ALLOWED_DESTINATIONS": "127.0.0.1", "FAILURES_MAX": "2", "PAUSE_SECONDS": "30"],
        clock: clock.clock)
      let address = "http://127.0.0.1:\(receiver.port)/"
      for error in [OutgoingError.unreachable, .unreachable, .circuitOpen] {
        await #expect(throws: error) { try await http.get(address) }
      }
      #expect(receiver.connections == 2)
      await #expect(throws: OutgoingError.unreachable) {
        try await http.get(address, partition: "b")
      }
      // After the pause one request finds out.
      clock.advance(bySeconds: 30)
      await #expect(throws: OutgoingError.unreachable) { try await http.get(address) }
      await #expect(throws: OutgoingError.circuitOpen) { try await http.get(address) }
      isUp.withLock { $0 = true }
      clock.advance(bySeconds: 30)
      #expect(try await http.get(address).status == 200)
      #expect(try await http.get(address).status == 200)
    }
  }

  @Test("requests on their way are bounded, per host and in all")
  func concurrency() async throws {
    let arrived = TestSignal<Void>.armed()
    try await Receiver.run(answer: { _ in
      arrived.signal()
      return nil
    }) { receiver in
      let http = try OutgoingHTTP.testing([
        "ALLOWED_DESTINATIONS": "127.0.0.1", "CONCURRENCY": "2", "CONCURRENCY_PER_HOST": "1",
      ])
      let address = "http://127.0.0.1:\(receiver.port)/"
      await withTaskGroup(of: Void.self) { group in
        for partition in ["a", "b"] {
          group.addTask { _ = try? await http.get(address, partition: partition) }
          try? await arrived.wait()
        }
        await #expect(throws: OutgoingError.busy) { try await http.get(address, partition: "a") }
        await #expect(throws: OutgoingError.busy) { try await http.get(address, partition: "c") }
        group.cancelAll()
      }
      // Cancelled ones have left, and are nobody's failure.
      await withTaskGroup(of: Void.self) { group in
        group.addTask { _ = try? await http.get(address, partition: "a") }
        try? await arrived.wait()
        group.cancelAll()
      }
      #expect(receiver.connections == 3)
    }
  }

  @Test("an organization uses up its own share only, whatever hosts it asks")
  func organizations() async throws {
    let arrived = TestSignal<Void>.armed()
    try await Receiver.run(answer: { _ in
      arrived.signal()
      return nil
    }) { receiver in
      let http = try OutgoingHTTP.testing([
        "ALLOWED_DESTINATIONS": "127.0.0.0/8", "CONCURRENCY_PER_ORGANIZATION": "1",
      ])
      await withTaskGroup(of: Void.self) { group in
        for (host, partition) in [("127.0.0.1", "a"), ("127.0.0.1", "b")] {
          let address = "http://\(host):\(receiver.port)/"
          group.addTask { _ = try? await http.get(address, partition: partition) }
          try? await arrived.wait()
        }
        await #expect(throws: OutgoingError.busy) {
          try await http.get("http://127.0.0.2:\(receiver.port)/", partition: "a")
        }
        group.cancelAll()
      }
    }
  }

  @Test("the machine's resolver answers, and its failures have a name")
  func systemResolver() async throws {
    let resolver = HostResolver.system(timeoutSeconds: 10)
    let addresses = try await resolver.addresses("localhost")
    #expect(!addresses.isEmpty)
    #expect(addresses.allSatisfy { ["127.0.0.1", "::1"].contains($0) })
    await #expect(throws: OutgoingError.self) {
      try await resolver.addresses("does-not-exist.invalid")
    }
  }
}
