import HTTPTypes
import NIOCore
import Platform
import Testing

@testable import Web

@Suite("Our policy: how long each part of an exchange may take")
struct ConnectionClockTests {
  static let limits = ConnectionLimits(
    idle: .seconds(75), head: .seconds(10), body: .seconds(30), answer: .seconds(60),
    drain: .seconds(30), headerBytes: 1000)

  enum Event: Sendable { case bytes, head, end, answer, answerEnd }

  struct Row: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// What happens, and after how many seconds.
    let events: [(Event, Int64)]
    let dueAt: Int64
    let due: ConnectionClock.Due
  }

  static func row(
    _ name: String, _ events: [(Event, Int64)], _ due: ConnectionClock.Due, at seconds: Int64
  ) -> Row {
    Row(testDescription: name, events: events, dueAt: seconds, due: due)
  }

  @Test(arguments: [
    row("silence", [], .close, at: 75),
    row("a head that does not end", [(.bytes, 5)], .refuseSlowRequest, at: 15),
    row(
      "a head that trickles", [(.bytes, 5), (.bytes, 9), (.bytes, 14)], .refuseSlowRequest, at: 15),
    row(
      "a body that trickles", [(.bytes, 1), (.head, 2), (.bytes, 25)], .refuseSlowRequest, at: 32),
    row("a slow handler", [(.head, 1), (.end, 1)], .refuseSlowAnswer, at: 61),
    row("a slow handler after a slow body", [(.head, 1), (.end, 29)], .refuseSlowAnswer, at: 61),
    row(
      "a streamed answer", [(.head, 0), (.end, 0), (.answer, 59), (.answer, 90)], .close, at: 165),
    row(
      "an early answer to a body that trickles",
      [(.head, 0), (.answer, 1), (.answerEnd, 1), (.bytes, 20)], .close, at: 30),
    row(
      "silence after an exchange", [(.head, 0), (.end, 0), (.answer, 9), (.answerEnd, 9)], .close,
      at: 84),
    row(
      "the second of two requests at once",
      [(.head, 0), (.end, 0), (.head, 0), (.end, 0), (.answer, 50), (.answerEnd, 50)],
      .refuseSlowAnswer, at: 110),
  ])
  func deadlines(_ row: Row) {
    let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
    var clock = ConnectionClock(Self.limits, now: start)
    for (event, seconds) in row.events {
      let now = start + .seconds(seconds)
      switch event {
      case .bytes: clock.bytesArrived(now)
      case .head: clock.requestHead(now)
      case .end: clock.requestEnd(now)
      case .answer: clock.answerPart(now)
      case .answerEnd: clock.answerEnd(now)
      }
    }
    #expect(clock.due(start + .seconds(row.dueAt) - .milliseconds(1)) == .nothing)
    #expect(clock.due(start + .seconds(row.dueAt)) == row.due)
  }

  @Test("a connection is idle only between exchanges")
  func idle() {
    let now = NIODeadline.now()
    var clock = ConnectionClock(Self.limits, now: now)
    #expect(clock.isIdle)
    clock.bytesArrived(now)
    #expect(!clock.isIdle)
    clock.requestHead(now)
    clock.requestEnd(now)
    #expect(!clock.isIdle)
    clock.answerPart(now)
    clock.answerEnd(now)
    #expect(clock.isIdle)
  }
}

@Suite("Our policy: load is shed by the time requests stand in line")
struct LoadShedderTests {
  /// When a request is looked at, how long it has waited, both in milliseconds, and whether it is served.
  typealias Step = (at: Int64, waited: Int64, served: Bool)

  static func run(
    _ steps: [Step], _ target: Cap = .at(100), _ priority: LoadShedder.Priority = .first
  ) {
    let shedder = LoadShedder(targetMilliseconds: target)
    for step in steps {
      let now = NIODeadline.uptimeNanoseconds(1_000_000_000) + .milliseconds(step.at)
      #expect(
        shedder.admits(.milliseconds(step.waited), priority, now: now) == step.served,
        "at \(step.at)")
    }
  }

  @Test("a queue that stands is shed, until it is short again")
  func standing() {
    Self.run([
      (0, 50, true), (10, 150, true), (100, 150, true), (110, 150, false), (120, 500, false),
      (130, 90, true), (140, 150, true), (230, 150, true), (240, 150, false),
    ])
  }

  @Test("one late request is a hiccup")
  func hiccup() {
    Self.run([(0, 900, true), (50, 10, true), (200, 900, true), (260, 20, true), (400, 900, true)])
  }

  @Test("what has begun may wait twice as long")
  func started() {
    Self.run([(0, 150, true), (150, 200, true), (160, 201, false)], .at(100), .started)
  }

  @Test("it can be lifted")
  func lifted() {
    Self.run([(0, 5000, true), (200, 5000, true)], .off)
  }

  @Test("forms, codes and browsers with a cookie have begun something")
  func priorities() {
    #expect(LoadShedding.priority(request(.post, "/t/acme/oauth2/token")) == .started)
    #expect(LoadShedding.priority(request(.get, "/t/acme/login", [.cookie: "a=b"])) == .started)
    #expect(LoadShedding.priority(request(.get, "/t/acme/oauth2/authorize")) == .first)
  }
}

@Suite("RFC 9110 section 7.4: hosts that are ours")
struct HostCheckTests {
  @Test(
    "the name in a Host header",
    arguments: [
      ("id.example.com", "id.example.com"), ("ID.Example.COM:8443", "id.example.com"),
      ("[::1]:8080", "::1"), ("[::1]", "::1"), ("127.0.0.1:80", "127.0.0.1"),
      ("a:", "a"), ("", nil), (":80", nil), ("a:b", nil), ("a:80:80", nil), ("a b", nil),
      ("a@b", nil), ("a/b", nil), ("::1", nil), ("[::1", nil), ("[::1]x", nil), ("[1.2.3.4]", nil),
      ("a\u{0}", nil), ("ä.example", nil), ("a:999999", nil),
      ("a:99999", "a"), ("[::1]:", "::1"), ("[]", nil), ("[", nil), ("a:\u{301}80", nil),
      (String(repeating: "a", count: 253), String(repeating: "a", count: 253)),
      (String(repeating: "a", count: 254), nil),
    ] as [(String, String?)])
  func names(_ authority: String, _ name: String?) {
    #expect(HostCheck.host(authority) == name)
  }
}
