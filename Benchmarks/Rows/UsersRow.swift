import Foundation
import Platform

/// The administration's list of an organization with a hundred thousand accounts, every profile opened with its own key.
struct UsersRow: Row {
  let name = "users"
  let work = "100,000 users listed"
  let bars = [
    Bar("page", "ms, the slowest page of 200", .atMost(500)), Bar("p50", "ms p50 of a page"),
    Bar("find", "ms p50, one by e-mail"), Bar("all", "s, the whole list, page by page"),
    Bar("cpu", "µs of processor for each user"),
    Bar("postgres", "µs of processor for each user, Postgres"),
  ]

  private static let count = 100_000
  private static let database = "tenure_bench_users"
  private static let slug = "crowded"
  private static let path = "organizations/\(slug)/users"

  func measure(_ bench: Bench, tenants: Int) async throws -> Figures {
    let installation = try await bench.installation(Self.database)
    let product = try await installation.serve(port: Product.otherPort, log: "serve-users")
    return try await product.during { product in
      let admin = AdminClient(port: product.port, access: product.admin)
      try await fill(admin)
      let processes = [try product.pid, bench.services.postmaster]
      let before = processes.map(ProcessorTime.seconds(ofTree:))
      let pages = try await list(admin)
      let used = zip(processes.map(ProcessorTime.seconds(ofTree:)), before).map { $0 - $1 }
      let each = 1e6 / Double(Self.count)
      return [
        "page": (pages.max() ?? 0) * 1e3, "p50": pages.sorted()[pages.count / 2] * 1e3,
        "find": try await find(admin) * 1e3, "all": pages.reduce(0, +),
        "cpu": used[0] * each, "postgres": used[1] * each,
      ]
    }
  }

  /// Seconds that each page took, from the first to the last.
  private func list(_ admin: AdminClient) async throws -> [Double] {
    var (pages, seen, cursor): ([Double], Int, String?) = ([], 0, nil)
    repeat {
      let next = cursor.map { "&cursor=\(Form.escape($0))" } ?? ""
      let start = ContinuousClock.now
      let page = try await admin.get("\(Self.path)?limit=200\(next)")
      pages.append((ContinuousClock.now - start).inSeconds)
      seen += page["users"]?.arrayValue?.count ?? 0
      cursor = page["next_cursor"]?.stringValue
    } while cursor != nil
    guard seen == Self.count else { throw BenchFailure("\(seen) users of \(Self.count) came.") }
    return pages
  }

  /// Seconds to find one of them, in the middle of a hundred tries.
  private func find(_ admin: AdminClient) async throws -> Double {
    var tries: [Double] = []
    for number in stride(from: 0, to: Self.count, by: Self.count / 100) {
      let email = Self.email(number)
      let start = ContinuousClock.now
      let page = try await admin.get("\(Self.path)?email=\(Form.escape(email))")
      tries.append((ContinuousClock.now - start).inSeconds)
      guard page["users"]?.arrayValue?.count == 1 else { throw BenchFailure("\(email) is gone.") }
    }
    return tries.sorted()[tries.count / 2]
  }

  private static func email(_ number: Int) -> String { "person-\(number)@example.org" }

  /// Makes the organization and its accounts where a run before has not.
  ///
  /// - Throws: ``BenchFailure`` where that run was cut off in the middle.
  private func fill(_ admin: AdminClient) async throws {
    let database = try Services.scratchDatabase(Self.database)
    let known = "select 1 from control.organization where slug = '\(Self.slug)'"
    if try Services.psql(known, at: database).isEmpty {
      try await admin.post("organizations", ["slug": .string(Self.slug), "name": "Crowded"])
    }
    let schema = try Services.psql(
      "select schema_name from control.organization where slug = '\(Self.slug)'", at: database)
    let made = Int(try Services.psql("select count(*) from \(schema).user_account", at: database))
    guard made != Self.count else { return }
    guard made == 0 else { throw BenchFailure("\(Self.database) is half full: drop it.") }
    Terminal.note("  making \(Self.count) users")
    _ = try await Parallel.map(0..<Self.count, width: 32) { number in
      try await admin.post(
        Self.path,
        [
          "email": .string(Self.email(number)), "username": .string("person-\(number)"),
          "name": "A Person", "locale": "en", "zoneinfo": "Europe/Vienna",
        ])
    }
  }
}
