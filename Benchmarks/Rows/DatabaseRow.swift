import Database
import Foundation
import Platform

/// Statements through `Database`, against pgbench on the same server over the same kind of socket.
struct DatabaseRow: Row {
  enum Load: String, Sendable {
    case select, commit
  }

  let load: Load

  init(_ load: Load) { self.load = load }

  var name: String { load.rawValue }
  var isMixed: Bool { true }
  var usesOrganizations: Bool { false }

  var work: String {
    switch load {
    case .select: "`Database`: indexed SELECT, 16 connections"
    case .commit: "`Database`: INSERT and commit, 16 connections"
    }
  }

  var bars: [Bar] {
    let (ceiling, limit): (String, Bar.Limit) =
      switch load {
      case .select: ("pgbench -S -M prepared", .atLeast(0.65))
      case .commit: ("pgbench -M prepared, the same INSERT", .none)
      }
    return [
      Bar("rate", "statements/s"), Bar("ratio", "of pgbench", limit),
      Bar("pgbench", "statements/s, \(ceiling)"), Bar("cpu", "µs of processor each"),
      Bar("postgres", "µs of processor each, Postgres"), Bar("backends", "MiB, all backends"),
    ]
  }

  private static let connections = 16
  /// As many as pgbench has, in all schemas together.
  private static let rows = 100_000

  func measure(_ bench: Bench, tenants: Int) async throws -> Figures {
    let seconds = bench.plan.seconds
    let ceiling = try await bench.pgbench(load, connections: Self.connections, seconds: seconds)
    let laboratory = Laboratory(bench.services.databaseURL, connections: Self.connections)
    defer { laboratory.database.close() }
    let database = laboratory.database
    let schemas = try await laboratory.bareTenants(tenants).map(\.schema)
    let rows = Self.rows / tenants
    for schema in schemas where try await database.run(FillRevocations(rows: rows), in: schema) > 0
    {
      try await database.script("analyze \(schema.quoted).token_revocation")
    }
    // Teaches connections the statement of each organization.
    _ = try await run(seconds: max(seconds / 2, 1), database, schemas, rows: rows)
    let before = ProcessInfo.processInfo.processorSeconds
    let (done, cost) = try await bench.accounting {
      try await run(seconds: seconds, database, schemas, rows: rows)
    }
    let own = ProcessInfo.processInfo.processorSeconds - before
    let (count, rate) = (Double(done.count), Double(done.count) / done.seconds)
    return [
      "rate": rate, "ratio": rate / ceiling, "pgbench": ceiling, "cpu": own / count * 1e6,
      "postgres": cost.postgres / count * 1e6,
      "backends": try await laboratory.backendBytes() / 1_048_576,
    ]
  }

  /// As many tasks as connections, each with one statement after the other, in an organization picked at random.
  private func run(seconds: Int, _ database: Database, _ schemas: [TenantSchema], rows: Int)
    async throws -> (count: Int, seconds: Double)
  {
    let start = ContinuousClock.now
    let count = try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<Self.connections {
        group.addTask {
          var (count, random) = (0, CheapRandom())
          while count % 16 != 0 || ContinuousClock.now - start < .seconds(seconds) {
            let schema = schemas[Int.random(in: 0..<schemas.count, using: &random)]
            try await once(database, schema, row: Int.random(in: 1...rows, using: &random))
            count += 1
          }
          return count
        }
      }
      return try await group.reduce(0, +)
    }
    return (count, (ContinuousClock.now - start).inSeconds)
  }

  private func once(_ database: Database, _ schema: TenantSchema, row: Int) async throws {
    switch load {
    case .select:
      guard try await database.first(SelectRevocation(jti: "\(row)"), in: schema) != nil else {
        throw BenchFailure("Row \(row) is not there.")
      }
    case .commit:
      try await database.run(InsertRevocation(jti: UUID().uuidString, now: Date()), in: schema)
    }
  }
}

/// Numbers without a system call each, as pgbench has them (SplitMix64): two of the system's are a fortieth of a statement.
private struct CheapRandom: RandomNumberGenerator {
  private var state = UInt64.random(in: .min ... .max)

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

private struct FillRevocations: Statement {
  let rows: Int
  static let sql: SQL<Self> = """
    insert into \(tenant).token_revocation (jti, created_at, expires_at)
    select n::text, now(), now() + interval '1 year' from generate_series(1, \(\.rows)) as n
        on conflict do nothing
    """
}

private struct SelectRevocation: Statement {
  let jti: String
  static let isPlannedOnce = true
  static let sql: SQL<Self> =
    "select expires_at from \(tenant).token_revocation where jti = \(\.jti)"
  static func decode(_ row: inout RowReader) throws -> Date { try row.next() }
}

private struct InsertRevocation: Statement {
  let jti: String
  let now: Date
  static let isPlannedOnce = true
  static let sql: SQL<Self> = """
    insert into \(tenant).token_revocation (jti, created_at, expires_at)
    values (\(\.jti), \(\.now), \(\.now))
    """
}

extension Bench {
  /// Statements a second of pgbench with as many connections, on a database of its own.
  fileprivate nonisolated func pgbench(
    _ load: DatabaseRow.Load, connections: Int, seconds: Int
  ) async throws -> Double {
    let url = try Services.scratchDatabase("tenure_pgbench")
    let script = "\(Report.folder)/insert.sql"
    if try Services.psql("select to_regclass('revocation')", at: url).isEmpty {
      _ = try Program.output("pgbench", ["-i", "-q", "-s", "1", url])
      try Services.psql(
        """
        create table revocation (
          jti text primary key, created_at timestamptz not null, expires_at timestamptz not null);
        create index on revocation (expires_at);
        """, at: url)
      try Data("insert into revocation values (gen_random_uuid()::text, now(), now());\n".utf8)
        .write(to: URL(fileURLWithPath: script))
    }
    let work = load == .select ? ["-S"] : ["-f", script]
    let printed = try await OwnThread.run {
      try Program.output(
        "pgbench",
        ["-n", "-M", "prepared", "-c", "\(connections)", "-j", "2", "-T", "\(seconds)"] + work
          + [url])
    }
    guard let line = printed.split(separator: "\n").first(where: { $0.hasPrefix("tps = ") }),
      let rate = line.split(separator: " ").dropFirst(2).first.flatMap({ Double($0) }), rate > 0
    else { throw BenchFailure("pgbench printed \(printed.suffix(300))") }
    return rate
  }
}
