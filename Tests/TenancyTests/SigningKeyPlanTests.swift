import FoundationEssentials
import JOSE
import Platform
@testable import Tenancy
import Testing

@Suite("Design section 4: next, current, previous, retired")
struct SigningKeyPlanTests {
  static let day = 86_400.0
  static let start = Date(unixSeconds: 1_800_000_000)
  static let schedule = SigningKeySchedule(TenantSettings())

  static func at(_ days: Double) -> Date { start.addingTimeInterval(days * day) }

  static func key(
    _ kid: String, _ state: SigningKeyState, created: Double = 0, activated: Double? = nil,
    deactivated: Double? = nil
  ) -> SigningKeyRecord {
    SigningKeyRecord(
      kid: kid, algorithm: .es256, state: state, createdAt: at(created),
      activatedAt: activated.map(at), deactivatedAt: deactivated.map(at), retiredAt: nil)
  }

  struct Row: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let keys: [SigningKeyRecord]
    let day: Double
    let steps: [SigningKeyStep]

    init(_ name: String, _ keys: [SigningKeyRecord], day: Double, _ steps: [SigningKeyStep]) {
      testDescription = name
      self.keys = keys
      self.day = day
      self.steps = steps
    }
  }

  static let old = key("old", .current, activated: 0)

  @Test(arguments: [
    Row("an algorithm without keys signs at once", [], day: 0, [.introduce(.es256)]),
    Row("a young key stays", [old], day: 75.9, []),
    Row("14 days ahead the next one is published", [old], day: 76, [.publish(.es256)]),
    Row(
      "it does not sign before the rotation is due", [old, key("new", .next, created: 76)],
      day: 89.9, []),
    Row(
      "then it signs", [old, key("new", .next, created: 76)], day: 90,
      [.deactivate(kid: "old"), .activate(kid: "new")]),
    Row(
      "published late, it is published long enough all the same",
      [old, key("new", .next, created: 100)], day: 113.9, []),
    Row(
      "and signs afterwards", [old, key("new", .next, created: 100)], day: 114,
      [.deactivate(kid: "old"), .activate(kid: "new")]),
    Row(
      "the one before stays for 14 days",
      [key("old", .previous, deactivated: 90), key("new", .current, activated: 90)], day: 103.9, []),
    Row(
      "and is retired",
      [key("old", .previous, deactivated: 90), key("new", .current, activated: 90)],
      day: 104, [.retire(kid: "old", from: .previous)]),
    Row(
      "a retired key rests", [key("old", .retired), key("new", .current, activated: 90)], day: 150,
      []),
  ])
  func schedule(_ row: Row) {
    let plan = SigningKeyPlan.scheduled(
      row.keys, wanted: [.es256], Self.schedule, now: Self.at(row.day))
    #expect(plan.steps == row.steps)
  }

  @Test func anAlgorithmThatSignsIsRotatedAlsoWhenNobodyWantsIt() {
    let plan = SigningKeyPlan.scheduled([Self.old], wanted: [], Self.schedule, now: Self.at(80))
    #expect(plan.steps == [.publish(.es256)])
  }

  @Test func onDemandThePublishedKeySignsOrANewOne() {
    let next = Self.key("new", .next, created: 1)
    #expect(
      SigningKeyPlan.demanded([Self.old, next], of: [.es256]).steps
        == [.deactivate(kid: "old"), .activate(kid: "new")])
    #expect(
      SigningKeyPlan.demanded([Self.old], of: [.es256]).steps
        == [.deactivate(kid: "old"), .introduce(.es256)])
    #expect(SigningKeyPlan.demanded([], of: [.ps256]).steps == [.introduce(.ps256)])
  }

  @Test func afterACompromiseNoneIsLeft() {
    let keys = [
      Self.key("gone", .retired), Self.key("before", .previous, deactivated: 1), Self.old,
      Self.key("new", .next, created: 1),
    ]
    #expect(
      SigningKeyPlan.compromised(keys, of: [.es256]).steps == [
        .retire(kid: "before", from: .previous), .retire(kid: "old", from: .current),
        .retire(kid: "new", from: .next), .introduce(.es256),
      ])
  }

  @Test(
    arguments: [
      (["signing_key_publication_days": 90], "signing_key_publication_days"),
      (["signing_key_rotation_days": 1], "signing_key_rotation_days"),
      (["signing_key_retirement_days": 0], "signing_key_retirement_days"),
      (["signing_algorithms": ["ES256"]], "signing_algorithms"),
      (["signing_algorithms": ["RS256", "ES256", "RS256"]], "signing_algorithms"),
      (["signing_algorithms": ["RS256", "ES256", "HS256"]], "signing_algorithms"),
      (["signing_algorithms": "RS256"], "signing_algorithms"),
    ] as [(JSONObject, String)])
  func refusesSettings(_ settings: JSONObject, _ field: String) {
    do throws(ClaimErrors) {
      _ = try TenantSettings(validating: settings)
      Issue.record("accepted")
    } catch {
      #expect(error.errors.map(\.field) == [field])
    }
  }

  @Test func settingsSurviveStorage() throws {
    let settings = try TenantSettings(validating: [
      "signing_algorithms": ["RS256", "ES256", "EdDSA"], "signing_key_rotation_days": 30,
      "signing_key_publication_days": 3, "signing_key_retirement_days": 2,
    ])
    #expect(try TenantSettings(stored: settings.json) == settings)
    #expect(settings.signingAlgorithms == [.rs256, .es256, .edDSA])
  }
}
