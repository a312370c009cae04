import Database
import Foundation
import Jobs
import Platform
import Tenancy
import TestSupport
import Testing

@testable import Compliance

@Suite("GDPR Article 17: what the search after an erasure counts")
struct ErasureResidueTests {
  @Test("somebody who has the same e-mail, name and number today does not stop the erasure")
  func registeredAgain() async throws {
    let harness = try await ComplianceHarness.fresh()
    let alice = try await harness.person("Alice")
    let request = try await harness.open(.erasure, alice)
    try await harness.abandoning { context in
      _ = try await harness.erasure.revoke(request.id, harness.tenant, context)
    }
    let again = try await harness.tenancy.users.create(
      Claims(validating: Person.claims("Alice")), password: nil, in: harness.tenant,
      origin: .system)
    harness.clock.advance(bySeconds: 31)
    #expect(try await harness.answer(request.id).state == .fulfilled)
    #expect(try await harness.tenancy.users.find(again.id, in: harness.tenant)?.status == .active)
  }

  @Test("but in the rows of those who have not, an e-mail is found, and an id in anybody's")
  func foundWithOthers() async throws {
    let harness = try await ComplianceHarness.fresh()
    _ = try await harness.person("Bruno")
    let code = "update \(harness.tenant.schema.quoted).one_time_token set payload ="
    try await harness.database.script("\(code) '{\"hint\": \"ALICE@people.example\"}'")
    let key = harness.tenant.key
    let index = try #require(key.blindIndex(.email, "alice@people.example"))
    let others = try #require(key.blindIndex(.email, "bruno@people.example"))
    let id = UserID(UUID())
    func tables(_ indexes: [[UInt8]]) async throws -> [String] {
      let needles = SubjectNeedles(
        ids: [id.description], identifiers: ["alice@People.example"], ambiguous: [],
        indexes: indexes)
      return try await harness.residue(needles)
    }
    #expect(try await tables([index]) == ["one_time_token"])
    #expect(try await tables([others]) == [])
    try await harness.database.script("\(code) '{\"hint\": \"\(id)\"}'")
    #expect(try await tables([others]) == ["one_time_token"])
  }

  @Test("where nobody is meant, only what is certain counts")
  func aboutNobody() async throws {
    let harness = try await ComplianceHarness.fresh()
    try await harness.insertClient("web", name: "Musterfrau and daughters")
    var needles = SubjectNeedles(
      ids: [], identifiers: [], ambiguous: ["Musterfrau"], indexes: [])
    #expect(try await harness.residue(needles) == [])
    needles = SubjectNeedles(ids: [], identifiers: ["Musterfrau"], ambiguous: [], indexes: [])
    #expect(try await harness.residue(needles) == ["client"])
  }
}

extension ComplianceHarness {
  var erasure: ErasureHandler {
    get throws { try #require(compliance.jobHandlers.compactMap { $0 as? ErasureHandler }.first) }
  }

  func residue(_ needles: SubjectNeedles) async throws -> [String] {
    try await database.transaction(in: tenant.schema) { tx in
      try await ResidueScan(map: compliance.map).tables(with: needles, in: tx)
    }
  }
}
