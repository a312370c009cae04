/// Collects the bound values of one statement in one buffer, which its connection reuses.
@safe package struct ParameterWriter {
  private(set) var bytes: [UInt8] = []
  /// Where each value starts, and its length; −1 is null.
  private(set) var values: [(offset: Int, length: Int32)] = []
  private var isNull = false
  private var pointers: [UnsafePointer<CChar>?] = unsafe []
  private var lengths: [Int32] = []
  private var formats: [Int32] = []

  mutating func reset() {
    bytes.removeAll(keepingCapacity: true)
    values.removeAll(keepingCapacity: true)
  }

  mutating func append(_ value: some SQLBindable) {
    let offset = begin()
    value.bind(to: &self)
    end(offset)
  }

  @inline(__always) mutating func begin() -> Int {
    isNull = false
    return bytes.count
  }

  @inline(__always) mutating func end(_ offset: Int) {
    values.append((offset, isNull ? -1 : Int32(bytes.count - offset)))
  }

  package mutating func writeNull() { isNull = true }

  package mutating func write<Number: FixedWidthInteger>(_ number: Number) {
    unsafe withUnsafeBytes(of: number.bigEndian) { unsafe bytes.append(contentsOf: $0) }
  }

  package mutating func write(utf8 text: String) { bytes.append(contentsOf: text.utf8) }
  package mutating func write(contentsOf more: [UInt8]) { bytes.append(contentsOf: more) }
  package mutating func write(byte: UInt8) { bytes.append(byte) }

  /// A one-dimensional array: dimensions, null flag, element type, size, lower bound, elements.
  package mutating func write<Element: SQLBindable>(array elements: [Element]) {
    write(Int32(elements.isEmpty ? 0 : 1))
    let flag = bytes.count
    write(Int32(0))
    write(Int32(bitPattern: Element.sqlType.rawValue))
    guard !elements.isEmpty else { return }
    write(Int32(elements.count))
    write(Int32(1))
    for element in elements {
      let mark = bytes.count
      write(Int32(-1))
      isNull = false
      element.bind(to: &self)
      if isNull {
        bytes[flag + 3] = 1
      } else {
        patch(Int32(bytes.count - mark - 4), at: mark)
      }
    }
    isNull = false
  }

  mutating func write(raw: UnsafeRawBufferPointer) { unsafe bytes.append(contentsOf: raw) }

  /// The values in the shape libpq takes them.
  mutating func withParameters(
    _ body: (
      Int32, UnsafePointer<UnsafePointer<CChar>?>, UnsafePointer<Int32>, UnsafePointer<Int32>
    ) -> Int32
  ) -> Int32 {
    // An empty value still needs an address: null pointers mean null.
    bytes.append(0)
    unsafe pointers.removeAll(keepingCapacity: true)
    lengths.removeAll(keepingCapacity: true)
    while formats.count < values.count { formats.append(1) }
    return unsafe bytes.withUnsafeBytes { buffer in
      for (offset, length) in values {
        let start = unsafe buffer.baseAddress.map { unsafe $0 + offset }
        unsafe pointers.append(length < 0 ? nil : start?.assumingMemoryBound(to: CChar.self))
        lengths.append(length)
      }
      return unsafe body(Int32(values.count), pointers, lengths, formats)
    }
  }

  private mutating func patch(_ number: Int32, at offset: Int) {
    let value = UInt32(bitPattern: number)
    bytes[offset] = UInt8(truncatingIfNeeded: value >> 24)
    bytes[offset + 1] = UInt8(truncatingIfNeeded: value >> 16)
    bytes[offset + 2] = UInt8(truncatingIfNeeded: value >> 8)
    bytes[offset + 3] = UInt8(truncatingIfNeeded: value)
  }
}
