import Database
import Foundation
import Jobs
import Platform
import Tenancy
import TestSupport
import Testing

@testable import Compliance

@Suite("Requests whose jobs are cancelled, stalled or redriven")
struct RequestRecoveryTests {
  @Test(
    "asking again brings back a job that was cancelled",
    arguments: [
      DataRequestKind.erasure, .export,
    ])
  func cancelled(kind: DataRequestKind) async throws {
    let harness = try await ComplianceHarness.fresh()
    let alice = try await harness.person("Alice")
    let request = try await harness.open(kind, alice)
    let waiting = JobFilter(state: .available, kind: nil, organization: nil)
    for job in try await harness.queue.list(waiting, before: nil, limit: 10) {
      _ = try await harness.queue.cancel(job.id)
    }
    #expect(try await harness.queue.list(waiting, before: nil, limit: 10).isEmpty)
    for _ in 0..<2 { #expect(try await harness.open(kind, alice).id == request.id) }
    #expect(try await harness.queue.list(waiting, before: nil, limit: 10).count == 1)
    #expect(try await harness.answer(request.id).state == .fulfilled)
  }

  @Test("a worker that has lost its job does not write down its failure")
  func stalled() async throws {
    let harness = try await ComplianceHarness.fresh()
    let alice = try await harness.person("Alice")
    let erasure = try await harness.open(.erasure, alice)
    try await harness.abandoning { context in
      _ = try await harness.erasure.revoke(erasure.id, harness.tenant, context)
      try await harness.database.script(
        "update control.job set worker_id = gen_random_uuid(), attempt = attempt + 1")
      await #expect(throws: JobLost.self) {
        try await harness.erasure.fail(erasure.id, harness.tenant, context, sentence: "Too late.")
      }
      let export = try #require(
        harness.compliance.jobHandlers.compactMap { $0 as? ExportHandler }.first)
      await #expect(throws: JobLost.self) {
        try await export.fail(erasure.id, harness.tenant, context)
      }
    }
    #expect(
      try await harness.compliance.requests.find(erasure.id, in: harness.tenant)?.state == .running)
  }

  @Test("an erasure whose request has been moved does not pass for done")
  func moved() async throws {
    let harness = try await ComplianceHarness.fresh()
    let alice = try await harness.person("Alice")
    let request = try await harness.open(.erasure, alice)
    try await harness.abandoning { context in
      _ = try await harness.erasure.revoke(request.id, harness.tenant, context)
      try await harness.database.run(
        MoveRequest(id: request.id, state: .failed, completedAt: nil, report: nil, error: "x"),
        in: harness.tenant.schema)
      await #expect(throws: RequestMoved.self) {
        try await harness.erasure.erase(alice.id, request.id, harness.tenant, context)
      }
      // A failure after a decision changes nothing.
      try await harness.erasure.fail(request.id, harness.tenant, context, sentence: "y")
    }
    let found = try await harness.compliance.requests.find(request.id, in: harness.tenant)
    #expect(found?.error == "x")
  }

  @Test("a run of retention that fails keeps its report, and only its worker can fail it")
  func retention() async throws {
    let harness = try await ComplianceHarness.fresh()
    let run = try await harness.compliance.retention.start(
      .adminAPI, in: harness.tenant, origin: .system)
    let handler = try #require(
      harness.compliance.jobHandlers.compactMap { $0 as? RetentionHandler }.first)
    try await harness.abandoning { context in
      try await harness.database.run(
        UpdateRun(
          id: run.id, state: .running, finishedAt: nil,
          report: [["rule": "session.ended", "table": "session", "rows": 3]]),
        in: harness.tenant.schema)
      try await handler.fail(run.id, harness.tenant, context)
      let failed = try await harness.compliance.retention.find(run.id, in: harness.tenant)
      #expect(failed?.state == .failed && failed?.counts.first?.rows == 3)
      try await harness.database.script("update control.job set worker_id = gen_random_uuid()")
      await #expect(throws: JobLost.self) {
        try await handler.fail(run.id, harness.tenant, context)
      }
    }
  }
}
