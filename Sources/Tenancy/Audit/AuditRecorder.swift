package import Database
package import Logging
package import Platform
import ServiceLifecycle

/// Writes the audit trail (design section 6): what an administrator or a person changes goes into the
/// transaction that changes it; sign-ins go through a writer that commits many at once.
package struct AuditRecorder: Service {
  let writer: AuditWriter
  private let clock: WallClock
  private let random: RandomSource

  package init(
    database: Database, settings: AuditSettings, clock: WallClock, random: RandomSource,
    logger: Logger
  ) {
    writer = AuditWriter(
      database: database, queueMax: settings.queueMax,
      spill: AuditSpill(directory: settings.spillDirectory, clock: clock, random: random),
      clock: clock, logger: logger)
    self.clock = clock
    self.random = random
  }

  /// The counter of a tenant that is being provisioned; before its first event.
  package func begin(in tx: Transaction, tenant: Tenant) async throws {
    try await tx.run(InsertAuditHead(), in: tenant.schema)
  }

  /// Records in the caller's transaction.
  ///
  /// It holds the tenant's counter until the end, so that there are no gaps: record last.
  package func record(_ event: AuditEvent, in tx: Transaction, tenant: Tenant) async throws {
    let record = AuditRecord(event, tenant: tenant, clock: clock, random: random)
    guard try await tx.run(InsertAuditBatch([record]), in: tenant.schema) == 1 else {
      throw AuditError.noHead
    }
    tx.onCommit { [writer] in writer.metrics.written.add() }
  }

  /// Records on its own and returns when the event is durable: committed together with others, or,
  /// while Postgres is away, synced to the spill file.
  package func record(_ event: AuditEvent, tenant: Tenant) async throws {
    try await writer.write(
      AuditRecord(event, tenant: tenant, clock: clock, random: random), schema: tenant.schema)
  }

  /// Runs the writer; without it every event is written by itself.
  package func run() async throws {
    await writer.run()
  }

  /// Whether events are batched: `run()` has begun and nobody asked it to stop.
  package var isBatching: Bool { writer.isBatching }

  /// Writes what earlier outages left in the spill directory; how many events arrived.
  @discardableResult
  package func replay() async throws -> Int {
    try await writer.replay()
  }
}

package enum AuditError: Error, Sendable, Hashable {
  /// More events wait than the queue may hold.
  case overloaded
  /// The tenant has no counter: provisioning did not finish.
  case noHead
  /// Postgres is away and there is no place to spill to, or it refused.
  case spillFailed(String)
}

package struct AuditSettings: Sendable {
  /// Events that may wait for their batch in this process.
  package var queueMax: Int
  package var spillDirectory: FilePath

  package init(queueMax: Int, spillDirectory: FilePath) {
    self.queueMax = queueMax
    self.spillDirectory = spillDirectory
  }

  package init(_ read: inout SettingsReader) {
    queueMax = read.value(
      "AUDIT_QUEUE", default: 10_000, in: 1...1_000_000,
      "Authentication events that may wait for their commit before further ones are refused.")
    spillDirectory = read.value(
      "AUDIT_SPILL_DIRECTORY", default: ".tenure/audit-spill",
      "Where authentication events wait while Postgres is away.")
  }
}
