import Database
import Foundation
import Jobs
import Platform
import Tenancy
import TestSupport
import Testing

@testable import Compliance

@Suite("GDPR Article 17: erasure")
struct ErasureTests {
  @Test("nothing of the person is left in a dump; the trail stays, in sequence and without them")
  func nothingLeft() async throws {
    let harness = try await ComplianceHarness.fresh()
    let alice = try await harness.person("Alice")
    let bruno = try await harness.person("Bruno")
    _ = try await harness.answer(.export, alice)
    #expect(harness.files.count == 1)
    let before = try await harness.events()
    let plan = try await harness.compliance.requests.erasurePlan(of: alice.id, in: harness.tenant)
    let others = try await harness.compliance.requests.erasurePlan(
      of: bruno.id, in: harness.tenant)

    let request = try await harness.answer(.erasure, alice)
    #expect(request.state == .fulfilled)
    #expect(request.subject == nil)
    #expect(request.dueAt.rfc3339 == "2027-02-15T08:00:00.000Z")
    let report = try #require(request.report)
    // Opening and revoking add one audit event each, the request itself is one more row.
    for step in plan where !["audit_event", "data_request"].contains(step.table) {
      #expect(report.contains(step), "\(step)")
    }
    #expect(report.first { $0.table == "session" }?.rows == 2)
    #expect(report.first { $0.table == "user_account" }?.action == "shred")

    let dump = try output(of: "pg_dump", ["--dbname", harness.test.url.reveal(), "--inserts"])
    let schema = try output(
      of: "pg_dump",
      ["--dbname", harness.test.url.reveal(), "--schema", harness.tenant.schema.name, "--inserts"])
    for trace in Person.traces("Alice", alice) {
      #expect(!schema.contains(trace), "\(trace)")
      // The ledger names the id, so that a restored backup can forget again.
      if trace != alice.id.description { #expect(!dump.contains(trace), "\(trace)") }
    }
    #expect(schema.contains(bruno.id.description))
    #expect(harness.files.isEmpty)

    let after = try await harness.events()
    #expect(after.map(\.seq) == Array(1...after.count))
    for event in before {
      let same = try #require(after.first { $0.seq == event.seq })
      #expect(same.id == event.id && same.action == event.action)
      #expect(same.commitment == event.commitment)
      guard event.subject == alice.id else { continue }
      #expect(same.subject == nil && same.personal == nil && same.commitmentKey == nil)
      #expect(same.actorID == (event.actorID == alice.id.description ? nil : event.actorID))
    }
    #expect(
      try await harness.compliance.requests.erasurePlan(of: bruno.id, in: harness.tenant) == others)
    let ledger = try await harness.database.all(ListSampleLedger(organization: harness.tenant.id))
    #expect(ledger.map(\.state) == ["done"] && ledger.map(\.subject) == [alice.id])
  }

