/// Refreshes with rotation: each is committed before it is answered.
struct RefreshRow: Row {
  let name = "refresh"
  let work = "refresh with rotation, committed, ES256"
  let isMixed = true
  let bars = [
    Bar("rate", "refreshes/s", .atLeast(4000)), Bar("p99", "ms p99 at 32 connections"),
    Bar("cpu", "µs of processor each"), Bar("postgres", "µs of processor each, Postgres"),
  ]

  private static let connections = 32
  /// More than connections, so that a token is always at hand.
  private static let grantsMin = 128

  func measure(_ bench: Bench, tenants: Int) async throws -> Figures {
    let port = bench.product.port
    let organizations = try await bench.organizations(tenants)
    let grants = (0..<max(Self.grantsMin, tenants)).map { organizations[$0 % tenants] }
    let entries = try await Parallel.map(grants, width: 16) { organization in
      let token = try await organization.tokens(at: port).refresh
      return Lua.table([
        ("token", Lua.text(token)), ("head", Lua.text(organization.tokenHead(port: port))),
      ])
    }
    let script = Load.Script(
      file: "refresh", plan: Lua.table([("grants", Lua.list(entries.shuffled()))]))
    let (load, cost) = try await bench.accounting {
      try await Load.run(
        script, seconds: bench.plan.seconds, connections: Self.connections, port: port)
    }
    return [
      "rate": load.completedPerSecond, "p99": load.p99Milliseconds,
      "cpu": cost.product / load.completed * 1e6, "postgres": cost.postgres / load.completed * 1e6,
    ]
  }
}

/// The code flow of a browser that is signed in: authorize, then token.
struct CodeRow: Row {
  let name = "code"
  let work = "authorization code with a session, whole flow"
  let isMixed = true
  let bars = [
    Bar("rate", "flows/s", .atLeast(1100)), Bar("p99", "ms p99 of a request at 32 connections"),
    Bar("cpu", "µs of processor each"), Bar("postgres", "µs of processor each, Postgres"),
  ]

  func measure(_ bench: Bench, tenants: Int) async throws -> Figures {
    let port = bench.product.port
    let organizations = try await bench.organizations(tenants)
    let script = Load.Script(
      file: "code",
      plan: Lua.table([("organizations", Lua.list(organizations.map { $0.lua(port: port) }))]))
    let (load, cost) = try await bench.accounting {
      try await Load.run(script, seconds: bench.plan.seconds, connections: 32, port: port)
    }
    return [
      "rate": load.completedPerSecond, "p99": load.p99Milliseconds,
      "cpu": cost.product / load.completed * 1e6, "postgres": cost.postgres / load.completed * 1e6,
    ]
  }
}

extension Organization {
  /// A token request up to its length.
  func tokenHead(port: Int) -> String {
    """
    POST \(path("oauth2/token")) HTTP/1.1\r
    Host: localhost:\(port)\r
    \(web.basic.0): \(web.basic.1)\r
    Content-Type: application/x-www-form-urlencoded\r\n
    """
  }

  /// What the flow scripts need; without sessions for those that sign in.
  func lua(port: Int, signedIn: Bool = true) -> String {
    let starts = signedIn ? people.map { authorize($0) } : [authorize(nil)]
    let form = Form.encode([
      ("grant_type", "authorization_code"), ("redirect_uri", Self.redirectURI),
      ("code_verifier", Self.verifier), ("code", ""),
    ])
    let people = people.map {
      Lua.table([("username", Lua.text($0.username)), ("password", Lua.text($0.password))])
    }
    return Lua.table([
      ("slug", Lua.text(slug)),
      ("authorize", Lua.list(starts.map { Lua.text($0.wire(port: port)) })),
      ("head", Lua.text(tokenHead(port: port))), ("form", Lua.text(form)),
      ("people", Lua.list(people)),
    ])
  }
}
