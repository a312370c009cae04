import Database
import Platform
import Tenancy

/// Keeps empty schemas with their roles for the organizations to come, made many at a time (decision 0008).
///
/// When a role is granted to the platform's, every connection forgets the memberships it knows and reads all of them anew
/// for its next request: Postgres 15 takes time in proportion to the square of their number for that, 15 ms at 3,000. When
/// a schema is made, every connection plans its prepared statements anew.
struct SpareSchemas: Sendable {
  private let database: Database
  private let migrator: Migrator
  private let clock: WallClock
  private let random: RandomSource

  /// Below this many it is time for more; as many may be taken while they are made.
  private static let countMin = 16
  private static let countMax = 256
  /// So many organizations pay for the reading of one batch.
  private static let organizationsForEach = 8

  init(database: Database, migrator: Migrator, clock: WallClock, random: RandomSource) {
    self.database = database
    self.migrator = migrator
    self.clock = clock
    self.random = random
  }

  /// How many to make; no I/O.
  ///
  /// Where there are few organizations, each makes its own.
  static func missing(spare: Int, organizations: Int) -> Int {
    let wanted = min(organizations / organizationsForEach, countMax)
    return wanted >= countMin && spare < countMin ? wanted - spare : 0
  }

  /// Makes more, when there are few left and no other process makes them.
  func refill() async throws {
    guard migrator.hasRoles, try await missing(in: nil) > 0 else { return }
    let isMade = try await database.transaction { tx in
      guard try await tx.first(LockSpareSchemas()) == true else { return false }
      // What a process made that ended before it could say so.
      try await tx.run(PublishSpareSchemas())
      try await make(try await missing(in: tx), in: tx)
      return true
    }
    if isMade { try await publish() }
  }

  /// The id for an organization whose schema and role are there already.
  func take(in tx: Transaction) async throws -> TenantID? {
    migrator.hasRoles ? try await tx.first(TakeSpareSchema()) : nil
  }

  /// Schemas, roles and their rows, all of them or none.
  func make(_ count: Int, in tx: Transaction) async throws {
    guard count > 0 else { return }
    let ids = (0..<count).map { _ in TenantID.generate(clock, random).uuid }
    let schemas = ids.map(TenantSchema.init)
    try await tx.run(
      InsertSpareSchemas(organizations: ids, names: schemas.map(\.name), now: clock.now()))
    try await tx.script(schemas.map(migrator.emptySchemaScript).joined(separator: "\n"))
  }

  /// In a transaction after the one that made them, for the reason ``PublishReadyOrganizations`` gives.
  func publish() async throws {
    try await database.transaction { tx in
      guard try await tx.first(LockSpareSchemas()) == true else { return }
      try await tx.run(PublishSpareSchemas())
    }
  }

  private func missing(in tx: Transaction?) async throws -> Int {
    let count = CountSpareSchemas(
      spareMax: Self.countMin, organizationsMax: Self.countMax * Self.organizationsForEach)
    let found = if let tx { try await tx.first(count) } else { try await database.first(count) }
    guard let found else { return 0 }
    return Self.missing(spare: found.spare, organizations: found.organizations)
  }
}
