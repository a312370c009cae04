import Platform

/// What one process knows of its limits; no I/O, so that every branch is a row in a unit test.
///
/// Bounded by two generations: what was not used while one filled up is forgotten.
struct LimitTable {
  /// How long permits from Redis may be used, in microseconds; what is left then is lost.
  static let leaseLifetime = 1_000_000.0

  private struct Entry {
    /// Permits at hand, good until `leaseEndsAt`.
    var leased = 0
    var leaseEndsAt = 0.0
    var isRefilling = false
    /// What was left in Redis behind the lease.
    var remaining = 0
    var refusedUntil = 0.0
    /// The theoretical arrival time of GCRA, for decisions from memory.
    var arrivalAt = 0.0
  }

  enum Step {
    case decided(LimitVerdict)
    case ask([LeaseRequest])
  }

  private let generationMax: Int
  private var young: [LimitCharge.Key: Entry] = [:]
  private var old: [LimitCharge.Key: Entry] = [:]

  init(capacity: Int) {
    generationMax = max(1, capacity / 2)
  }

  var count: Int { young.count + old.count }

  // MARK: With Redis

  /// Decides by what is known and leased, or says what to ask for.
  mutating func takeFromLeases(_ charges: [LimitCharge], _ now: Double) -> Step {
    var entries = charges.map { entry($0.key) }
    if let refused = entries.indices.first(where: { entries[$0].refusedUntil > now }) {
      young[charges[refused].key] = entries[refused]
      return .decided(refusal(charges, refused, wait: entries[refused].refusedUntil - now))
    }
    var requests: [LeaseRequest] = []
    for index in entries.indices {
      if entries[index].leased > 0, entries[index].leaseEndsAt > now {
        entries[index].leased -= 1
      } else {
        entries[index].leased = 0
        // While somebody fetches a lease others take what they need and no more.
        let wanted = entries[index].isRefilling ? 1 : Self.batch(charges[index].rate)
        if wanted > 1 { entries[index].isRefilling = true }
        requests.append(LeaseRequest(charge: charges[index], wanted: wanted))
      }
    }
    store(entries, charges)
    guard requests.isEmpty else { return .ask(requests) }
    return .decided(LimitVerdict(states: states(charges, entries), refusal: nil))
  }

  /// Books what Redis granted; if one limit refused, the permits of the others go back to the lease.
  mutating func settle(
    _ charges: [LimitCharge], _ requests: [LeaseRequest], _ leases: [Lease], _ now: Double
  ) -> LimitVerdict {
    var entries = charges.map { entry($0.key) }
    let asked = askedIndices(charges, requests)
    let refused = zip(asked, leases).first { $1.granted == 0 && $1.wait > 0 }
    for (index, lease) in zip(asked, leases) {
      entries[index].isRefilling = false
      entries[index].remaining = lease.remaining
      if lease.wait > 0 { entries[index].refusedUntil = now + lease.wait }
      guard lease.granted > 0 else { continue }
      entries[index].leased += lease.granted - 1
      entries[index].leaseEndsAt = now + Self.leaseLifetime
    }
    if refused != nil {
      for index in entries.indices where !asked.contains(index) { entries[index].leased += 1 }
    }
    store(entries, charges)
    if let (index, lease) = refused { return refusal(charges, index, wait: lease.wait) }
    return LimitVerdict(states: states(charges, entries), refusal: nil)
  }

  /// Decides from memory what could not be asked.
  mutating func settleFromMemory(
    _ charges: [LimitCharge], _ requests: [LeaseRequest], _ now: Double
  ) -> LimitVerdict {
    for request in requests {
      var entry = entry(request.charge.key)
      entry.isRefilling = false
      young[request.charge.key] = entry
    }
    let verdict = takeFromMemory(requests.map(\.charge), now)
    if verdict.refusal != nil {
      let asked = Set(requests.map(\.charge.key))
      giveBack(charges.filter { !asked.contains($0.key) }, now, isShared: true)
    }
    return verdict
  }

  // MARK: Without

  /// GCRA: a request is in time if its theoretical arrival is at most a burst ahead of now.
  mutating func takeFromMemory(_ charges: [LimitCharge], _ now: Double) -> LimitVerdict {
    var entries = charges.map { entry($0.key) }
    for index in entries.indices {
      let rate = charges[index].rate
      let tolerance = rate.interval * Double(rate.burst)
      let arrival = min(max(entries[index].arrivalAt, now), now + tolerance) + rate.interval
      guard arrival - now <= tolerance else {
        // Kept in use, and never further ahead than the clock allows: it may have been set back.
        entries[index].arrivalAt = min(entries[index].arrivalAt, now + tolerance)
        young[charges[index].key] = entries[index]
        return refusal(charges, index, wait: arrival - now - tolerance)
      }
      entries[index].arrivalAt = arrival
      entries[index].remaining = Int((tolerance - (arrival - now)) / rate.interval)
    }
    store(entries, charges)
    return LimitVerdict(states: states(charges, entries), refusal: nil)
  }

  mutating func giveBack(_ charges: [LimitCharge], _ now: Double, isShared: Bool) {
    for charge in charges {
      var entry = entry(charge.key)
      if isShared {
        if entry.leaseEndsAt <= now { entry.leased = 0 }
        entry.leased += 1
        entry.leaseEndsAt = max(entry.leaseEndsAt, now + Self.leaseLifetime)
      } else {
        entry.arrivalAt -= charge.rate.interval
      }
      young[charge.key] = entry
    }
  }

  // MARK: -

  /// Up to 50 milliseconds' worth and a twentieth of the burst: what a process that stops asking can
  /// take along.
  static func batch(_ rate: Rate) -> Int {
    max(1, min(rate.burst / 20, Int(50_000 / rate.interval)))
  }

  private func askedIndices(_ charges: [LimitCharge], _ requests: [LeaseRequest]) -> [Int] {
    requests.compactMap { request in charges.firstIndex { $0.key == request.charge.key } }
  }

  private func entry(_ key: LimitCharge.Key) -> Entry { young[key] ?? old[key] ?? Entry() }

  private mutating func store(_ entries: [Entry], _ charges: [LimitCharge]) {
    for (charge, entry) in zip(charges, entries) { young[charge.key] = entry }
    guard young.count >= generationMax else { return }
    old = young
    young = [:]
  }

  private func states(_ charges: [LimitCharge], _ entries: [Entry]) -> [LimitState] {
    zip(charges, entries).map { charge, entry in
      LimitState(
        policy: charge.key.policy, rate: charge.rate, remaining: entry.leased + entry.remaining,
        resetSeconds: Self.seconds(charge.rate.interval))
    }
  }

  private func refusal(_ charges: [LimitCharge], _ index: Int, wait: Double) -> LimitVerdict {
    let state = LimitState(
      policy: charges[index].key.policy, rate: charges[index].rate, remaining: 0,
      resetSeconds: Self.seconds(wait))
    return LimitVerdict(states: [state], refusal: state)
  }

  private static func seconds(_ microseconds: Double) -> Int {
    max(1, Int((microseconds / 1_000_000).rounded(.up)))
  }
}
