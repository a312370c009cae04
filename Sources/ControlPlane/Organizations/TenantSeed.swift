import Platform
import Tenancy

/// What a new tenant needs and what takes time to make: its signing keys.
struct TenantSeed: Sendable {
  private let signingKeys: [UnsealedSigningKey]

  init() throws {
    signingKeys = try GeneratedSigningKey.defaultAlgorithms.map(UnsealedSigningKey.init)
  }

  /// The keys as rows of their tenant, current at once.
  func signingKeys(
    of key: TenantKey, clock: WallClock, random: RandomSource
  ) throws -> [GeneratedSigningKey] {
    try signingKeys.map {
      try GeneratedSigningKey($0, state: .current, for: key, clock: clock, random: random)
    }
  }
}
