package import FoundationEssentials

/// The identifier of one `Entity`: a UUIDv7 (RFC 9562 section 5.7) that cannot be mistaken for another entity's.
package struct ID<Entity>: Hashable, Sendable, Comparable, LosslessStringConvertible, Codable {
  package let uuid: UUID

  package init(_ uuid: UUID) {
    self.uuid = uuid
  }

  /// Parses the canonical form only: 36 lower-case characters (RFC 9562 section 4).
  ///
  /// RFC 9562 accepts upper case on input; we do not (our policy), so that one entity has one spelling in
  /// URLs, caches and signed strings.
  package init?(_ text: String) {
    guard let bytes = UUIDText.parse(text) else { return nil }
    self.init(bytes: bytes)
  }

  package init?(bytes: [UInt8]) {
    guard bytes.count == 16 else { return nil }
    uuid = UUID(
      uuid: (
        bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7], bytes[8],
        bytes[9], bytes[10], bytes[11], bytes[12], bytes[13], bytes[14], bytes[15]
      ))
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    guard let id = try Self(container.decode(String.self)) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a UUID")
    }
    self = id
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }

  /// A new identifier: 48 bits of Unix milliseconds, then 74 random bits (RFC 9562 section 5.7).
  package static func generate(_ clock: WallClock, _ random: RandomSource) -> ID {
    ID(UUID.version7(at: clock.now(), random: random))
  }

  package var bytes: [UInt8] { uuid.bytes }

  package var description: String { UUIDText.format(uuid) }

  /// Byte order, which is the order of creation to the millisecond.
  package static func < (left: ID, right: ID) -> Bool { left.uuid < right.uuid }
}

extension UUID {
  /// The sixteen octets in network order (RFC 9562 section 4).
  package var bytes: [UInt8] {
    let octets = uuid
    return [
      octets.0, octets.1, octets.2, octets.3, octets.4, octets.5, octets.6, octets.7, octets.8,
      octets.9, octets.10, octets.11, octets.12, octets.13, octets.14, octets.15,
    ]
  }

  /// A version 7 UUID of the given time (RFC 9562 section 5.7).
  package static func version7(at time: Date, random: RandomSource) -> UUID {
    let milliseconds = UInt64(max(0, (time.timeIntervalSince1970 * 1000).rounded(.down)))
    let noise = random.bytes(10)
    let stamp = (0..<6).map { UInt8(truncatingIfNeeded: milliseconds >> (40 - 8 * UInt64($0))) }
    return UUID(
      uuid: (
        stamp[0], stamp[1], stamp[2], stamp[3], stamp[4], stamp[5],
        0x70 | noise[0] & 0x0f, noise[1],
        0x80 | noise[2] & 0x3f, noise[3], noise[4], noise[5], noise[6], noise[7], noise[8], noise[9]
      ))
  }
}

/// The text form of RFC 9562 section 4, strict and without Foundation's formatter.
enum UUIDText {
  static func format(_ uuid: UUID) -> String {
    let bytes = uuid.bytes
    return String(unsafeUninitializedCapacity: 36) { text in
      var end = 0
      for (position, byte) in bytes.enumerated() {
        if position == 4 || position == 6 || position == 8 || position == 10 {
          text[end] = UInt8(ascii: "-")
          end += 1
        }
        text[end] = Hex.digit(byte >> 4)
        text[end + 1] = Hex.digit(byte & 0x0f)
        end += 2
      }
      return end
    }
  }

  static func parse(_ text: String) -> [UInt8]? {
    let characters = text.utf8
    guard characters.count == 36 else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(16)
    var high: UInt8?
    for (position, character) in characters.enumerated() {
      if position == 8 || position == 13 || position == 18 || position == 23 {
        guard character == UInt8(ascii: "-") else { return nil }
        continue
      }
      guard let value = Hex.value(character) else { return nil }
      if let first = high {
        bytes.append(first << 4 | value)
        high = nil
      } else {
        high = value
      }
    }
    return bytes
  }
}
