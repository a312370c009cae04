import Foundation
import Platform

/// Sign-ups of organizations over HTTP: one now and then, and a thousand at once.
struct ProvisionRow: Row {
  let name = "provision"
  let work = "organization provisioning"
  let bars = [
    Bar("p50", "ms p50, one every 0.5 s", .atMost(75)), Bar("most", "ms, the slowest of them"),
    Bar("burst", "s for 1,000 at once", .atMost(90)),
    Bar("burst-p50", "ms p50 among them, 8 at a time"),
    Bar("cpu", "ms of processor each"), Bar("postgres", "ms of processor each, Postgres"),
  ]

  private static let paced = 20
  private static let burst = 1000

  func measure(_ bench: Bench, tenants: Int) async throws -> Figures {
    let signUps = SignUps(bench.product)
    var paced: [Double] = []
    for number in 0..<Self.paced {
      try await Task.sleep(for: .milliseconds(500))
      paced.append(try await signUps.signUp(number))
    }
    // What is made ahead of time is there again.
    try await Task.sleep(for: .seconds(2))
    let start = ContinuousClock.now
    let (burst, cost) = try await bench.accounting {
      try await signUps.signUp(Self.paced..<(Self.paced + Self.burst))
    }
    let seconds = (ContinuousClock.now - start).inSeconds
    return [
      "p50": paced.sorted()[Self.paced / 2] * 1e3, "most": (paced.max() ?? 0) * 1e3,
      "burst": seconds, "burst-p50": burst.sorted()[Self.burst / 2] * 1e3,
      "cpu": cost.product / Double(Self.burst) * 1e3,
      "postgres": cost.postgres / Double(Self.burst) * 1e3,
    ]
  }
}

/// What an organization costs when there are many: three thousand on a database of their own.
struct ProvisionGrowthRow: Row {
  let name = "provision-3000"
  let work = "organization provisioning, up to 3,000"
  let isLong = true
  let bars = [
    Bar("growth", "price of the last hundred, in that of the first", .atMost(1.25)),
    Bar("postgres-growth", "the same of Postgres' processor time"),
    Bar("first", "ms each, mean of the first hundred, 8 at a time"),
    Bar("last", "ms each, mean of the last hundred"), Bar("seconds", "s for all of them"),
  ]

  private static let count = 3000
  private static let hundred = 100

  func measure(_ bench: Bench, tenants: Int) async throws -> Figures {
    let name = "tenure_bench_growth_\(UUID().uuidString.prefix(8).lowercased())"
    let product = try await bench.installation(name).serve(
      port: Product.otherPort, log: "serve-growth")
    let figures = try await product.during { product in
      let signUps = SignUps(product)
      let start = ContinuousClock.now
      let first = try await hundred(from: 0, signUps, bench)
      _ = try await signUps.signUp(Self.hundred..<(Self.count - Self.hundred))
      let last = try await hundred(from: Self.count - Self.hundred, signUps, bench)
      return [
        "growth": last.mean / first.mean, "postgres-growth": last.postgres / first.postgres,
        "first": first.mean * 1e3, "last": last.mean * 1e3,
        "seconds": (ContinuousClock.now - start).inSeconds,
      ]
    }
    try bench.services.drop(name)
    return figures
  }

  private func hundred(from first: Int, _ signUps: SignUps, _ bench: Bench) async throws
    -> (mean: Double, postgres: Double)
  {
    let (times, cost) = try await bench.accounting {
      try await signUps.signUp(first..<(first + Self.hundred))
    }
    return (times.reduce(0, +) / Double(Self.hundred), cost.postgres)
  }
}

/// Organizations that come into being through the administration interface.
struct SignUps: Sendable {
  private let admin: AdminClient
  private let run = UUID().uuidString.prefix(8).lowercased()
  /// How many are on their way at the same time.
  private static let width = 8

  init(_ product: Product) {
    admin = AdminClient(port: product.port, access: product.admin)
  }

  /// Seconds that one took.
  func signUp(_ number: Int) async throws -> Double {
    let start = ContinuousClock.now
    try await admin.post(
      "organizations", ["slug": .string("signup-\(run)-\(number)"), "name": "A Sign-up"])
    return (ContinuousClock.now - start).inSeconds
  }

  /// Seconds that each took.
  func signUp(_ numbers: Range<Int>) async throws -> [Double] {
    try await Parallel.map(numbers, width: Self.width) { try await signUp($0) }
  }
}
