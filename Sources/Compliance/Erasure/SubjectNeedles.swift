import Platform
import Tenancy

/// What the residue scan looks for: the values that tell who the subject was.
///
/// Capital letters do not matter; the database makes both sides small, by one set of rules.
struct SubjectNeedles: Sendable {
  /// The subject's id: nobody else ever has it.
  let ids: [String]
  /// E-mail, phone number and blind indexes: found anywhere, they fail the erasure, but for the rows of people who have
  /// the same today.
  let identifiers: [String]
  /// These may also be words of the product or of others, such as a name or a city.
  ///
  /// They count in rows about people only, and not if they stand in rows of others before the erasure: then they do not
  /// tell who the subject was.
  let ambiguous: [String]
  /// The blind indexes, which find those who have the same identifiers today.
  let indexes: [[UInt8]]

  /// Shorter values stand in every text.
  static let lengthMin = 4
  /// Bounds the price of the scan; what the account itself says comes first.
  static let countMax = 100

  /// Blind indexes are those of the account's claims.
  init(subject: UserID, indexes: [[UInt8]], documents: [SubjectDocument]) {
    let accounts = documents.filter(\.isAccount)
    // What other documents say may be past, and another's today.
    let others = documents.filter { !$0.isAccount }
    let claims = accounts.flatMap { account in
      ["email", "phone_number"].compactMap { account.members[$0]?.stringValue }
    }
    var leaves: [String] = []
    for document in accounts + others { Self.collect(.object(document.members), into: &leaves) }
    var known = Set(claims)
    let telling = leaves.filter { Self.isTelling($0) && known.insert($0).inserted }
    ids = [subject.description, Hex.encode(subject.bytes)]
    identifiers = indexes.map(Hex.encode) + claims.flatMap(Self.spellings)
    ambiguous = telling.prefix(Self.countMax).flatMap(Self.spellings)
    self.indexes = indexes
  }

  init(ids: [String], identifiers: [String], ambiguous: [String], indexes: [[UInt8]]) {
    self.ids = ids
    self.identifiers = identifiers
    self.ambiguous = ambiguous
    self.indexes = indexes
  }

  /// Whether a value would not turn up in random ids, times and digests by chance, as a postal code does.
  private static func isTelling(_ value: String) -> Bool {
    guard value.count >= lengthMin else { return false }
    return value.count >= 8 || value.contains { !$0.isHexDigit && !$0.isPunctuation }
  }

  /// As text, as it stands inside a JSON string, and as the hexadecimal digits of a bytea column.
  private static func spellings(_ value: String) -> [String] {
    let json = JSON.string(value).text.dropFirst().dropLast()
    var spellings: Set = [value, String(json)]
    // Fewer digits would be found in digests by chance.
    if value.utf8.count >= 8 { spellings.insert(Hex.encode(Array(value.utf8))) }
    return spellings.sorted()
  }

  private static func collect(_ value: JSON, into leaves: inout [String]) {
    switch value {
    case .string(let text):
      leaves.append(text)
      // An address on several lines is also each of its lines.
      let lines = text.split(whereSeparator: \.isNewline)
      if lines.count > 1 { leaves += lines.map(String.init) }
    case .array(let elements): for element in elements { collect(element, into: &leaves) }
    case .object(let object): for member in object { collect(member.value, into: &leaves) }
    case .null, .bool, .integer, .number: break
    }
  }
}
