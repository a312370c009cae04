import FoundationEssentials
import HTTPTypes
import Platform
import Tenancy
import Testing
import Web

@testable import TenantRuntime

@Suite("RFC 8628: user codes and polls")
struct DeviceCodeTests {
  @Test("Section 6.1: eight letters of twenty, evenly drawn, read as people type them")
  func userCodes() throws {
    var counts: [Character: Int] = [:]
    for _ in 0..<2000 {
      let code = UserCode(.system)
      #expect(code.letters.utf8.allSatisfy(UserCode.alphabet.contains))
      #expect(UserCode(code.text) == code)
      #expect(UserCode(" \(code.text.lowercased()) ") == code)
      for letter in code.letters { counts[letter, default: 0] += 1 }
    }
    #expect(counts.count == 20)
    #expect(counts.values.allSatisfy { (600...1000).contains($0) })
  }

  @Test(
    arguments: [
      "", "BCDF-GHJ", "BCDF-GHJKL", "ABCD-EFGH", "BCDF-GHJ1", String(repeating: "B", count: 33),
      "BCDF-GHJ\u{212A}",
    ])
  func notCodes(_ text: String) { #expect(UserCode(text) == nil) }

  @Test func deviceCodes() throws {
    let code = DeviceCodeText(
      row: Array(repeating: 1, count: 32), secret: Array(repeating: 2, count: 32))
    let read = try #require(DeviceCodeText(code.text))
    #expect(read.row == code.row && read.secret == code.secret)
    #expect(DeviceCodeText(String(code.text.dropLast(4))) == nil && DeviceCodeText("") == nil)
  }

  static let now = Date(unixSeconds: 1_800_000_000)

  func stored(
    _ state: DeviceCode.State, resources: [String] = [], hurried: Bool = false,
    left: Double = 60, consumed: Bool = false
  ) throws -> DeviceCode.Stored {
    DeviceCode.Stored(
      user: nil,
      code: DeviceCode(
        client: try #require(ClientID("tv")), scope: .none, resources: resources, state: state,
        intervalSeconds: 5, isHurried: hurried, family: ID(UUID()), approval: nil),
      expiresAt: Self.now.addingTimeInterval(left), consumedAt: consumed ? Self.now : nil)
  }

  @Test("Section 3.5: what a poll is told")
  func decisions() throws {
    let now = Self.now
    #expect(
      try stored(.pending).decision(resources: .none, now: now) == .refuse(.authorizationPending))
    #expect(
      try stored(.pending, hurried: true).decision(resources: .none, now: now) == .refuse(.slowDown)
    )
    #expect(try stored(.denied).decision(resources: .none, now: now) == .refuse(.deviceDenied))
    #expect(try stored(.approved).decision(resources: .none, now: now) == .issue)
    #expect(try stored(.approved, hurried: true).decision(resources: .none, now: now) == .issue)
    for state in [DeviceCode.State.pending, .approved, .denied] {
      #expect(
        try stored(state, left: 0).decision(resources: .none, now: now)
          == .refuse(.expiredDeviceCode))
    }
    #expect(
      try stored(.approved, consumed: true).decision(resources: .none, now: now)
        == .refuse(.invalidGrant("device code reused")))
    #expect(OAuthError.deviceDenied.status == .badRequest)
    #expect(try stored(.pending).isOpen(now: now) && !stored(.pending, left: 0).isOpen(now: now))
    #expect(try !stored(.approved).isOpen(now: now))
  }

  @Test("RFC 8707 section 2.2: a poll may narrow what was approved, and no more")
  func resources() throws {
    let (one, two) = ("https://one.example/", "https://two.example/")
    for (granted, asked, expected) in [
      ([], [], .issue), ([], [one], .issue), ([one, two], [], .issue), ([one, two], [two], .issue),
      ([one], [one, two], .refuse(.invalidTarget)), ([one], [two], .refuse(.invalidTarget)),
    ] as [([String], [String], DeviceCode.PollDecision)] {
      let decision = try stored(.approved, resources: granted)
        .decision(resources: ResourceIndicators(asked), now: Self.now)
      #expect(decision == expected, "\(asked) of \(granted)")
    }
    // Nobody has decided yet: what is asked for is looked at afterwards.
    #expect(
      try stored(.pending, resources: [one])
        .decision(resources: ResourceIndicators([two]), now: Self.now)
        == .refuse(.authorizationPending))
  }
}