  @Test("erasing twice is harmless")
  func twice() async throws {
    let harness = try await ComplianceHarness.fresh()
    let alice = try await harness.person("Alice")
    let first = try await harness.open(.erasure, alice)
    #expect(try await harness.open(.erasure, alice).id == first.id)
    // A second request as it could come from another channel at the same moment.
    let second = ID<DataRequest>.generate(harness.clock.clock, .system)
    try await harness.database.run(
      InsertRequest(
        id: second, kind: .erasure, state: .received, subject: alice.id, channel: .deletion,
        now: ComplianceHarness.start, verifiedAt: nil, dueAt: ComplianceHarness.start),
      in: harness.tenant.schema)
    for id in [first.id, second] {
      try await harness.queue.enqueue(
        ErasureJob(organization: harness.tenant.id, request: id),
        organization: harness.tenant.id.uuid, runAt: nil, uniqueKey: nil)
    }
    for id in [first.id, second] { _ = try await harness.answer(id) }
    let requests = try await harness.compliance.requests.list(
      DataRequestFilter(subject: nil, kind: .erasure, state: nil), before: nil, limit: 10,
      in: harness.tenant)
    #expect(requests.map(\.state) == [.fulfilled, .fulfilled])
    await #expect(throws: DataRequestError.unknownSubject) {
      try await harness.open(.erasure, alice)
    }
    await #expect(throws: DataRequestError.unknownSubject) {
      try await harness.open(.export, alice)
    }
    let events = try await harness.events()
    #expect(events.filter { $0.action == "privacy.request_fulfilled" }.count == 2)
    #expect(events.map(\.seq) == Array(1...events.count))
  }

  @Test("what the search finds fails the erasure as a whole; once it is gone, a redrive succeeds")
  func residue() async throws {
    let harness = try await ComplianceHarness.fresh()
    let alice = try await harness.person("Alice")
    try await harness.insertClient("web", name: "Shop of ALICE@people.example")
    let plan = try await harness.compliance.requests.erasurePlan(of: alice.id, in: harness.tenant)
    let request = try await harness.answer(.erasure, alice)
    #expect(request.state == .failed)
    #expect(
      request.error == "The search after the erasure found data of the person in: client.")
    #expect(request.subject == alice.id)
    let still = try await harness.compliance.requests.erasurePlan(of: alice.id, in: harness.tenant)
    for table in ["user_account", "consent_event", "audit_event", "data_request"] {
      let rows = plan.first { $0.table == table }?.rows ?? 0
      #expect((still.first { $0.table == table }?.rows ?? 0) >= rows, "\(table)")
    }
    // Access is revoked all the same.
    #expect(still.first { $0.table == "session" }?.rows == 0)
    #expect(try await harness.tenancy.users.find(alice.id, in: harness.tenant)?.status == .erasing)

    try await harness.insertClient("web", name: "Shop")
    let filter = JobFilter(state: .dead, kind: ErasureJob.kind, organization: nil)
    let job = try #require(try await harness.queue.list(filter, before: nil, limit: 1).first)
    #expect(
      job.error == "The search after the erasure found data of the person in: client.")
    #expect(try await harness.queue.retry(job.id))
    try await harness.working {
      try await eventually {
        try await harness.compliance.requests.find(request.id, in: harness.tenant)?.state
          == .fulfilled
      }
    }
    let done = try #require(
      try await harness.compliance.requests.find(request.id, in: harness.tenant))
    #expect(done.report?.first { $0.table == "session" }?.rows == 2)
    #expect(done.error == nil)
  }

  @Test("values that others have, too, do not stop an erasure")
  func commonValues() async throws {
    let harness = try await ComplianceHarness.fresh()
    try await harness.insertClient("leipzig", name: "Leipzig granted privacy_page")
    let user = try await harness.tenancy.users.create(
      Claims(validating: [
        "username": "granted", "given_name": "application", "family_name": "privacy_page",
        "nickname": "web", "address": ["locality": "Leipzig", "country": "success"],
      ]), password: nil, in: harness.tenant, origin: .system)
    _ = try await harness.person("Bruno")
    let request = try await harness.answer(.erasure, user, channel: .deletion)
    #expect(request.state == .fulfilled)
  }

  @Test("a killed worker's successor goes on, wherever it stopped", arguments: 0...2)
  func takeOver(steps: Int) async throws {
    let harness = try await ComplianceHarness.fresh()
    let alice = try await harness.person("Alice")
    let handler = try #require(
      harness.compliance.jobHandlers.compactMap { $0 as? ErasureHandler }.first)
    _ = try await harness.answer(.export, alice)
    let request = try await harness.open(.erasure, alice)
    try await harness.abandoning { context in
      let subject = try await handler.revoke(request.id, harness.tenant, context)
      if steps > 0 { try await handler.deleteFiles(of: #require(subject), harness.tenant) }
      if steps > 1 {
        try await handler.erase(#require(subject), request.id, harness.tenant, context)
      }
    }
    harness.clock.advance(bySeconds: 31)
    let done = try await harness.answer(request.id)
    #expect(done.state == .fulfilled)
    #expect(done.report?.first { $0.table == "session" }?.rows == 2)
    #expect(done.report?.first { $0.table == "user_account" }?.rows == 1)
    #expect(harness.files.isEmpty)
    let fulfilled = try await harness.events().filter { $0.action == "privacy.request_fulfilled" }
    #expect(fulfilled.count == 2)
  }

  @Test("exports and erasures of the same people at the same time leave nothing behind")
  func concurrent() async throws {
    let harness = try await ComplianceHarness.fresh()
    var requests: [ID<DataRequest>] = []
    var users: [User] = []
    for index in 0..<6 { users.append(try await harness.person("Person\(index)x")) }
    for user in users {
      requests.append(try await harness.open(.export, user).id)
      requests.append(try await harness.open(.erasure, user).id)
    }
    let all = requests
    try await harness.working {
      try await eventually {
        for id in all where try await !harness.isDecided(id) { return false }
        return true
      }
      let waiting = JobFilter(state: .available, kind: nil, organization: nil)
      let running = JobFilter(state: .running, kind: nil, organization: nil)
      try await eventually {
        let open =
          try await harness.queue.list(waiting, before: nil, limit: 1)
          + harness.queue.list(running, before: nil, limit: 1)
        return open.isEmpty
      }
    }
    #expect(harness.files.isEmpty)
    #expect(try await harness.count("export_package") == 0)
    #expect(try await harness.count("user_account") == 0)
    let states = try await harness.compliance.requests.list(
      DataRequestFilter(subject: nil, kind: .erasure, state: .fulfilled), before: nil, limit: 10,
      in: harness.tenant)
    #expect(states.count == 6)
  }
}

extension ComplianceHarness {
  /// Does part of a job as a worker that then dies without a word.
  func abandoning(_ body: (JobContext) async throws -> Void) async throws {
    let crash = try await CrashedWorker.claim(
      database, handlers: compliance.jobHandlers, clock: clock.clock)
    try await body(crash)
  }
}
