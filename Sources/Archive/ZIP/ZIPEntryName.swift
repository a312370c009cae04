/// The name of an entry that every system extracts to the same place below its directory (our policy, beyond APPNOTE section 4.4.17).
struct ZIPEntryName {
  let bytes: [UInt8]
  /// Equal for two names that a file system without case would confuse.
  let collisionKey: String

  init(_ name: String) throws(ArchiveError) {
    guard (1...512).contains(name.utf8.count) else {
      throw .invalidName(reason: "must have 1 to 512 bytes")
    }
    guard name.unicodeScalars.allSatisfy(Self.isAllowed) else {
      throw .invalidName(reason: "contains a character that some file system refuses")
    }
    for component in name.split(separator: "/", omittingEmptySubsequences: false) {
      try Self.check(component)
    }
    bytes = Array(name.utf8)
    collisionKey = name.lowercased()
  }

  private static func check(_ component: Substring) throws(ArchiveError) {
    // An empty component is a leading, final or double slash.
    guard !component.isEmpty, component != ".", component != ".." else {
      throw .invalidName(reason: "must be a relative path without empty, . and .. components")
    }
    guard component.utf8.count <= 255 else {
      throw .invalidName(reason: "has a component longer than 255 bytes")
    }
    guard component.first != " ", component.last != " ", component.last != "." else {
      throw .invalidName(
        reason: "has a component that begins or ends with a space, or ends with a dot")
    }
    let stem = component.prefix { $0 != "." }.uppercased()
    guard !devices.contains(stem) else {
      throw .invalidName(reason: "has a component that is a device on Windows")
    }
  }

  private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "\\", ":", "*", "?", "\"", "<", ">", "|": return false
    default: break
    }
    switch scalar.properties.generalCategory {
    // Control and invisible characters: bidirectional overrides disguise a name's ending.
    case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate,
      .unassigned:
      return false
    default: return true
    }
  }

  private static let devices: Set<String> = {
    var names: Set<String> = ["CON", "PRN", "AUX", "NUL"]
    for number in 1...9 { names.formUnion(["COM\(number)", "LPT\(number)"]) }
    return names
  }()
}
