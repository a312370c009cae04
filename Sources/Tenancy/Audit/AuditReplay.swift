import Database
import Logging
import Platform

/// Writes what is in the spill directory and belongs to no living process.
///
/// All of it has been acknowledged: an event leaves its file for the trail, for the file of what
/// Postgres refuses, or because its tenant is gone, and for nothing else.
struct AuditReplay: Sendable {
  let database: Database
  let spill: AuditSpill
  let logger: Logger

  private static let chunkCountMax = 500

  private struct Outcome {
    var written = 0
    var refused: [AuditSpill.Entry] = []
  }

  /// How many events arrived; throws if some could not even be tried, and keeps their files.
  func run() async throws -> Int {
    var count = 0
    var held: (any Error)?
    var last = ""
    while let file = try spill.takeFile(after: last) {
      last = file.name
      var refused: [AuditSpill.Entry] = []
      var isHeld = false
      var rest = file.entries[...]
      while let schema = rest.first?.schema {
        let chunk = rest.prefix(Self.chunkCountMax).prefix { $0.schema == schema }
        rest = rest.dropFirst(chunk.count)
        do {
          let outcome = try await write(chunk, schema: schema)
          count += outcome.written
          refused += outcome.refused
        } catch {
          if Self.isHopeless(error) { throw error }
          // The trouble of one tenant is not that of the next.
          held = error
          isHeld = true
        }
      }
      if !isHeld { try finish(file, refused) }
    }
    if count > 0 { logger.notice("spilled audit events written", metadata: ["count": "\(count)"]) }
    if let held { throw held }
    return count
  }

  private func finish(_ file: AuditSpill.File, _ refused: [AuditSpill.Entry]) throws {
    let count = refused.count + file.unreadable.count
    if count > 0 {
      let path = try file.setAside(refused)
      logger.error(
        "spilled audit events set aside", metadata: ["count": "\(count)", "file": "\(path)"])
    }
    try file.remove()
  }

  private func write(
    _ entries: ArraySlice<AuditSpill.Entry>, schema: TenantSchema
  ) async throws -> Outcome {
    do {
      try await database.insert(entries.map(\.record), in: schema)
      return Outcome(written: entries.count)
    } catch let error as DatabaseError {
      if try await isGone(schema, error) {
        logger.error(
          "spilled audit events of a deleted tenant dropped",
          metadata: ["count": "\(entries.count)", "tenant": "\(schema)"])
        return Outcome()
      }
      guard Self.isAboutEvents(error) else { throw error }
      return try await writeOneByOne(entries, schema: schema, after: error)
    }
  }

  /// One of them was refused, and the others have nothing to do with it.
  private func writeOneByOne(
    _ entries: ArraySlice<AuditSpill.Entry>, schema: TenantSchema, after error: DatabaseError
  ) async throws -> Outcome {
    guard entries.count == 1 else {
      var outcome = Outcome()
      for index in entries.indices {
        let one = try await write(entries[index...index], schema: schema)
        outcome.written += one.written
        outcome.refused += one.refused
      }
      return outcome
    }
    // A batch that was given up as lost has been committed after all.
    if error.isAuditEventThere {
      return Outcome(written: 1)
    }
    logger.error(
      "spilled audit event refused",
      metadata: ["tenant": "\(schema)", "error": "\(String(reflecting: error))"])
    return Outcome(refused: Array(entries))
  }

  /// Both must say so: a database that has lost a role or a table has not lost the tenant.
  private func isGone(_ schema: TenantSchema, _ error: DatabaseError) async throws -> Bool {
    guard error.isTenantMissing else { return false }
    return try await database.first(FindTenantSchema(schema: schema.name)) == false
  }

  /// Whether what was refused is in the events: data (class 22), constraints (23), size (54).
  private static func isAboutEvents(_ error: DatabaseError) -> Bool {
    !error.isTenantMissing && ["22", "23", "54"].contains(error.sqlState.rawValue.prefix(2))
  }

  /// Whether the next tenant would fare no better: Postgres is away, does not let us in (class 28),
  /// or is a standby that only reads.
  private static func isHopeless(_ error: any Error) -> Bool {
    if AuditWriter.isOutage(error) { return true }
    guard let state = (error as? DatabaseError)?.sqlState else { return false }
    return state.rawValue.hasPrefix("28") || state == .readOnlyTransaction
  }
}
