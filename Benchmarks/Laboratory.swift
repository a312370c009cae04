import Database
import Foundation
import Logging
import Migrations
import Platform
import Tenancy

/// The database from inside, for what is measured below HTTP.
struct Laboratory: Sendable {
  let database: Database
  let logger: Logger

  private static let name = "bench"

  init(_ url: String, connections: Int = 16) {
    var read = SettingsReader.documentation
    var settings = DatabaseSettings(&read)
    settings.connectionsMax = connections
    var logger = Logger(label: Self.name)
    logger.logLevel = .warning
    self.logger = logger
    let separator = url.contains("?") ? "&" : "?"
    database = Database(
      url: Secret("\(url)\(separator)application_name=\(Self.name)"), settings: settings,
      logger: logger)
  }

  var migrator: Migrator {
    Migrator(
      database: database, control: Migrations.control, tenant: Migrations.tenant, clock: .system,
      logger: logger)
  }

  /// The first so many organizations with role, schema and tables and nothing in them; makes those that are missing.
  ///
  /// The product does not serve them: they are suspended and have no keys.
  func bareTenants(_ count: Int) async throws -> [BareTenant] {
    let known = try await database.all(FindBareTenants())
    guard known.count < count else { return Array(known.prefix(count)) }
    Terminal.note("  making \(count - known.count) bare organizations")
    let migrator = migrator
    let made = try await Parallel.map(known.count..<count, width: 4) { number in
      let id = UUID()
      let schema = TenantSchema(id: id)
      try await database.script(migrator.provisioningScript(for: schema))
      try await database.run(
        InsertBareTenant(
          id: id, slug: "bare-\(number)", schema: schema.name, version: migrator.tenantVersion,
          now: Date()))
      return BareTenant(id: id, schema: schema)
    }
    return known + made
  }

  /// What the Postgres processes of this laboratory keep for themselves.
  func backendBytes() async throws -> Double {
    try await database.all(FindBackends(name: Self.name)).reduce(0) {
      try $0 + ProcessMemory.own(of: $1)
    }
  }
}

struct BareTenant: Sendable {
  let id: UUID
  let schema: TenantSchema
}

private struct InsertBareTenant: Statement {
  let id: UUID
  let slug: String
  let schema: String
  let version: Int
  let now: Date
  static let sql: SQL<Self> = """
    insert into control.organization
           (id, slug, name, status, schema_name, schema_version, epoch, settings, created_at, updated_at)
    values (\(\.id), \(\.slug), \(\.slug), 'suspended', \(\.schema), \(\.version), 1, '{}', \(\.now),
            \(\.now))
    """
}

private struct FindBareTenants: Statement {
  static let sql: SQL<Self> = """
    select id, schema_name from control.organization where slug like 'bare-%' order by created_at, id
    """
  static func decode(_ row: inout RowReader) throws -> BareTenant {
    let id: UUID = try row.next()
    let name: String = try row.next()
    guard let schema = TenantSchema(name) else { throw BenchFailure("\(name) is no schema.") }
    return BareTenant(id: id, schema: schema)
  }
}

private struct FindBackends: Statement {
  let name: String
  static let sql: SQL<Self> = """
    select pid from pg_stat_activity
     where datname = current_database() and application_name = \(\.name)
    """
  static func decode(_ row: inout RowReader) throws -> Int { try row.next() }
}

/// Memory of processes, from the kernel's accounts (proc(5)), in bytes.
enum ProcessMemory {
  /// What a process does not share with files or others.
  static func own(of pid: some BinaryInteger) throws -> Double {
    try field("Pss_Anon", of: "/proc/\(pid)/smaps_rollup")
  }

  static func resident(of pid: some BinaryInteger) throws -> Double {
    try field("VmRSS", of: "/proc/\(pid)/status")
  }

  static func residentPeak(of pid: some BinaryInteger) throws -> Double {
    try field("VmHWM", of: "/proc/\(pid)/status")
  }

  /// Has the peak begin with what is resident now.
  static func forgetPeak(of pid: some BinaryInteger) throws {
    try "5".write(toFile: "/proc/\(pid)/clear_refs", atomically: false, encoding: .ascii)
  }

  private static func field(_ name: String, of path: String) throws -> Double {
    let text = try String(contentsOfFile: path, encoding: .utf8)
    guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("\(name):") }),
      let kibibytes = line.split(whereSeparator: \.isWhitespace).dropFirst().first
        .flatMap({ Double($0) })
    else { throw BenchFailure("\(path) has no \(name).") }
    return kibibytes * 1024
  }
}

extension Duration {
  var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}

extension ProcessInfo {
  /// Processor time of this process.
  var processorSeconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
