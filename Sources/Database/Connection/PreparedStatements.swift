/// What a prepared statement is known by: the text follows from the type and the schema.
struct StatementKey: Hashable {
  let type: ObjectIdentifier
  let schema: TenantSchema?
}

/// The name of a prepared statement on one connection: the type's name and a number.
struct StatementName {
  let text: String
  let characters: [CChar]

  init(label: Any.Type, number: Int) {
    // Postgres cuts names at 63 bytes, so the number comes first.
    text = "s\(number).\(String(describing: label).prefix(40))"
    characters = text.utf8.map { CChar(bitPattern: $0) } + [0]
  }
}

/// The prepared statements of one connection: a bounded LRU in front of which a filter keeps what runs once.
struct PreparedStatements {
  enum Plan {
    case execute(StatementName)
    /// Cold: parse it as the unnamed statement.
    case parse
    case prepare(StatementName, evicting: StatementName?)
  }

  private struct Entry {
    let name: StatementName
    var lastUse: Int
  }

  private let capacity: Int
  private var entries: [StatementKey: Entry] = [:]
  /// Fingerprints of statements seen once, by the low bits of their hash.
  private var seen: [Int]
  private var uses = 0
  private var serial = 0

  init(capacity: Int) {
    self.capacity = capacity
    seen = Array(repeating: 0, count: 1024)
  }

  mutating func plan(for key: StatementKey, label: Any.Type) -> Plan {
    uses += 1
    if let index = entries.index(forKey: key) {
      entries.values[index].lastUse = uses
      return .execute(entries.values[index].name)
    }
    let hash = key.hashValue | 1
    let slot = Int(bitPattern: UInt(bitPattern: hash) >> 54)
    guard capacity > 0, seen[slot] == hash else {
      seen[slot] = hash
      return .parse
    }
    let evicted = entries.count >= capacity ? evictColdest() : nil
    serial += 1
    let name = StatementName(label: label, number: serial)
    entries[key] = Entry(name: name, lastUse: uses)
    return .prepare(name, evicting: evicted)
  }

  /// Forgets all, without telling the server: the names are never used again.
  mutating func forget() {
    entries.removeAll()
    seen = Array(repeating: 0, count: seen.count)
  }

  /// Forgets one that the server never parsed.
  mutating func remove(_ key: StatementKey) { entries[key] = nil }

  private mutating func evictColdest() -> StatementName? {
    guard let coldest = entries.min(by: { $0.value.lastUse < $1.value.lastUse }) else { return nil }
    entries[coldest.key] = nil
    return coldest.value.name
  }
}
