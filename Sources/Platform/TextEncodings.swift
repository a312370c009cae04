/// Base 16 in lower case (RFC 4648 section 8).
package enum Hex {
  package static func encode(_ bytes: some Collection<UInt8>) -> String {
    bytes.withContiguousStorageIfAvailable(encodeContiguous)
      ?? Array(bytes).withUnsafeBufferPointer(encodeContiguous)
  }

  private static func encodeContiguous(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
    String(unsafeUninitializedCapacity: bytes.count * 2) { text in
      var end = 0
      for byte in bytes {
        text[end] = digit(byte >> 4)
        text[end + 1] = digit(byte & 0x0f)
        end += 2
      }
      return end
    }
  }

  /// The bytes, or nil unless the text is an even number of lower-case digits.
  package static func decode(_ text: String) -> [UInt8]? {
    let digits = Array(text.utf8)
    guard digits.count.isMultiple(of: 2) else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(digits.count / 2)
    for index in stride(from: 0, to: digits.count, by: 2) {
      guard let high = value(digits[index]), let low = value(digits[index + 1]) else { return nil }
      bytes.append(high << 4 | low)
    }
    return bytes
  }

  @inline(__always)
  static func digit(_ nibble: UInt8) -> UInt8 {
    nibble < 10 ? nibble + UInt8(ascii: "0") : nibble - 10 + UInt8(ascii: "a")
  }

  @inline(__always)
  static func value(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    default: nil
    }
  }
}

/// Base 64 with the URL-safe alphabet and no padding (RFC 4648 section 5, RFC 7515 section 2).
package enum Base64URL {
  static let alphabet = Alphabet(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", bits: 6)

  package static func encode(_ bytes: some Collection<UInt8>) -> String {
    alphabet.encode(bytes)
  }

  /// The bytes, or nil: padding, white space, other alphabets and set unused bits are refused (section 3.5).
  package static func decode(_ text: String) -> [UInt8]? {
    alphabet.decode(text.utf8)
  }
}

/// Base 64 with the standard alphabet and padding (RFC 4648 section 4), as HTTP Basic wants it (RFC 7617).
package enum Base64 {
  static let alphabet = Alphabet(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", bits: 6)

  package static func encode(_ bytes: some Collection<UInt8>) -> String {
    alphabet.encode(bytes) + String(repeating: "=", count: (3 - bytes.count % 3) % 3)
  }

  /// The bytes, or nil: missing or superfluous padding and set unused bits are refused (section 3.5).
  package static func decode(_ text: String) -> [UInt8]? {
    let characters = text.utf8
    guard characters.count.isMultiple(of: 4) else { return nil }
    let padding = characters.suffix(2).reversed().prefix { $0 == UInt8(ascii: "=") }.count
    return alphabet.decode(characters.dropLast(padding))
  }
}

/// Base 32 in lower case and without padding (RFC 4648 section 6): safe in identifiers of databases and hosts.
package enum Base32 {
  static let alphabet = Alphabet("abcdefghijklmnopqrstuvwxyz234567", bits: 5)

  package static func encode(_ bytes: some Collection<UInt8>) -> String {
    alphabet.encode(bytes)
  }

  /// The bytes, or nil: upper case, padding and set unused bits are refused (section 3.5).
  package static func decode(_ text: String) -> [UInt8]? {
    alphabet.decode(text.utf8)
  }
}

/// One alphabet of RFC 4648 and its inverse.
struct Alphabet: Sendable {
  private let digits: [UInt8]
  /// For each byte its value, or 0xff.
  private let values: [UInt8]
  private let bits: Int

  init(_ digits: StaticString, bits: Int) {
    let letters = digits.withUTF8Buffer { Array($0) }
    precondition(letters.count == 1 << bits)
    var values = [UInt8](repeating: 0xff, count: 256)
    for (value, letter) in letters.enumerated() {
      values[Int(letter)] = UInt8(value)
    }
    self.digits = letters
    self.values = values
    self.bits = bits
  }

  func encode(_ bytes: some Collection<UInt8>) -> String {
    // Out of generic code at once: unspecialised, as other modules call it, the loop costs ten times as much.
    bytes.withContiguousStorageIfAvailable(encodeContiguous)
      ?? Array(bytes).withUnsafeBufferPointer(encodeContiguous)
  }

  private func encodeContiguous(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
    let length = (bytes.count * 8 + bits - 1) / bits
    let mask: UInt32 = (1 << bits) - 1
    return String(unsafeUninitializedCapacity: length) { text in
      digits.withUnsafeBufferPointer { digits in
        var start = 0
        var end = 0
        if bits == 6 {
          // Three bytes are four digits: tokens are long.
          while start + 3 <= bytes.count {
            let group =
              UInt32(bytes[start]) << 16 | UInt32(bytes[start + 1]) << 8 | UInt32(bytes[start + 2])
            text[end] = digits[Int(group >> 18)]
            text[end + 1] = digits[Int(group >> 12 & mask)]
            text[end + 2] = digits[Int(group >> 6 & mask)]
            text[end + 3] = digits[Int(group & mask)]
            start += 3
            end += 4
          }
        }
        var pending: UInt32 = 0
        var pendingBits = 0
        while start < bytes.count {
          pending = pending &<< 8 | UInt32(bytes[start])
          pendingBits += 8
          start += 1
          while pendingBits >= bits {
            pendingBits -= bits
            text[end] = digits[Int(pending &>> UInt32(pendingBits) & mask)]
            end += 1
          }
        }
        if pendingBits > 0 {
          text[end] = digits[Int(pending &<< UInt32(bits - pendingBits) & mask)]
          end += 1
        }
        return end
      }
    }
  }

  func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
    let bytes = text.withContiguousStorageIfAvailable(decodeContiguous)
    return bytes ?? Array(text).withUnsafeBufferPointer(decodeContiguous)
  }

  private func decodeContiguous(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
    var isWhole = true
    let bytes = [UInt8](unsafeUninitializedCapacity: text.count * bits / 8) { bytes, count in
      values.withUnsafeBufferPointer { values in
        var pending: UInt32 = 0
        var pendingBits = 0
        for character in text {
          let value = values[Int(character)]
          guard value != 0xff else {
            isWhole = false
            return
          }
          pending = pending &<< UInt32(bits) | UInt32(value)
          pendingBits += bits
          if pendingBits >= 8 {
            pendingBits -= 8
            bytes[count] = UInt8(truncatingIfNeeded: pending &>> UInt32(pendingBits))
            count += 1
            pending &= (1 &<< UInt32(pendingBits)) - 1
          }
        }
        // RFC 4648 section 3.5: what is left over is zero, and too short to have been a digit of its own.
        isWhole = pendingBits < bits && pending == 0
      }
    }
    return isWhole ? bytes : nil
  }
}
