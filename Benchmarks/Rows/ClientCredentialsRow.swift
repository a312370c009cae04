/// Client credentials with an access token of one algorithm.
struct ClientCredentialsRow: Row {
  let algorithm: Organization.SigningName

  init(_ algorithm: Organization.SigningName) { self.algorithm = algorithm }

  var name: String { "token-\(algorithm.rawValue.lowercased())" }
  var work: String { "client credentials, \(algorithm.rawValue) JWT" }
  var isMixed: Bool { true }

  var bars: [Bar] {
    switch algorithm {
    case .es256:
      [
        Bar("rate", "tokens/s", .atLeast(10_000)),
        Bar("p99", "ms p99 at 32 connections", .atMost(15)),
        Bar("openssl", "ecdsap256 signatures/s of a core"), Bar("cpu", "µs of processor each"),
      ]
    case .rs256:
      [
        Bar("rate", "tokens/s"),
        Bar("ratio", "of openssl speed on the cores left", .atLeast(0.7)),
        Bar("openssl", "rsa2048 signatures/s of a core"), Bar("cpu", "µs of processor each"),
      ]
    }
  }

  func measure(_ bench: Bench, tenants: Int) async throws -> Figures {
    let port = bench.product.port
    let requests = try await bench.organizations(tenants).compactMap {
      $0.clientCredentials(algorithm)
    }
    let token = try await HTTP.send(requests[0], at: port).require(200).member("access_token")
    try JWTShape.require(token, algorithm: algorithm.rawValue)
    let signatures = try Ceilings.signatures(algorithm == .es256 ? "ecdsap256" : "rsa2048")
    let (load, cost) = try await bench.accounting {
      try await Load.run(
        Load.replay(requests, port: port), seconds: bench.plan.seconds, connections: 32,
        port: port)
    }
    // What the product had of the processors is what load generator and Postgres left it.
    let coresLeft = cost.product / load.seconds
    return [
      "rate": load.requestsPerSecond, "p99": load.p99Milliseconds, "openssl": signatures,
      "ratio": load.requestsPerSecond / (signatures * coresLeft),
      "cpu": cost.product / load.requests * 1e6,
    ]
  }
}
