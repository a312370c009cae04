import Database
import Foundation
import Logging
import Platform
import ServiceLifecycle
import Tenancy

/// Sign-ins in the audit trail, each durable before its writer goes on.
struct AuditRow: Row {
  let name = "audit"
  let work = "audit events, group commit"
  let isMixed = true
  let usesOrganizations = false
  let bars = [
    Bar("rate", "events/s, durable", .atLeast(20_000)),
    Bar("delay", "ms p50 that an event waits, 16 at a time", .atMost(5)),
    Bar("cpu", "µs of processor each"), Bar("postgres", "µs of processor each, Postgres"),
  ]

  /// Requests that wait for their event at the same time.
  private static let many = 2000
  private static let few = 16

  func measure(_ bench: Bench, tenants: Int) async throws -> Figures {
    let laboratory = Laboratory(bench.services.databaseURL)
    defer { laboratory.database.close() }
    let trail = Trail(laboratory.database, laboratory.logger)
    let people = try await Parallel.map(laboratory.bareTenants(tenants), width: 8) { bare in
      try await trail.person(in: bare)
    }
    let seconds = bench.plan.seconds
    return try await trail.running {
      // Teaches connections the statement of each organization.
      _ = try await Parallel.map(people, width: Self.many) { try await trail.signIn(of: $0) }
      _ = try await Self.run(Self.many, seconds: max(seconds / 2, 1), trail, people)
      let few = try await Self.run(Self.few, seconds: seconds, trail, people)
      let before = ProcessInfo.processInfo.processorSeconds
      let (many, cost) = try await bench.accounting {
        try await Self.run(Self.many, seconds: seconds, trail, people)
      }
      let own = ProcessInfo.processInfo.processorSeconds - before
      let count = Double(many.waits.count)
      return [
        "rate": count / many.seconds, "delay": few.waits[few.waits.count / 2] * 1e3,
        "cpu": own / count * 1e6, "postgres": cost.postgres / count * 1e6,
      ]
    }
  }

  /// Seconds each event waited, in order, and how long it all took.
  private static func run(
    _ writers: Int, seconds: Int, _ trail: Trail, _ people: [Trail.Person]
  ) async throws -> (waits: [Double], seconds: Double) {
    let start = ContinuousClock.now
    let waits = try await withThrowingTaskGroup(of: [Double].self) { group in
      for _ in 0..<writers {
        group.addTask {
          var waits: [Double] = []
          repeat {
            let begin = ContinuousClock.now
            try await trail.signIn(of: people[Int.random(in: 0..<people.count)])
            waits.append((ContinuousClock.now - begin).inSeconds)
          } while ContinuousClock.now - start < .seconds(seconds)
          return waits
        }
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }
    return (waits.sorted(), (ContinuousClock.now - start).inSeconds)
  }
}

/// The product's audit recorder, and people who sign in.
struct Trail: Sendable {
  struct Person: Sendable {
    let id: UserID
    let key: SubjectKey
    let tenant: Tenant
  }

  private let database: Database
  private let recorder: AuditRecorder
  private let group: ServiceGroup

  init(_ database: Database, _ logger: Logger) {
    self.database = database
    var read = SettingsReader.documentation
    var settings = AuditSettings(&read)
    settings.spillDirectory = FilePath("\(Report.folder)/audit-spill")
    recorder = AuditRecorder(
      database: database, settings: settings, clock: .system, random: .system, logger: logger)
    group = ServiceGroup(services: [recorder], logger: logger)
  }

  /// Runs the writer that commits many events at once while the body runs.
  func running<Result: Sendable>(_ body: () async throws -> Result) async throws -> Result {
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await group.run() }
      while !recorder.isBatching { try await Task.sleep(for: .milliseconds(5)) }
      let result = try await body()
      await group.triggerGracefulShutdown()
      try await tasks.waitForAll()
      return result
    }
  }

  /// An event as a sign-in leaves it: about a person, with address and browser sealed for them.
  func signIn(of person: Person) async throws {
    try await recorder.record(
      AuditEvent(
        AuditAction("bench.sign_in"),
        origin: AuditOrigin(
          actor: .user(person.id), requestID: "0197f3a0c1e27b7c8f10", ipAddress: "198.51.100.7",
          userAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
        subject: AuditSubject(id: person.id, key: person.key),
        detail: ["client": "web", "method": "password"]),
      tenant: person.tenant)
  }

  /// Somebody in an organization without any; keys live as long as this process.
  func person(in bare: BareTenant) async throws -> Person {
    let tenant = Self.tenant("bare", key: .generate(for: TenantID(bare.id)))
    let user = UserID.generate(.system, .system)
    let key = SubjectKey.generate(tenant: tenant.id, user: user)
    try await database.transaction { tx in
      try await tx.run(
        InsertPerson(id: user, wrapped: tenant.key.wrap(key), now: Date()), in: bare.schema)
      guard try await tx.first(HasAuditHead(), in: bare.schema) == nil else { return }
      try await recorder.begin(in: tx, tenant: tenant)
    }
    return Person(id: user, key: key, tenant: tenant)
  }

  /// The first person of an organization of the product, with the keys that it knows them by.
  func person(of slug: String) async throws -> Person? {
    guard let stored = try await database.first(FindTenant(slug: slug)) else { return nil }
    let tenant = Self.tenant(
      slug,
      key: try MasterKey(Secret(Installation.masterKey)).unwrap(
        stored.wrapped, tenant: stored.id, version: stored.version))
    guard let account = try await database.first(FindPerson(), in: tenant.schema) else {
      return nil
    }
    return Person(
      id: account.id, key: try tenant.key.unwrap(account.wrapped, user: account.id), tenant: tenant)
  }

  private static func tenant(_ slug: String, key: TenantKey) -> Tenant {
    Tenant(
      id: key.tenant, slug: slug, name: slug, status: .active,
      schema: TenantSchema(id: key.tenant.uuid), epoch: 1, issuer: "http://localhost/t/\(slug)",
      settings: TenantSettings(), key: key)
  }
}

/// The oldest account of an organization, with the keys as they are stored.
private struct FindPerson: Statement {
  struct Account: Sendable {
    let id: UserID
    let wrapped: [UInt8]
  }

  static let sql: SQL<Self> = """
    select id, subject_key from \(tenant).user_account order by id limit 1
    """
  static func decode(_ row: inout RowReader) throws -> Account {
    Account(id: try row.next(), wrapped: try row.next())
  }
}

private struct FindTenant: Statement {
  struct Stored: Sendable {
    let id: TenantID
    let version: Int
    let wrapped: [UInt8]
  }

  let slug: String
  static let sql: SQL<Self> = """
    select organization.id, key.version, key.wrapped
      from control.organization
           join control.tenant_key as key on key.organization_id = organization.id
     where slug = \(\.slug)
     order by key.version desc
     limit 1
    """
  static func decode(_ row: inout RowReader) throws -> Stored {
    Stored(id: try row.next(), version: try row.next(), wrapped: try row.next())
  }
}

private struct InsertPerson: Statement {
  let id: UserID
  let wrapped: [UInt8]
  let now: Date
  static let sql: SQL<Self> = """
    insert into \(tenant).user_account (id, status, subject_key, profile, version, created_at, updated_at)
    values (\(\.id), 'active', \(\.wrapped), '', 1, \(\.now), \(\.now))
    """
}

private struct HasAuditHead: Statement {
  static let sql: SQL<Self> = "select true from \(tenant).audit_head where id = 1"
  static func decode(_ row: inout RowReader) throws -> Bool { try row.next() }
}
