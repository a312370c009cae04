package import Database
import FoundationEssentials
package import JOSE
import Platform

/// Moves the signing keys of a tenant on: next → current → previous → retired (design section 4).
///
/// Several processes may try at the same time. Each decides by what it has read and changes only what
/// is still so (compare and set); the one that was overtaken changes nothing.
package struct SigningKeyRotation: Sendable {
  let database: Database
  let ring: SigningKeyRing
  let audit: AuditRecorder
  let clock: WallClock
  let random: RandomSource
  private let moves = Series(valuesMax: 8) { Counter() }

  init(
    database: Database, ring: SigningKeyRing, audit: AuditRecorder, clock: WallClock,
    random: RandomSource
  ) {
    self.database = database
    self.ring = ring
    self.audit = audit
    self.clock = clock
    self.random = random
  }

  var metrics: [MetricFamily] {
    [
      .counter(
        "tenure_signing_key_moves_total", "Steps of signing keys from one state to the next.",
        by: "step", moves)
    ]
  }

  /// Every key there is and was, the oldest first.
  package func list(in tenant: Tenant) async throws -> [SigningKeyRecord] {
    try await database.all(ListSigningKeys(), in: tenant.schema)
  }

  /// Does what the schedule asks for; whether anything changed.
  @discardableResult
  package func advance(in tenant: Tenant, origin: AuditOrigin) async throws -> Bool {
    let now = clock.now()
    return try await perform(reason: "schedule", in: tenant, origin: origin) { keys in
      .scheduled(
        keys, wanted: tenant.settings.signingAlgorithms.map(\.algorithm),
        SigningKeySchedule(tenant.settings), now: now)
    }
  }

  /// Rotates on demand: one algorithm, or all that sign.
  @discardableResult
  package func rotate(
    _ algorithm: SignatureAlgorithm?, isCompromised: Bool, in tenant: Tenant, origin: AuditOrigin
  ) async throws -> Bool {
    let reason = isCompromised ? "compromise" : "demand"
    return try await perform(reason: reason, in: tenant, origin: origin) { keys in
      let algorithms = algorithm.map { [$0] } ?? SigningKeyPlan.algorithms(of: keys, [])
      return isCompromised
        ? .compromised(keys, of: algorithms) : .demanded(keys, of: algorithms)
    }
  }

  /// Gives keys to algorithms that have none, in the transaction that begins to want them.
  package func ensure(
    _ algorithms: some Collection<SignatureAlgorithm>, in tx: Transaction, tenant: Tenant,
    origin: AuditOrigin
  ) async throws {
    // Every tenant has these from its beginning.
    let unusual = algorithms.filter { !GeneratedSigningKey.defaultAlgorithms.contains($0) }
    guard !unusual.isEmpty else { return }
    let keys = try await tx.all(ListSigningKeys(), in: tenant.schema)
    for algorithm in Set(unusual)
    where !keys.contains(where: { $0.algorithm == algorithm && $0.state == .current }) {
      let key = try GeneratedSigningKey(
        algorithm, state: .current, for: tenant.key, clock: clock, random: random)
      // Somebody else has just made one: as good as ours.
      guard try await ring.insert(key, in: tx, tenant: tenant) else { continue }
      let step = SigningKeyStep.introduce(algorithm)
      try await record(step, key.kid, reason: "wanted", origin, tx, tenant)
      try await ring.announce(in: tx, tenant: tenant)
    }
  }

  private func perform(
    reason: String, in tenant: Tenant, origin: AuditOrigin,
    _ plan: ([SigningKeyRecord]) -> SigningKeyPlan
  ) async throws -> Bool {
    let steps = plan(try await list(in: tenant)).steps
    guard !steps.isEmpty else { return false }
    // Slow for RSA, so before the transaction.
    let moves = try steps.map { (step: $0, key: try generated(for: $0, tenant)) }
    do {
      try await database.transaction(in: tenant.schema) { tx in
        for (step, key) in moves {
          let kid = try await apply(step, key, in: tx, tenant)
          try await record(step, kid, reason: reason, origin, tx, tenant)
        }
        try await ring.announce(in: tx, tenant: tenant)
      }
      return true
    } catch is Overtaken {
      return false
    }
  }

  private func generated(for step: SigningKeyStep, _ tenant: Tenant) throws -> GeneratedSigningKey?
  {
    let (algorithm, state): (SignatureAlgorithm, SigningKeyState)
    switch step {
    case .publish(let wanted): (algorithm, state) = (wanted, .next)
    case .introduce(let wanted): (algorithm, state) = (wanted, .current)
    case .activate, .deactivate, .retire: return nil
    }
    return try GeneratedSigningKey(
      algorithm, state: state, for: tenant.key, clock: clock, random: random)
  }

  /// The key that was moved; throws when it is not where the step starts from.
  private func apply(
    _ step: SigningKeyStep, _ key: GeneratedSigningKey?, in tx: Transaction, _ tenant: Tenant
  ) async throws -> String {
    let now = clock.now()
    let moved: Bool
    let kid: String
    switch step {
    case .publish, .introduce:
      guard let key else { throw Overtaken() }
      kid = key.kid
      moved = try await ring.insert(key, in: tx, tenant: tenant)
    case .activate(let known):
      kid = known
      moved = try await tx.run(ActivateSigningKey(kid: kid, now: now)) == 1
    case .deactivate(let known):
      kid = known
      moved = try await tx.run(DeactivateSigningKey(kid: kid, now: now)) == 1
    case .retire(let known, let state):
      kid = known
      moved = try await tx.run(RetireSigningKey(kid: kid, from: state, now: now)) == 1
    }
    guard moved else { throw Overtaken() }
    return kid
  }

  private func record(
    _ step: SigningKeyStep, _ kid: String, reason: String, _ origin: AuditOrigin,
    _ tx: Transaction, _ tenant: Tenant
  ) async throws {
    try await audit.record(
      AuditEvent(
        step.auditAction, origin: origin, subject: nil,
        detail: ["kid": .string(kid), "reason": .string(reason)]),
      in: tx, tenant: tenant)
    tx.onCommit { [moves] in moves[step.name].add() }
  }

  /// Another process has moved the keys meanwhile.
  private struct Overtaken: Error {}
}

extension SigningKeyStep {
  fileprivate var name: String {
    switch self {
    case .publish: "published"
    case .introduce: "introduced"
    case .activate: "activated"
    case .deactivate: "deactivated"
    case .retire: "retired"
    }
  }

  fileprivate var auditAction: AuditAction {
    switch self {
    case .publish: AuditAction("signing_key.published")
    case .introduce: AuditAction("signing_key.introduced")
    case .activate: AuditAction("signing_key.activated")
    case .deactivate: AuditAction("signing_key.deactivated")
    case .retire: AuditAction("signing_key.retired")
    }
  }
}
