import Cryptography
import Foundation
import Platform

/// Sign-ins with a password, from the authorization request to the tokens.
struct LoginRow: Row {
  let name = "login"
  let work = "password sign-in (Argon2id m=19 MiB, t=2, p=1), whole flow"
  let isMixed = true
  let bars = [
    Bar("rate", "sign-ins/s"), Bar("ratio", "of the hash alone", .atLeast(0.9)),
    Bar("hash", "hashes/s in this process"), Bar("cpu", "ms of processor each"),
  ]

  func measure(_ bench: Bench, tenants: Int) async throws -> Figures {
    let port = bench.product.port
    let script = LoginLoad.script(try await bench.organizations(tenants), port: port)
    try await bench.calm()
    let hash = try await Ceilings.hashes(seconds: bench.plan.seconds)
    let (load, cost) = try await bench.accounting {
      // As many people as keep every hashing thread busy while others are between two pages.
      try await Load.run(script, seconds: bench.plan.seconds, connections: 64, port: port)
    }
    return [
      "rate": load.completedPerSecond, "ratio": load.completedPerSecond / hash, "hash": hash,
      "cpu": cost.product / load.completed * 1e3,
    ]
  }
}

/// What applications feel of it while more people sign in than the processors can hash for.
struct IsolationRow: Row {
  let name = "isolation"
  let work = "token p99 while sign-ins saturate"
  let bars = [
    Bar("ratio", "of the idle p99", .atMost(1.5)), Bar("idle", "ms p99, idle"),
    Bar("busy", "ms p99, saturated"), Bar("logins", "sign-ins/s meanwhile"),
    Bar("refused", "sign-ins/s answered 503 with Retry-After", .atLeast(1)),
  ]

  /// Applications that ask now and then: some hundred requests a second.
  private static let connections = 8
  private static let pauseMilliseconds = 10
  /// More than may wait for a hash, so that some have to be refused.
  private static let people = 400

  func measure(_ bench: Bench, tenants: Int) async throws -> Figures {
    let port = bench.product.port
    let organizations = try await bench.organizations(1)
    let tokens = organizations.compactMap { $0.clientCredentials(.es256) }
    let script = Load.replay(tokens, pauseMilliseconds: Self.pauseMilliseconds, port: port)
    let logins = LoginLoad.script(organizations, port: port)
    let seconds = bench.plan.seconds
    try await bench.calm()
    let idle = try await Load.run(
      script, seconds: seconds, connections: Self.connections, port: port)
    async let saturation = Load.run(
      logins, seconds: seconds + 2, connections: Self.people, port: port, allowingBusy: true)
    try await Task.sleep(for: .seconds(1))
    let busy = try await Load.run(
      script, seconds: seconds, connections: Self.connections, port: port)
    let saturated = try await saturation
    return [
      "ratio": busy.p99Milliseconds / idle.p99Milliseconds, "idle": idle.p99Milliseconds,
      "busy": busy.p99Milliseconds, "logins": saturated.completedPerSecond,
      "refused": saturated.busy / saturated.seconds,
    ]
  }
}

/// Ten thousand people who sign in at the same moment; who is turned away comes back when asked to.
///
/// The process is one by itself, with the load shedding that others have turned off.
struct CrowdRow: Row {
  let name = "crowd"
  let work = "10,000 people sign in at once"
  let bars = [
    Bar("rate", "sign-ins/s"), Bar("ratio", "of the hash alone"),
    Bar("hash", "hashes/s in this process"),
    Bar("busy", "requests/s answered 503 with Retry-After"),
    Bar("p50", "ms p50 of a request, 503s included"),
    Bar("p99", "ms p99 of a request, 503s included"),
    Bar("resident", "MiB resident at most"),
  ]

  private static let people = 10_000
  /// Long enough that most have been turned away and come back.
  private static let seconds = 30

  func measure(_ bench: Bench, tenants: Int) async throws -> Figures {
    let organizations = try await bench.organizations(1)
    let product = try await bench.product.installation.serve(
      port: Product.otherPort, log: "serve-crowd", isShedding: true)
    return try await product.during { product in
      try await bench.calm()
      let hash = try await Ceilings.hashes(seconds: bench.plan.seconds)
      let load = try await Load.run(
        LoginLoad.script(organizations, port: product.port, isPatient: true),
        seconds: Self.seconds, connections: Self.people, port: product.port, allowingBusy: true)
      return [
        "ratio": load.completedPerSecond / hash, "rate": load.completedPerSecond, "hash": hash,
        "busy": load.busy / load.seconds, "p50": load.p50Milliseconds, "p99": load.p99Milliseconds,
        "resident": try ProcessMemory.residentPeak(of: try product.pid) / 1_048_576,
      ]
    }
  }
}

/// People in front of the sign-in page.
enum LoginLoad {
  /// Who is turned away comes back after a second, or when they were asked to.
  static func script(_ organizations: [Organization], port: Int, isPatient: Bool = false)
    -> Load.Script
  {
    Load.Script(
      file: "login",
      plan: Lua.table([
        ("host", Lua.text("localhost:\(port)")), ("patient", "\(isPatient)"),
        ("organizations", Lua.list(organizations.map { $0.lua(port: port, signedIn: false) })),
      ]))
  }
}
