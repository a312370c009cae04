import Foundation
import Platform

/// Clean-up by a retention rule, while applications go on asking for tokens.
struct RetentionRow: Row {
  let name = "retention"
  let work = "retention, in batches"
  let bars = [
    Bar("rate", "rows/s", .atLeast(100_000)),
    Bar("ratio", "token p99, of the idle one", .atMost(1.5)),
    Bar("idle", "ms token p99, idle"), Bar("busy", "ms token p99 meanwhile"),
    Bar("cpu", "µs of processor each, tokens included"),
    Bar("postgres", "µs of processor each, Postgres"),
  ]

  /// So many that the clean-up lasts longer than the load beside it.
  private static let rows = 1_500_000
  private static let loadSeconds = 3

  func measure(_ bench: Bench, tenants: Int) async throws -> Figures {
    let port = bench.product.port
    let admin = AdminClient(port: port, access: bench.product.admin)
    let organization = try await bench.organizations(1)[0]
    try fill(try bench.services.schema(of: organization), bench.services)
    let tokens = Load.replay(
      [organization.clientCredentials(.es256)].compactMap(\.self), pauseMilliseconds: 10,
      port: port)
    // Does not count: it opens connections that were closed since the row before, and each reads which roles it may take.
    _ = try await Load.run(tokens, seconds: 1, connections: 8, port: port)
    try await bench.calm()
    let idle = try await Load.run(tokens, seconds: Self.loadSeconds, connections: 8, port: port)
    let path = "organizations/\(organization.slug)/retention/runs"
    let ((run, load, loadEnd), cost) = try await bench.accounting {
      let id = try await admin.post(path, ["dry_run": false]).member("id")
      let load = try await Load.run(tokens, seconds: Self.loadSeconds, connections: 8, port: port)
      let loadEnd = Date()
      let run = try await admin.wait("\(path)/\(id)", until: ["completed"], not: ["failed"])
      return (try Run(run), load, loadEnd)
    }
    guard run.rows >= Self.rows else {
      throw BenchFailure("\(run.rows) rows of \(Self.rows) went.")
    }
    let (count, took) = (Double(run.rows), run.end.timeIntervalSince(run.start))
    guard run.end >= loadEnd else {
      throw BenchFailure(
        "The clean-up of \(run.rows) rows took \(took) s and was over before the load beside it.")
    }
    return [
      "rate": count / took, "idle": idle.p99Milliseconds,
      "busy": load.p99Milliseconds, "ratio": load.p99Milliseconds / idle.p99Milliseconds,
      "cpu": cost.product / count * 1e6, "postgres": cost.postgres / count * 1e6,
    ]
  }

  /// Authorization codes of a person that expired long ago.
  private func fill(_ schema: String, _ services: Services) throws {
    try Services.psql("vacuum \(schema).one_time_token", at: services.databaseURL)
    try Services.psql(
      """
      insert into \(schema).one_time_token (kind, hash, user_id, payload, created_at, expires_at)
      select 'authorization_code', sha256(int8send(n)),
             (select id from \(schema).user_account order by id limit 1),
             jsonb_build_object(
               'client_id', 'web', 'redirect_uri', 'https://app.example.org/callback', 'scope',
               'openid profile email offline_access', 'nonce', md5(n::text), 'code_challenge',
               'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', 'auth_time', 1767225600 + n),
             now() - interval '9 days', now() - interval '9 days'
        from generate_series(1, \(Self.rows)) as n
      """, at: services.databaseURL)
    try Services.psql("vacuum analyze \(schema).one_time_token", at: services.databaseURL)
  }

  /// The report of a run, its start being when it was asked for.
  private struct Run: Sendable {
    let start: Date
    let end: Date
    let rows: Int

    init(_ document: JSON) throws {
      guard let start = document["started_at"]?.stringValue.flatMap({ Date(rfc3339: $0) }),
        let end = document["finished_at"]?.stringValue.flatMap({ Date(rfc3339: $0) }),
        let rows = document["rows"]?.integerValue
      else { throw BenchFailure("The run has no report: \(document.text)") }
      (self.start, self.end, self.rows) = (start, end, Int(rows))
    }
  }
}
