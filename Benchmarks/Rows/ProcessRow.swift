import Foundation
import Platform

/// A process of the product by itself: how soon it serves, and what it keeps in memory.
struct ProcessRow: Row {
  let name = "process"
  let work = "memory and start of `tenure serve`"
  let bars = [
    Bar("resident", "MiB resident, idle", .atMost(60)),
    Bar("start", "ms until it is ready and answers", .atMost(500)),
    Bar("tenant", "KiB for each active organization", .atMost(30)),
    Bar("tenants", "active organizations"), Bar("resident-after", "MiB resident with all of them"),
  ]

  private static let idleSeconds = 3
  /// The first few pay for what all of them share.
  private static let few = 50
  /// Fewer say nothing about the price of one.
  private static let tenantsMin = 100

  func measure(_ bench: Bench, tenants: Int) async throws -> Figures {
    let organizations = try await bench.organizations(bench.plan.tenants.last ?? 1)
    let start = ContinuousClock.now
    let product = try await bench.product.installation.serve(
      port: Product.otherPort, log: "serve-alone")
    let started = (ContinuousClock.now - start).inSeconds
    return try await product.during { product in
      let pid = try product.pid
      try await Task.sleep(for: .seconds(Self.idleSeconds))
      var figures = [
        "start": started * 1e3, "resident": try ProcessMemory.resident(of: pid) / 1_048_576,
      ]
      guard organizations.count >= Self.tenantsMin else { return figures }
      try await use(organizations.prefix(Self.few), product.port)
      let few = try ProcessMemory.resident(of: pid)
      try await use(organizations.dropFirst(Self.few), product.port)
      let all = try ProcessMemory.resident(of: pid)
      figures["tenant"] = max(0, all - few) / 1024 / Double(organizations.count - Self.few)
      figures["tenants"] = Double(organizations.count)
      figures["resident-after"] = all / 1_048_576
      return figures
    }
  }

  /// What makes an organization active: documents, a token for an application, and somebody who is signed in and uses one.
  private func use(_ organizations: ArraySlice<Organization>, _ port: Int) async throws {
    _ = try await Parallel.map(organizations, width: 8) { organization in
      for document in [".well-known/openid-configuration", ".well-known/jwks.json"] {
        try await HTTP.send(.get(organization.path(document)), at: port).require(200)
      }
      for algorithm in Organization.SigningName.allCases {
        guard let token = organization.clientCredentials(algorithm) else { continue }
        try await HTTP.send(token, at: port).require(200)
      }
      let tokens = try await organization.tokens(at: port)
      try await HTTP.send(organization.userInfo(tokens.access), at: port).require(200)
      try await HTTP.send(organization.refresh(tokens.refresh), at: port).require(200)
    }
  }
}
