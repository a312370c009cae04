/// The members of a JSON object in the order they were written (RFC 8259 section 4).
///
/// Names are compared byte by byte (RFC 8259 section 8.3), not by Unicode equivalence as Swift's `==` does: `"K"` and the
/// Kelvin sign are different members. Two names that are only canonically equivalent never live in one object.
package struct JSONObject: Sendable {
  private var members: [(name: String, value: JSON)]
  /// Position by name, kept only for large objects; small ones are searched.
  private var index: [String: Int]?

  private static var searchedCountMax: Int { 16 }

  package init() {
    members = []
    index = nil
  }

  /// The members in order; of a name that occurs twice the last value stays.
  package init(_ members: some Sequence<(String, JSON)>) {
    self.init()
    self.members.reserveCapacity(members.underestimatedCount)
    for (name, value) in members { self[name] = value }
  }

  package var count: Int { members.count }
  package var isEmpty: Bool { members.isEmpty }
  package var names: [String] { members.map(\.name) }

  package subscript(_ name: String) -> JSON? {
    get {
      guard let position = position(of: name) else { return nil }
      let member = members[position]
      return member.name.utf8.elementsEqual(name.utf8) ? member.value : nil
    }
    set {
      switch (position(of: name), newValue) {
      case (let position?, let value?): members[position] = (name, value)
      case (nil, let value?): append(name, value)
      case (let position?, nil):
        members.remove(at: position)
        index = nil
        if members.count > Self.searchedCountMax { buildIndex() }
      case (nil, nil): break
      }
    }
  }

  /// Adds a member known to be new; only the parser may say so.
  mutating func appendNew(_ name: String, _ value: JSON) {
    append(name, value)
  }

  /// Whether the name, or a canonically equivalent one, is taken.
  func contains(_ name: String) -> Bool { position(of: name) != nil }

  /// This object with the members of another added, the other's values winning.
  package func merging(_ other: JSONObject) -> JSONObject {
    var result = self
    result.members.reserveCapacity(count + other.count)
    for (name, value) in other { result[name] = value }
    return result
  }

  private func position(of name: String) -> Int? {
    if let index { return index[name] }
    return members.firstIndex { $0.name == name }
  }

  private mutating func append(_ name: String, _ value: JSON) {
    members.append((name, value))
    if index != nil {
      index?[name] = members.count - 1
    } else if members.count > Self.searchedCountMax {
      buildIndex()
    }
  }

  private mutating func buildIndex() {
    var index: [String: Int] = Dictionary(minimumCapacity: members.count * 2)
    for (position, member) in members.enumerated() { index[member.name] = position }
    self.index = index
  }
}

extension JSONObject: Sequence {
  package func makeIterator() -> IndexingIterator<[(name: String, value: JSON)]> {
    members.makeIterator()
  }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
  package init(dictionaryLiteral members: (String, JSON)...) {
    self.init(members)
  }
}

/// Equality ignores order: an object is an unordered collection (RFC 8259 section 1).
extension JSONObject: Hashable {
  package static func == (left: JSONObject, right: JSONObject) -> Bool {
    left.count == right.count && left.allSatisfy { right[$0.name] == $0.value }
  }

  package func hash(into hasher: inout Hasher) {
    var sum = 0
    for (name, value) in members {
      var member = Hasher()
      member.combine(name)
      member.combine(value)
      sum &+= member.finalize()
    }
    hasher.combine(members.count)
    hasher.combine(sum)
  }
}
