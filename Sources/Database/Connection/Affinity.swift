/// Where a caller's statements would rather run: two of the pool's places, by the tenant's name.
///
/// A backend that has served a tenant before has its catalogue entries and its prepared statements at hand; one that has not
/// takes several times as long. With a home or two for each tenant a thousand tenants spread over the connections, instead
/// of every connection learning, and keeping in memory, a thousand tenants.
struct Affinity {
  let role: Connection.Role
  private let hash: UInt64?

  init(_ schema: TenantSchema?) {
    guard let schema else {
      role = .platform
      hash = nil
      return
    }
    role = .tenant(schema)
    // The end of the name: it is the random part of the tenant's id.
    hash = schema.name.utf8.suffix(12).reduce(0xcbf2_9ce4_8422_2325) { hash, byte in
      (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
    }
  }

  /// Whether the place is one of the homes; everything is at home everywhere that belongs to no tenant.
  func prefers(_ place: Int, of count: Int) -> Bool {
    guard let hash, count > 0 else { return true }
    let (first, second) = (hash >> 32, hash & 0xffff_ffff)
    return place == Int(first % UInt64(count)) || place == Int(second % UInt64(count))
  }
}

/// The places of a pool's connections: a connection keeps its place for life, and its successor takes it.
struct Places {
  private var taken: [Bool] = []

  /// One more than the highest place that was ever taken.
  var count: Int { taken.count }

  mutating func take() -> Int {
    if let free = taken.firstIndex(of: false) {
      taken[free] = true
      return free
    }
    taken.append(true)
    return taken.count - 1
  }

  mutating func leave(_ place: Int) { taken[place] = false }
}
