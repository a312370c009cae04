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

/// The prepared statements of one connection, of which there may be so many.
///
/// Who makes room is found as a clock's hand would: it passes over what was used since it came by last, and every operation
/// takes the same time however many there are.
struct PreparedStatements {
  enum Plan {
    case execute(StatementName)
    /// Parse it as the unnamed statement.
    case parse
    case prepare(StatementName, evicting: StatementName?)
  }

  private struct Entry {
    let key: StatementKey
    let name: StatementName
    var wasUsed = false
  }

  private let capacity: Int
  private var entries: [Entry?] = []
  private var indices: [StatementKey: Int] = [:]
  private var hand = 0
  private var serial = 0

  init(capacity: Int) { self.capacity = capacity }

  mutating func plan(for key: StatementKey, label: Any.Type, mayPrepare: Bool) -> Plan {
    if let index = indices[key] {
      if let name = entries[index]?.name {
        entries[index]?.wasUsed = true
        return .execute(name)
      }
    }
    guard mayPrepare, capacity > 0 else { return .parse }
    serial += 1
    let entry = Entry(key: key, name: StatementName(label: label, number: serial))
    return .prepare(entry.name, evicting: insert(entry))
  }

  /// Forgets all, without telling the server: the names are never used again.
  mutating func forget() {
    entries.removeAll()
    indices.removeAll()
    hand = 0
  }

  /// Forgets one that the server never parsed.
  mutating func remove(_ key: StatementKey) {
    if let index = indices.removeValue(forKey: key) { entries[index] = nil }
  }

  /// Puts the entry where there is room and returns what had to go.
  private mutating func insert(_ entry: Entry) -> StatementName? {
    guard entries.count >= capacity else {
      indices[entry.key] = entries.count
      entries.append(entry)
      return nil
    }
    while entries[hand]?.wasUsed == true {
      entries[hand]?.wasUsed = false
      hand = (hand + 1) % capacity
    }
    let evicted = entries[hand]
    if let evicted { indices[evicted.key] = nil }
    entries[hand] = entry
    indices[entry.key] = hand
    hand = (hand + 1) % capacity
    return evicted?.name
  }
}
