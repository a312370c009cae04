import Database
import Foundation
import Platform
import Tenancy
import TestSupport
import Testing

@testable import Compliance

@Suite("GDPR Article 7: consent")
struct ConsentTests {
  private func define(
    _ harness: ComplianceHarness, _ notices: [String: String], isActive: Bool = true
  ) async throws -> ConsentPurpose {
    try await harness.database.transaction(in: harness.tenant.schema) { tx in
      try await harness.compliance.consents.define(
        PurposeDefinition(
          id: "newsletter", name: "Newsletter", description: "News once a month.",
          notices: notices, isActive: isActive),
        in: tx, tenant: harness.tenant, origin: .system)
    }
  }

  private func decide(
    _ harness: ComplianceHarness, _ user: User, _ action: ConsentAction,
    _ target: ConsentDecision.Target, language: String = "en"
  ) async throws {
    try await harness.database.transaction(in: harness.tenant.schema) { tx in
      try await harness.compliance.consents.record(
        ConsentDecision(action, target, language: language, method: .privacyPage), of: user.id,
        in: tx, tenant: harness.tenant, origin: harness.origin(user))
    }
  }

  @Test("a decision is bound to the text that was shown; other words are another version")
  func versions() async throws {
    let harness = try await ComplianceHarness.fresh()
    let alice = try await harness.person("Alice")
    let consents = harness.compliance.consents
    let first = try await define(harness, ["en": "Agree to news.", "de": "Neuigkeiten?"])
    #expect(first.noticeVersion == 1)
    try await decide(harness, alice, .granted, .purpose("newsletter"), language: "de")
    #expect(
      try await define(harness, ["en": "Agree to news.", "de": "Neuigkeiten?"]).noticeVersion == 1)
    harness.clock.advance(bySeconds: 1)
    let second = try await define(harness, ["en": "Agree to more news."])
    #expect(second.noticeVersion == 2)
    let states = try await consents.state(of: alice.id, in: harness.tenant)
    let state = try #require(states.first { $0.purpose == "newsletter" })
    #expect(state.isGranted && state.noticeVersion == 1 && state.language == "de")
    let notice = try #require(
      try await consents.notice(of: "newsletter", language: "fr", in: harness.tenant))
    #expect(notice.body == "Agree to more news." && notice.version == 2)
    #expect(
      try await consents.purposes(retired: false, in: harness.tenant).map(\.id) == ["newsletter"])
  }

  @Test("events are added, never changed; the last one counts, per purpose and per application")
  func states() async throws {
    let harness = try await ComplianceHarness.fresh()
    let alice = try await harness.person("Alice")
    let consents = harness.compliance.consents
    let web = try #require(ClientID("web"))
    _ = try await define(harness, ["en": "Agree?"])
    try await decide(harness, alice, .granted, .purpose("newsletter"))
    harness.clock.advance(bySeconds: 1)
    try await decide(harness, alice, .granted, .application(web, scope: "openid email"))
    harness.clock.advance(bySeconds: 1)
    #expect(
      try await consents.grantedScope(of: alice.id, client: "web", in: harness.tenant)
        == "openid email")
    try await decide(harness, alice, .withdrawn, .application(web, scope: "openid email"))
    #expect(
      try await consents.grantedScope(of: alice.id, client: "web", in: harness.tenant) == nil)
    let states = try await consents.state(of: alice.id, in: harness.tenant)
    #expect(states.map(\.purpose) == ["application", "newsletter"])
    #expect(states.map(\.isGranted) == [false, true])
    #expect(try await harness.count("consent_event") == 4)
    let events = try await harness.events().map(\.action)
    #expect(events.filter { $0 == "consent.granted" }.count == 3)
    #expect(events.filter { $0 == "consent.withdrawn" }.count == 1)
  }

  @Test("what is unknown cannot be decided; what is retired can only be withdrawn")
  func refusals() async throws {
    let harness = try await ComplianceHarness.fresh()
    let alice = try await harness.person("Alice")
    await #expect(throws: ConsentError.unknownPurpose) {
      try await decide(harness, alice, .granted, .purpose("nothing"))
    }
    _ = try await define(harness, ["en": "Agree?"])
    try await decide(harness, alice, .granted, .purpose("newsletter"))
    _ = try await define(harness, ["en": "Agree?"], isActive: false)
    await #expect(throws: ConsentError.unknownPurpose) {
      try await decide(harness, alice, .granted, .purpose("newsletter"))
    }
    harness.clock.advance(bySeconds: 1)
    try await decide(harness, alice, .withdrawn, .purpose("newsletter"))
    #expect(
      try await harness.compliance.consents.purposes(retired: false, in: harness.tenant).isEmpty)
    #expect(
      try await harness.compliance.consents.purposes(retired: true, in: harness.tenant).count == 1)
  }
}

@Suite("Design section 6: reading the audit trail")
struct AuditQueryTests {
  @Test("pages, filters, and personal parts that open while the person is there")
  func query() async throws {
    let harness = try await ComplianceHarness.fresh()
    let alice = try await harness.person("Alice")
    let bruno = try await harness.person("Bruno")
    let trail = harness.compliance.auditTrail
    let any = AuditFilter(action: nil, subject: nil)
    let all = try await trail.events(any, before: nil, limit: 100, in: harness.tenant)
    #expect(all.map(\.seq) == (1...all.count).reversed())
    let page = try await trail.events(any, before: all[1].seq, limit: 2, in: harness.tenant)
    #expect(page == Array(all[2...3]))
    let signIns = AuditFilter(action: "session.sign_in", subject: nil)
    #expect(try await trail.events(signIns, before: nil, limit: 9, in: harness.tenant).count == 2)
    let own = AuditFilter(action: "session.sign_in", subject: alice.id)
    let event = try #require(
      try await trail.events(own, before: nil, limit: 9, in: harness.tenant).first)
    #expect(event.personal?["ip_address"] == "203.0.113.77")
    #expect(event.actorID == alice.id.description)

    _ = try await harness.answer(.erasure, alice)
    #expect(try await trail.events(own, before: nil, limit: 9, in: harness.tenant).isEmpty)
    let after = try await trail.events(signIns, before: nil, limit: 9, in: harness.tenant)
    #expect(after.map(\.subject) == [bruno.id, nil])
    #expect(after.last?.personal == nil && after.last?.seq == event.seq)
  }
}
