import Database
import Foundation
import Migrations
import Platform

/// The latest tenant migration over a thousand organizations: `tenure migrate --tenants` asks for it, the product's worker does it.
struct RolloutRow: Row {
  let name = "tenant-migration"
  let work = "a tenant migration over 1,000 organizations"
  let bars = [
    Bar("seconds", "s from its start to its end", .atMost(2)),
    Bar("idle", "ms of the command where nothing is pending"),
    Bar("postgres", "ms of processor each, Postgres"),
  ]

  private static let count = 1000

  func measure(_ bench: Bench, tenants: Int) async throws -> Figures {
    let laboratory = Laboratory(bench.services.databaseURL)
    defer { laboratory.database.close() }
    guard let last = Migrations.tenant.last, last.version > 1, last.up.contains("add column") else {
      throw BenchFailure("The latest migration adds no column.")
    }
    let migrator = laboratory.migrator
    _ = try await Parallel.map(laboratory.bareTenants(Self.count), width: 8) { tenant in
      try await migrator.revertTenant(
        organization: tenant.id, schema: tenant.schema, to: last.version - 1)
    }
    let (rollout, cost) = try await bench.accounting {
      try bench.product.installation.output(["migrate", "--tenants"])
      return try await completed(laboratory.database)
    }
    guard rollout.migrated == Self.count else {
      throw BenchFailure("\(rollout.migrated) organizations were migrated.")
    }
    let start = ContinuousClock.now
    try bench.product.installation.output(["migrate", "--tenants"])
    return [
      "seconds": rollout.seconds, "idle": (ContinuousClock.now - start).inSeconds * 1e3,
      "postgres": cost.postgres / Double(Self.count) * 1e3,
    ]
  }

  private func completed(_ database: Database) async throws -> LatestRollout.Row {
    let start = ContinuousClock.now
    while ContinuousClock.now - start < .seconds(120) {
      guard let rollout = try await database.first(LatestRollout()) else { break }
      if rollout.state == "completed" { return rollout }
      guard rollout.state == "running" else { break }
      try await Task.sleep(for: .milliseconds(50))
    }
    throw BenchFailure("The migration does not come to its end.")
  }
}

private struct LatestRollout: Statement {
  struct Row: Sendable {
    let state: String
    let migrated: Int
    /// From when an operator asked for it.
    let seconds: Double
  }

  static let sql: SQL<Self> = """
    select state, migrated, extract(epoch from updated_at - created_at)::double precision
      from control.schema_rollout
     order by created_at desc
     limit 1
    """
  static func decode(_ row: inout RowReader) throws -> Row {
    Row(state: try row.next(), migrated: try row.next(), seconds: try row.next())
  }
}
