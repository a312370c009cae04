import Foundation
import Glibc
import NIOHTTP1
import Platform
import Testing

/// A worker killed in the middle of a job loses nothing: another takes the job over and finishes it.
@Suite("A worker killed in mid-job")
struct WorkerCrashTests {
  @Test(
    "The job is taken over and done once", .timeLimit(.minutes(10)),
    arguments: ["export", "erasure"])
  func takeover(kind: String) async throws {
    let deployment = try await Deployment()
    let server = try await deployment.serve(roles: "control,runtime")
    let tenant = try await TestTenant(deployment.admin)
    let person = try await tenant.person()
    try addHistory(of: person, to: tenant, in: deployment, events: 150_000)
    let opened = try await deployment.admin.document(
      .POST, "\(tenant.path)/privacy/requests",
      ["kind": .string(kind), "subject": ["id": .string(person.id)]])
    let id = try #require(opened["id"]?.stringValue)
    #expect(opened["state"] == "received" || opened["state"] == "verified")

    let first = try await deployment.serve(roles: "worker")
    try await running(kind, in: deployment)
    try await first.end(SIGKILL)
    let stopped = try await deployment.admin.document(
      .GET, "\(tenant.path)/privacy/requests/\(id)")
    #expect(stopped["state"] != "fulfilled", "the worker was killed too late to prove anything")

    let second = try await deployment.serve(roles: "worker")
    let finished = try await tenant.finished(request: id)
    #expect(finished["state"] == "fulfilled", "\(finished.text)")
    let jobs = try await deployment.admin.document(
      .GET, "jobs?kind=\(try await self.kind(of: kind, in: deployment))")
    let job = try #require(jobs["jobs"]?.arrayValue?.first)
    #expect(job["state"] == "completed")
    #expect((job["attempt"]?.integerValue ?? 0) > 1)
    if kind == "export" {
      let address = try #require(finished["package"]?["url"]?.stringValue)
      let file = deployment.folder.appendingPathComponent("package.zip")
      try Data(try await HTTP.get(address).body).write(to: file)
      try Shell.run("unzip", ["-tq", file.path])
      let archive = deployment.folder.appendingPathComponent("archive").path
      let files = FileManager.default.enumerator(atPath: archive)?.allObjects as? [String] ?? []
      #expect(files.filter { $0.hasSuffix(".part") }.isEmpty)
    } else {
      let left = try TestServices.psql(
        "select count(*) from \(try schema(of: tenant, in: deployment)).audit_event where subject_id = '\(person.id)'",
        at: deployment.databaseURL)
      #expect(left.trimmingCharacters(in: .whitespacesAndNewlines) == "0")
      let user = try await deployment.admin.call(.GET, "\(tenant.path)/users/\(person.id)")
      #expect(user.status == 404)
    }
    try await second.end(SIGTERM)
    try await server.end(SIGTERM)
  }

  /// A long history, so that the job takes its time.
  private func addHistory(
    of person: TestPerson, to tenant: TestTenant, in deployment: Deployment, events: Int
  ) throws {
    let schema = try schema(of: tenant, in: deployment)
    try TestServices.psql(
      """
      with head as (
        update \(schema).audit_head set last_seq = last_seq + \(events)
         returning last_seq - \(events) as base)
      insert into \(schema).audit_event
        (seq, id, occurred_at, action, outcome, actor_kind, actor_id, subject_id, detail, commitment,
         commitment_key)
      select base + n, gen_random_uuid(), now(), 'session.created', 'success', 'user',
             '\(person.id)', '\(person.id)', '{}', sha256(n::text::bytea), sha256(n::text::bytea)
        from head, generate_series(1, \(events)) n
      """, at: deployment.databaseURL)
  }

  private func schema(of tenant: TestTenant, in deployment: Deployment) throws -> String {
    try TestServices.psql(
      "select schema_name from control.organization where id = '\(tenant.id)'",
      at: deployment.databaseURL
    ).trimmingCharacters(in: .whitespacesAndNewlines)
  }

  private func running(_ kind: String, in deployment: Deployment) async throws {
    for _ in 0..<3000 {
      let jobs = try await deployment.admin.document(.GET, "jobs?state=running")
      let kinds = (jobs["jobs"]?.arrayValue ?? []).compactMap { $0["kind"]?.stringValue }
      if kinds.contains(where: { $0.contains(kind) }) { return }
    }
    throw TestFailure("No \(kind) job starts to run.")
  }

  private func kind(of name: String, in deployment: Deployment) async throws -> String {
    let jobs = try await deployment.admin.document(.GET, "jobs?limit=200")
    let kinds = (jobs["jobs"]?.arrayValue ?? []).compactMap { $0["kind"]?.stringValue }
    guard let kind = kinds.first(where: { $0.contains(name) }) else {
      throw TestFailure("There is no \(name) job among \(kinds).")
    }
    return kind
  }
}
