import Platform
import Tenancy

/// What the residue scan looks for: the values that tell who the subject was.
struct SubjectNeedles: Sendable {
  /// These belong to one person only: found anywhere, they fail the erasure.
  let certain: [String]
  /// These may also be words of the product or of others, such as a name or a city.
  ///
  /// They count unless they
  /// stand in rows of others as well: then they do not tell who the subject was.
  let ambiguous: [String]

  /// Shorter values stand in every text.
  static let lengthMin = 4
  /// Bounds the price of the scan; the identifiers come first.
  static let countMax = 100

  /// Blind indexes are those of the subject's claims.
  ///
  /// They stand in rows of others, too: two people may share a phone number, and an address is free
  /// again as soon as an erasure begins.
  init(subject: UserID, indexes: [(kind: BlindIndex, value: [UInt8])], documents: [JSONObject]) {
    var certain = Set<String>()
    var ambiguous = Set<String>()
    var leaves: [String] = []
    for document in documents { Self.collect(.object(document), into: &leaves) }
    for leaf in leaves {
      if Self.identifies(leaf) {
        certain.insert(leaf)
      } else if Self.isTelling(leaf) {
        ambiguous.insert(leaf)
      }
    }
    let identifiers = [subject.description, Hex.encode(subject.bytes)]
    for index in indexes { ambiguous.insert(Hex.encode(index.value)) }
    let values = certain.sorted().prefix(Self.countMax)
    self.certain = (identifiers + values).flatMap(Self.spellings)
    self.ambiguous = ambiguous.sorted().prefix(Self.countMax).flatMap(Self.spellings)
  }

  init(certain: [String], ambiguous: [String]) {
    self.certain = certain
    self.ambiguous = ambiguous
  }

  /// An address of mail, a phone number, or several words.
  private static func identifies(_ value: String) -> Bool {
    if value.contains("@") { return true }
    if value.hasPrefix("+"), value.count >= 8 { return true }
    return value.count >= 8 && value.contains(where: \.isWhitespace)
  }

  /// Whether a value would not turn up in random ids, times and digests by chance, as a postal code does.
  private static func isTelling(_ value: String) -> Bool {
    guard value.count >= lengthMin else { return false }
    return value.count >= 8 || value.contains { !$0.isHexDigit && !$0.isPunctuation }
  }

  /// As text, as it stands inside a JSON string, and as the hexadecimal digits of a bytea column; in lower case,
  /// as what is searched.
  private static func spellings(_ value: String) -> [String] {
    let json = JSON.string(value).text.dropFirst().dropLast()
    var spellings: Set = [value.lowercased(), json.lowercased()]
    // A database with the C locale knows the small letters of ASCII only.
    spellings.insert(asciiLowercased(value))
    spellings.insert(asciiLowercased(String(json)))
    // Fewer digits would be found in digests by chance.
    if value.utf8.count >= 8 { spellings.insert(Hex.encode(Array(value.utf8))) }
    return spellings.sorted()
  }

  private static func asciiLowercased(_ text: String) -> String {
    let bytes = text.utf8.map { (65...90).contains($0) ? $0 + 32 : $0 }
    return String(decoding: bytes, as: UTF8.self)
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
