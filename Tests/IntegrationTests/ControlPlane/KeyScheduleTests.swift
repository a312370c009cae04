import Database
import Foundation
import Jobs
import Platform
import Tenancy
import TestSupport
import Testing

@testable import ControlPlane

@Suite("Every organization has the job that rotates its keys")
struct KeyScheduleTests {
  @Test("Also one that was made before there was such a job; and it has it once")
  func backfill() async throws {
    let test = try await TestDatabase.fresh(migrated: true)
    let tenant = try await test.freshTenant()
    #expect(try await test.database.all(KeySchedules()).isEmpty)
    for _ in 0..<2 {
      try await test.migrator.revertControl(to: 3)
      try await test.migrator.migrateControl()
      let schedules = try await test.database.all(KeySchedules())
      let jobs = try schedules.map {
        try JSONDecoder().decode(RotateSigningKeys.self, from: Data($0.payload.utf8))
      }
      #expect(jobs.map(\.organization) == [TenantID(tenant.organization)])
      // What a new organization gets, as code.
      let schedule = try RotateSigningKeys.schedule()
      #expect(schedules.first?.cron == schedule.calendar.expression.text)
      #expect(schedules.first?.jitterSeconds == schedule.jitterSeconds)
    }
  }

  @Test("And one that is new, the platform's own among them")
  func provisioned() async throws {
    let harness = try await ControlPlaneHarness.fresh()
    let system = try await harness.plane.bootstrap.systemTenant()
    let schedules = try await harness.database.all(KeySchedules())
    #expect(schedules.contains { $0.payload.contains(system.id.description) })
  }
}

private struct KeySchedules: Statement {
  static let sql: SQL<Self> = """
    select payload::text, cron, jitter_seconds
      from control.job_schedule
     where kind = 'keys.rotate'
       and enabled
    """
  static func decode(_ row: inout RowReader) throws -> (
    payload: String, cron: String, jitterSeconds: Int
  ) {
    (payload: try row.next(), cron: try row.next(), jitterSeconds: try row.next())
  }
}
