/// Where a caller's statements would rather run.
///
/// A backend that has served a tenant before has its catalogue entries and its prepared statements at hand; one that has not
/// takes many times as long. With a home for each tenant, and a second one for when the first is busy, a thousand tenants
/// spread over the connections, instead of every connection learning, and keeping in memory, a thousand tenants.
enum Affinity: Equatable {
  /// The platform's own statements are at home everywhere.
  case platform
  /// A tenant, by a hash of its name.
  case tenant(UInt64)
  /// A group of tenants that is served together; no two of them share a home where there are places enough.
  case lane(Int)

  init(_ schema: TenantSchema?) {
    guard let schema else {
      self = .platform
      return
    }
    // The end of the name: it is the random part of the tenant's id.
    self = .tenant(
      schema.name.utf8.suffix(12).reduce(0xcbf2_9ce4_8422_2325) { hash, byte in
        (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
      })
  }
}

/// The two places a tenant or a lane is at home in.
struct Homes: Equatable {
  let first: Int
  let second: Int

  func contains(_ place: Int) -> Bool { place == first || place == second }
}

/// The places of a pool's connections: a connection keeps its place for life, and its successor takes it.
struct Places {
  private enum Place { case free, idle, lent(Affinity, since: UInt64) }

  private var places: [Place] = []
  /// Rises whenever a place is taken or left, and with it homes may change.
  private(set) var generation = 0

  mutating func take() -> Int {
    generation += 1
    let free = places.firstIndex { if case .free = $0 { true } else { false } }
    if let free {
      places[free] = .idle
      return free
    }
    places.append(.idle)
    return places.count - 1
  }

  mutating func leave(_ place: Int) {
    generation += 1
    places[place] = .free
  }

  mutating func lend(_ place: Int, to affinity: Affinity, now: UInt64) {
    places[place] = .lent(affinity, since: now)
  }

  mutating func giveBack(_ place: Int) { places[place] = .idle }

  /// The two taken places with the greatest weights (rendezvous hashing): when one is taken or left, only those
  /// move whose home it is.
  func homes(of affinity: Affinity) -> Homes? {
    if affinity == .platform { return nil }
    var best: (place: Int, weight: UInt64)?
    var next: (place: Int, weight: UInt64)?
    for (place, state) in places.enumerated() {
      if case .free = state { continue }
      let weight = Self.weight(of: affinity, at: place)
      if weight >= best?.weight ?? 0 {
        next = best
        best = (place, weight)
      } else if weight >= next?.weight ?? 0 {
        next = (place, weight)
      }
    }
    return best.map { Homes(first: $0.place, second: next?.place ?? $0.place) }
  }

  /// Whether it makes no sense to wait for the homes: they work for this very tenant, which needs more than them, or have
  /// been busy for so long that nobody knows when they will be free.
  func areTaken(
    _ homes: Homes, from affinity: Affinity, longerThan nanoseconds: UInt64, now: UInt64
  )
    -> Bool
  {
    [homes.first, homes.second].allSatisfy { place in
      if case .lent(let holder, let since) = places[place] {
        holder == affinity || now > since + nanoseconds
      } else {
        false
      }
    }
  }

  /// How much the place is liked.
  ///
  /// Tenants by SplitMix64's finalizer over both. A lane likes each fourth place, from that of its own number on, more than all others, and the lowest most.
  static func weight(of affinity: Affinity, at place: Int) -> UInt64 {
    let kind: UInt64
    switch affinity {
    case .platform: return 0
    case .tenant(let hash): kind = hash
    case .lane(let lane) where place % Database.lanes == lane: return .max - UInt64(place)
    case .lane(let lane): kind = UInt64(lane)
    }
    var mixed = kind ^ (UInt64(place + 1) &* 0x9e37_79b9_7f4a_7c15)
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
