import Platform
import Tenancy

/// What a new tenant needs and what takes time to make: its id, its key and its signing keys.
///
/// They belong together, because the signing keys are sealed under the tenant key for this id.
struct TenantSeed: Sendable {
  let id: TenantID
  let key: TenantKey
  let signingKeys: [GeneratedSigningKey]

  init(clock: WallClock, random: RandomSource) throws {
    id = .generate(clock, random)
    key = .generate(for: id)
    signingKeys = try GeneratedSigningKey.forNewTenant(key, clock: clock, random: random)
  }
}
