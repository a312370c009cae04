import Database
import Foundation
import Platform
import Tenancy

/// The export of a person with a million events, by a process that has done nothing else.
struct ExportRow: Row {
  let name = "export"
  let work = "export of a subject with 1,000,000 events"
  let bars = [
    Bar("memory", "MiB more resident, at most", .atMost(64)), Bar("seconds", "s"),
    Bar("cpu", "s of processor"), Bar("postgres", "s of processor, Postgres"),
    Bar("size", "MiB, the package"),
  ]

  private static let events = 1_000_000

  func measure(_ bench: Bench, tenants: Int) async throws -> Figures {
    let installation = try await bench.installation(Self.database)
    let subject = try await subject(installation)
    let product = try await installation.serve(port: Product.otherPort, log: "serve-export")
    return try await product.during { product in
      let admin = AdminClient(port: product.port, access: product.admin)
      let path = "organizations/\(Self.slug)/privacy/requests"
      // The first request brings its code and its caches into memory.
      try await admin.get("organizations/\(Self.slug)")
      try await Task.sleep(for: .seconds(2))
      let pid = try product.pid
      try ProcessMemory.forgetPeak(of: pid)
      let before = try ProcessMemory.resident(of: pid)
      let (cpu, postgres) = (
        ProcessorTime.seconds(ofTree: pid), ProcessorTime.seconds(ofTree: bench.services.postmaster)
      )
      let start = ContinuousClock.now
      let id = try await admin.post(
        path, ["kind": "export", "subject": ["id": .string(subject.description)]]
      ).member("id")
      let request = try await admin.wait(
        "\(path)/\(id)", until: ["fulfilled"], not: ["failed", "refused"])
      guard let bytes = request["package"]?["size"]?.doubleValue, bytes > Double(Self.events) else {
        throw BenchFailure("The package is too small for what it should hold: \(request.text)")
      }
      return [
        "memory": max(0, try ProcessMemory.residentPeak(of: pid) - before) / 1_048_576,
        "seconds": (ContinuousClock.now - start).inSeconds,
        "cpu": ProcessorTime.seconds(ofTree: pid) - cpu,
        "postgres": ProcessorTime.seconds(ofTree: bench.services.postmaster) - postgres,
        "size": bytes / 1_048_576,
      ]
    }
  }

  private static let database = "tenure_bench_export"
  private static let slug = "bench-0"

  /// Somebody with as many events, made once: by the recorder that sign-ins go through, sealed under their key.
  private func subject(_ installation: Installation) async throws -> UserID {
    let laboratory = Laboratory(try Services.scratchDatabase(Self.database))
    defer { laboratory.database.close() }
    let trail = Trail(laboratory.database, laboratory.logger)
    if try await trail.person(of: Self.slug) == nil {
      let product = try await installation.serve(port: Product.otherPort, log: "serve-export")
      _ = try await product.during { product in
        try await Organization.make(
          0, admin: AdminClient(port: product.port, access: product.admin), port: product.port)
      }
    }
    guard let person = try await trail.person(of: Self.slug) else {
      throw BenchFailure("\(Self.slug) has nobody.")
    }
    let known = try await laboratory.database.first(
      CountEvents(subject: person.id), in: person.tenant.schema)
    let missing = Self.events - (known ?? 0)
    guard missing > 0 else { return person.id }
    Terminal.note("  recording \(missing) events")
    try await trail.running {
      _ = try await Parallel.map(0..<1000, width: 1000) { number in
        for _ in 0..<(missing / 1000 + (number < missing % 1000 ? 1 : 0)) {
          try await trail.signIn(of: person)
        }
      }
    }
    return person.id
  }
}

private struct CountEvents: Statement {
  let subject: UserID
  static let sql: SQL<Self> = """
    select count(*) from \(tenant).audit_event where subject_id = \(\.subject)
    """
  static func decode(_ row: inout RowReader) throws -> Int { try row.next() }
}
