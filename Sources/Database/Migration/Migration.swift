/// One numbered step of the schema, and the way back.
package struct Migration: Sendable, Hashable {
  package let version: Int
  package let name: String
  package let up: String
  package let down: String

  package init(version: Int, name: String, up: String, down: String) {
    self.version = version
    self.name = name
    self.up = up
    self.down = down
  }

  /// FNV-1a of the way up, against edits after the fact; nobody is kept out by it.
  package var checksum: String {
    let hash = up.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { hash, byte in
      (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
    }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
