import Compliance
import Database
import Foundation
import HTTPTypes
import JOSE
import Jobs
import Platform
import Tenancy
import Testing
import Web

@testable import ControlPlane

@Suite("Provisioning (design section 3)")
struct ProvisioningTests {
  struct Broken: Error {}

  @Test("An organization is complete at once, and both trails say so")
  func complete() async throws {
    let harness = try await ControlPlaneHarness.fresh()
    let platform = try await harness.platform()
    let made = try await harness.organizations.create(
      harness.draft("acme"), claim: nil, by: platform)
    #expect(made.status == .active && made.epoch == 1)
    let tenant = try #require(try await harness.directory.find(slug: "acme"))
    #expect(tenant.id == made.id && tenant.issuer == "https://id.example/t/acme")
    let keys = try await harness.tenancy.keys.keys(of: tenant)
    #expect(Set(keys.algorithms.map(\.rawValue)) == ["RS256", "ES256"])
    #expect(
      try await harness.compliance.consents.notice(of: "application", language: "en", in: tenant)
        != nil)
    #expect(try await harness.compliance.retention.rules(in: tenant).count > 3)
    #expect(try await harness.actions(in: tenant).contains("organization.created"))
    #expect(try await harness.actions(in: platform.system).contains("organization.created"))
    #expect(
      try await harness.traces(of: "acme").sorted()
        == ["key", "organization active", "role", "schedule"])
  }

  @Test("A failure leaves nothing behind, and the same key can be tried again")
  func failure() async throws {
    let harness = try await ControlPlaneHarness.fresh()
    let platform = try await harness.platform()
    let claim = harness.idempotency.claims.claim(
      "key-1", on: "POST /organizations", by: "tests", body: ["slug": "acme"])
    let broken = harness.organizations(defaults: TenantDefaults { _, _ in throw Broken() })
    await #expect(throws: Broken.self) {
      _ = try await broken.create(harness.draft("acme"), claim: claim, by: platform)
    }
    #expect(try await harness.traces(of: "acme") == [])
    let made = try await harness.organizations.create(
      harness.draft("acme"), claim: claim, by: platform)
    #expect(made.slug == "acme")
  }

  @Test("A slug is given out once, also to requests at the same time")
  func duplicates() async throws {
    let harness = try await ControlPlaneHarness.fresh()
    let platform = try await harness.platform()
    let results = await withTaskGroup(of: Result<TenantID, any Error>.self) { tasks in
      for _ in 0..<4 {
        tasks.addTask {
          do {
            let made = try await harness.organizations.create(
              harness.draft("acme"), claim: nil, by: platform)
            return .success(made.id)
          } catch { return .failure(error) }
        }
      }
      return await tasks.reduce(into: []) { $0.append($1) }
    }
    #expect(results.filter { (try? $0.get()) != nil }.count == 1)
    for case .failure(let error) in results {
      #expect((error as? Problem)?.status.code == 409, "\(error)")
    }
    #expect(try await harness.traces(of: "acme").count == 4)
  }

  @Test("Requests with one Idempotency-Key create one organization and get one answer")
  func idempotency() async throws {
    let harness = try await ControlPlaneHarness.fresh()
    let platform = try await harness.platform()
    let body: JSON = ["slug": "acme", "name": "Acme"]
    let claim = { @Sendable (body: JSON) in
      harness.idempotency.claims.claim(
        "key-1", on: "POST /organizations", by: "tests", body: body)
    }
    let ids = try await withThrowingTaskGroup(of: TenantID.self) { tasks in
      for _ in 0..<6 {
        tasks.addTask {
          try await harness.organizations.create(
            harness.draft("acme"), claim: claim(body), by: platform
          ).id
        }
      }
      return try await tasks.reduce(into: Set<TenantID>()) { $0.insert($1) }
    }
    #expect(ids.count == 1)
    await #expect {
      _ = try await harness.organizations.create(
        harness.draft("other"), claim: claim(["slug": "other", "name": "Acme"]), by: platform)
    } throws: { error in
      (error as? Problem)?.status.code == 422
    }
    #expect(try await harness.traces(of: "other") == [])
  }

  @Test("A deleted organization is unreachable at once, and then gone; its slug is free again")
  func deletion() async throws {
    let harness = try await ControlPlaneHarness.fresh()
    let platform = try await harness.platform()
    let organizations = harness.organizations
    let made = try await organizations.create(harness.draft("acme"), claim: nil, by: platform)
    let folder = "\(harness.archive)/\(made.id)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    #expect(FileManager.default.createFile(atPath: "\(folder)/x.zip", contents: Data([1])))
    _ = try await harness.directory.find(slug: "acme")

    let deleting = try await organizations.delete(made.id, ifMatch: .any, by: platform)
    #expect(deleting.status == .deleting)
    await #expect(throws: Problem.self) { _ = try await organizations.tenant("acme") }
    try await harness.working {
      try await eventually {
        try await organizations.find(made.id.description).status == .deleted
      }
    }
    #expect(try await harness.traces(of: "acme") == ["organization deleted"])
    #expect(!FileManager.default.fileExists(atPath: folder))
    #expect(try await harness.actions(in: platform.system).contains("organization.deleted"))
    await #expect(throws: Problem.self) { _ = try await organizations.find("acme") }
    let again = try await organizations.create(harness.draft("acme"), claim: nil, by: platform)
    #expect(again.id != made.id)
  }

  @Test("What an export writes while its organization is deleted goes, too, also after a crash")
  func deletionDuringExport() async throws {
    let harness = try await ControlPlaneHarness.fresh()
    let platform = try await harness.platform()
    let organizations = harness.organizations
    let made = try await organizations.create(harness.draft("acme"), claim: nil, by: platform)
    let folder = "\(harness.archive)/\(made.id)"
    @Sendable func writeFile() throws {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      #expect(FileManager.default.createFile(atPath: "\(folder)/x.zip", contents: Data([1])))
    }
    @Sendable func isThere() -> Bool { FileManager.default.fileExists(atPath: folder) }
    try writeFile()
    try await harness.working {
      try await harness.database.transaction(in: TenantSchema(id: made.id.uuid)) { tx in
        // As an export holds its tables while it reads them.
        let sql: ComposedSQL = "select count(*) from \(Database.tenantMark).user_account"
        _ = try await tx.first(sql) { row in try row.next(Int.self) }
        _ = try await organizations.delete(made.id, ifMatch: .any, by: platform)
        try await eventually { !isThere() }
        try writeFile()
      }
      try await eventually {
        let organization = try await organizations.find(made.id.description)
        return organization.status == .deleted && !isThere()
      }
      try writeFile()
      try await harness.queue.enqueue(
        DeleteOrganization(organization: made.id), organization: nil, runAt: nil, uniqueKey: nil)
      try await eventually { !isThere() }
    }
  }

  @Test("Suspending and resuming are harmless to repeat")
  func suspension() async throws {
    let harness = try await ControlPlaneHarness.fresh()
    let platform = try await harness.platform()
    let organizations = harness.organizations
    let made = try await organizations.create(harness.draft("acme"), claim: nil, by: platform)
    for _ in 0..<2 {
      #expect(try await organizations.suspend(made.id, by: platform).status == .suspended)
    }
    let tenant = try #require(try await harness.directory.find(slug: "acme"))
    #expect(tenant.status == .suspended)
    for _ in 0..<2 {
      #expect(try await organizations.resume(made.id, by: platform).status == .active)
    }
    let actions = try await harness.actions(in: tenant)
    #expect(actions.filter { $0 == "organization.suspended" }.count == 1)
    #expect(actions.filter { $0 == "organization.resumed" }.count == 1)
    await #expect(throws: Problem.self) {
      _ = try await organizations.suspend(platform.system.id, by: platform)
    }
  }
}
