import Platform

/// Endpoints that look at an access token of a person, each with one look into the database.
struct BearerRow: Row {
  enum Endpoint: String, Sendable {
    case introspection, userInfo
  }

  let endpoint: Endpoint

  init(_ endpoint: Endpoint) { self.endpoint = endpoint }

  var name: String { endpoint.rawValue.lowercased() }
  var work: String { name }
  var isMixed: Bool { true }
  let bars = [
    Bar("rate", "requests/s", .atLeast(9000)), Bar("p99", "ms p99 at 32 connections"),
    Bar("cpu", "µs of processor each"), Bar("postgres", "µs of processor each, Postgres"),
  ]

  func measure(_ bench: Bench, tenants: Int) async throws -> Figures {
    let port = bench.product.port
    let organizations = try await bench.organizations(tenants)
    let requests = try await Parallel.map(organizations, width: 16) { organization in
      request(organization, try await organization.tokens(at: port).access)
    }
    let reply = try await HTTP.send(requests[0], at: port).require(200)
    guard reply.json["active"]?.boolValue == true || reply.json["sub"] != nil else {
      throw BenchFailure("\(name) knows nothing of the token: \(reply.text)")
    }
    let (load, cost) = try await bench.accounting {
      try await Load.run(
        Load.replay(requests, port: port), seconds: bench.plan.seconds, connections: 32,
        port: port)
    }
    return [
      "rate": load.requestsPerSecond, "p99": load.p99Milliseconds,
      "cpu": cost.product / load.requests * 1e6, "postgres": cost.postgres / load.requests * 1e6,
    ]
  }

  private func request(_ organization: Organization, _ token: String) -> HTTPRequest {
    switch endpoint {
    case .introspection:
      .post(
        organization.path("oauth2/introspect"), form: [("token", token)],
        headers: [organization.web.basic])
    case .userInfo: organization.userInfo(token)
    }
  }
}
