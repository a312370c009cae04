import Database
import FoundationEssentials
import Logging
import Platform
import ServiceLifecycle
import Synchronization

/// Group commit: events that arrive while others are being written form the next batches, one of each
/// tenant, and those of several tenants are one transaction: each under its tenant's role, all in one
/// round trip, with one wait for the disk.
///
/// One statement per tenant at a time, since all of them need the tenant's counter. A tenant whose
/// statement fails, or has to wait for a lock, is left out and tried by itself; the others go again
/// without it.
final class AuditWriter: Sendable {
  private let database: Database
  private let spill: AuditSpill
  private let queue: AuditQueue
  private let clock: WallClock
  private let logger: Logger
  /// Until when Postgres is taken for away, so that an outage costs a file write and no time-out.
  private let awayUntil = Mutex<Date>(.distantPast)

  let metrics = AuditMetrics()

  /// How many tenants that stand aside are tried at a time.
  private static let asideCount = 4
  /// How long others in the same transaction wait for one tenant's counter: several times as long as another process's
  /// batch takes.
  private static let lockMilliseconds = 200
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
          for _ in 0..<Self.asideCount { workers.addTask { await self.workAside() } }
          await withDiscardingTaskGroup { workers in
            for line in 0..<AuditQueue.aside { workers.addTask { await self.work(line) } }
          }
          self.queue.closeAside()
        }
        group.cancelAll()
      }
    } onCancelOrGracefulShutdown: {
      self.queue.close()
    }
  }

  private func work(_ line: Int) async {
    while true {
      let group = await queue.next(line: line)
      if group.isEmpty { return }
      // Everybody takes the counters of tenants in the same order.
      await write(group.sorted { $0.schema.name < $1.schema.name }, line: line)
    }
  }

  private func write(_ group: [AuditQueue.Batch], line: Int) async {
    var rest = group
    while !rest.isEmpty, !isAway {
      do {
        let counts = try await database.run(
          together: rest.map {
            TenantStatement(InsertAuditBatch($0.events.map(\.record)), in: $0.schema)
          }, lane: line, lockMilliseconds: Self.lockMilliseconds)
        for (batch, count) in zip(rest, counts) {
          guard count == batch.events.count else {
            queue.setAside(batch, isToBlame: true)
            continue
          }
          metrics.written.add(count)
          queue.finish(batch) { _ in .success(true) }
        }
        return
      } catch {
        let cause = (error as? TogetherError)?.cause ?? error
        if Self.isAway(cause) {
          note(outage: cause)
        } else if let culprit = (error as? TogetherError)?.culprit {
          queue.setAside(rest.remove(at: culprit), isToBlame: true)
        } else {
          for batch in rest { queue.setAside(batch, isToBlame: false) }
          return
        }
      }
    }
    if !rest.isEmpty { spill(rest) }
  }

  private func spill(_ batches: [AuditQueue.Batch]) {
    do {
      try spill.append(
        batches.flatMap { batch in
          batch.events.map { .init(schema: batch.schema, record: $0.record) }
        })
      for batch in batches {
        metrics.spilled.add(batch.events.count)
        queue.finish(batch) { _ in .success(true) }
      }
    } catch {
      for batch in batches { queue.setAside(batch, isToBlame: false) }
    }
  }

  private func workAside() async {
    while let batch = await queue.next(line: AuditQueue.aside).first {
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
    if !isAway {
      do {
        try await database.insert(records, in: schema)
        metrics.written.add(records.count)
        return
      } catch {
        guard Self.isOutage(error) else { throw error }
        note(outage: error)
      }
    }
    try spill.append(records.map { .init(schema: schema, record: $0) })
    metrics.spilled.add(records.count)
  }

  private var isAway: Bool { awayUntil.withLock { clock.now() < $0 } }

  private func note(outage error: any Error) {
    awayUntil.withLock { $0 = clock.now().addingTimeInterval(Self.awaySeconds) }
    logger.warning("audit events spilled", metadata: ["error": "\(String(reflecting: error))"])
  }

  /// Whether the events are worth keeping for later: nobody looked at them.
  static func isOutage(_ error: any Error) -> Bool {
    isAway(error) || (error as? DatabaseError)?.sqlState == .queryCanceled
  }

  /// Whether nobody's events would be looked at.
  private static func isAway(_ error: any Error) -> Bool {
    error is CancellationError || (error as? DatabaseError)?.isUnavailable == true
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
