import Database
import FoundationEssentials
import Logging
import Platform
import ServiceLifecycle
import Synchronization

/// Group commit: events of one tenant that arrive while a batch is being written form the next one.
///
/// One statement per tenant at a time, since all of them need the tenant's counter; several tenants
/// side by side.
final class AuditWriter: Sendable {
  private let database: Database
  private let spill: AuditSpill
  private let queue: AuditQueue
  private let clock: WallClock
  private let logger: Logger
  /// Until when Postgres is taken for away, so that an outage costs a file write and no time-out.
  private let awayUntil = Mutex<Date>(.distantPast)

  let metrics = AuditMetrics()

  private static let workerCount = 4
  private static let awaySeconds = 1.0
  private static let replayInterval = Duration.seconds(1)

  init(
    database: Database, queueMax: Int, spill: AuditSpill, clock: WallClock, logger: Logger
  ) {
    self.database = database
    self.spill = spill
    queue = AuditQueue(countMax: queueMax)
    self.clock = clock
    self.logger = logger
  }

  /// Returns when the event is durable.
  func write(_ record: AuditRecord, schema: TenantSchema) async throws {
    do {
      if try await queue.submit(record, schema: schema) { return }
    } catch AuditError.overloaded {
      metrics.refused.add()
      throw AuditError.overloaded
    }
    try await store([record], schema: schema)
  }

  /// Events that wait for their batch.
  var queueLength: Int { queue.count }
  /// Whether events of this process lie in the spill file.
  var isSpilling: Bool { spill.isUsed }

  var isBatching: Bool { queue.isOpen }

  func run() async {
    queue.open()
    await withTaskCancellationOrGracefulShutdownHandler {
      await withTaskGroup(of: Void.self) { group in
        group.addTask { await self.keepReplaying() }
        await withDiscardingTaskGroup { workers in
          for _ in 0..<Self.workerCount { workers.addTask { await self.work() } }
        }
        group.cancelAll()
      }
    } onCancelOrGracefulShutdown: {
      self.queue.close()
    }
  }

  private func work() async {
    while let batch = await queue.next() {
      do {
        try await store(batch.events.map(\.record), schema: batch.schema)
        queue.finish(batch) { _ in .success(true) }
      } catch {
        await finishOneByOne(batch, after: error)
      }
    }
  }

  /// A batch was refused, not lost: only the event that can't be stored may fail.
  private func finishOneByOne(_ batch: AuditQueue.Batch, after error: any Error) async {
    var failures: [ID<AuditEvent>: any Error] = [:]
    for event in batch.events {
      do {
        if batch.events.count == 1 { throw error }
        try await store([event.record], schema: batch.schema)
      } catch {
        failures[event.record.id] = error
      }
    }
    metrics.refused.add(failures.count)
    logger.error(
      "audit events refused",
      metadata: [
        "count": "\(failures.count)", "tenant": "\(batch.schema)",
        "error": "\(String(reflecting: error))",
      ])
    queue.finish(batch) { event in
      failures[event.record.id].map { .failure($0) } ?? .success(true)
    }
  }

  /// To Postgres, or to the spill file while Postgres is away.
  private func store(_ records: [AuditRecord], schema: TenantSchema) async throws {
    let isAway = awayUntil.withLock { clock.now() < $0 }
    if !isAway {
      do {
        try await database.insert(records, in: schema)
        metrics.written.add(records.count)
        return
      } catch {
        guard Self.isOutage(error) else { throw error }
        awayUntil.withLock { $0 = clock.now().addingTimeInterval(Self.awaySeconds) }
        logger.warning(
          "audit events spilled", metadata: ["error": "\(String(reflecting: error))"])
      }
    }
    try spill.append(records, schema: schema)
    metrics.spilled.add(records.count)
  }

  /// Whether the events are worth keeping for later: nobody looked at them.
  static func isOutage(_ error: any Error) -> Bool {
    if error is CancellationError { return true }
    guard let error = error as? DatabaseError else { return false }
    return error.isUnavailable || error.sqlState == .queryCanceled
  }

  // MARK: Replay

  private func keepReplaying() async {
    var isDue = true
    var isLogged = false
    while !Task.isCancelled {
      if isDue || spill.isUsed {
        do {
          _ = try await replay()
          isDue = false
          isLogged = false
        } catch {
          logger.log(
            level: isLogged ? .debug : .error, "audit events still spilled",
            metadata: ["error": "\(String(reflecting: error))"])
          isDue = true
          isLogged = true
        }
      }
      try? await Task.sleep(for: Self.replayInterval)
    }
  }

  func replay() async throws -> Int {
    let count = try await AuditReplay(database: database, spill: spill, logger: logger).run()
    metrics.replayed.add(count)
    return count
  }
}
