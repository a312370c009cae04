import FoundationEssentials
import Platform

/// The three records of one entry (APPNOTE sections 4.3.7, 4.3.9 and 4.3.12).
///
/// Sizes and checksum are unknown when the local header is written, so they follow the data (bit 3). Whether they need eight bytes is unknown
/// too; marking every entry as ZIP64 would shut out readers for nothing. So the local header never says ZIP64, the descriptor of an
/// entry beyond 4 GiB has eight-byte sizes, and the central header, which readers go by, says so: as Go's archive/zip and the
/// JDK do (JDK-7073588).
struct ZIPEntryRecord {
  let name: [UInt8]
  let modified: ZIPTimestamp
  /// Position of the local header.
  let offset: UInt64
  var checksum: UInt32 = 0
  var size: UInt64 = 0
  var compressedSize: UInt64 = 0

  init(name: [UInt8], modified: ZIPTimestamp, offset: UInt64) {
    self.name = name
    self.modified = modified
    self.offset = offset
  }

  /// Section 4.4.4: bit 3, sizes follow the data; bit 11, the name is UTF-8.
  private static let flags: UInt16 = 1 << 3 | 1 << 11
  private static let deflate: UInt16 = 8
  private static let version: UInt16 = 20
  static let versionOfZIP64: UInt16 = 45
  /// Section 4.4.2: attributes are Unix's.
  static let madeBy: UInt16 = 3 << 8 | versionOfZIP64
  /// A regular file that its owner may write and everybody read.
  private static let attributes: UInt32 = 0o100644 << 16
  static let max32 = UInt64(UInt32.max)

  private var hasLargeSize: Bool { size >= Self.max32 || compressedSize >= Self.max32 }

  /// Section 4.3.7.
  var localHeader: [UInt8] {
    var bytes: [UInt8] = []
    bytes.appendInteger(0x0403_4b50 as UInt32)
    bytes.appendInteger(Self.version)
    bytes.appendInteger(Self.flags)
    bytes.appendInteger(Self.deflate)
    bytes.appendInteger(modified.time)
    bytes.appendInteger(modified.date)
    bytes.append(contentsOf: [UInt8](repeating: 0, count: 12))
    bytes.appendInteger(UInt16(name.count))
    bytes.appendInteger(UInt16(modified.extra.count))
    return bytes + name + modified.extra
  }

  /// Section 4.3.9, with the customary signature of section 4.3.9.3.
  var dataDescriptor: [UInt8] {
    var bytes: [UInt8] = []
    bytes.appendInteger(0x0807_4b50 as UInt32)
    bytes.appendInteger(checksum)
    if hasLargeSize {
      bytes.appendInteger(compressedSize)
      bytes.appendInteger(size)
    } else {
      bytes.appendInteger(UInt32(compressedSize))
      bytes.appendInteger(UInt32(size))
    }
    return bytes
  }

  /// Section 4.3.12.
  var centralHeader: [UInt8] {
    let wide = zip64Extra
    var bytes: [UInt8] = []
    bytes.appendInteger(0x0201_4b50 as UInt32)
    bytes.appendInteger(Self.madeBy)
    bytes.appendInteger(wide.isEmpty ? Self.version : Self.versionOfZIP64)
    bytes.appendInteger(Self.flags)
    bytes.appendInteger(Self.deflate)
    bytes.appendInteger(modified.time)
    bytes.appendInteger(modified.date)
    bytes.appendInteger(checksum)
    bytes.appendInteger(hasLargeSize ? UInt32.max : UInt32(compressedSize))
    bytes.appendInteger(hasLargeSize ? UInt32.max : UInt32(size))
    bytes.appendInteger(UInt16(name.count))
    bytes.appendInteger(UInt16(wide.count + modified.extra.count))
    // Comment length, disk number, internal attributes.
    bytes.append(contentsOf: [UInt8](repeating: 0, count: 6))
    bytes.appendInteger(Self.attributes)
    bytes.appendInteger(UInt32(clamping: offset))
    return bytes + name + wide + modified.extra
  }

  /// Section 4.5.3: exactly the fields whose four bytes say 0xffffffff, in the order size, compressed size, offset.
  private var zip64Extra: [UInt8] {
    var fields: [UInt8] = []
    if hasLargeSize {
      fields.appendInteger(size)
      fields.appendInteger(compressedSize)
    }
    if offset >= Self.max32 { fields.appendInteger(offset) }
    guard !fields.isEmpty else { return [] }
    var extra: [UInt8] = []
    extra.appendInteger(0x0001 as UInt16)
    extra.appendInteger(UInt16(fields.count))
    return extra + fields
  }
}

/// The end of the archive (APPNOTE sections 4.3.14 to 4.3.16).
struct ZIPEndRecord {
  let entryCount: UInt64
  let directorySize: UInt64
  let directoryOffset: UInt64

  var bytes: [UInt8] {
    let isLarge =
      entryCount >= UInt64(UInt16.max) || directorySize >= ZIPEntryRecord.max32
      || directoryOffset >= ZIPEntryRecord.max32
    var bytes = isLarge ? zip64End + zip64Locator : []
    bytes.appendInteger(0x0605_4b50 as UInt32)
    bytes.appendInteger(0 as UInt32)  // this disk, disk of the directory
    bytes.appendInteger(UInt16(clamping: entryCount))
    bytes.appendInteger(UInt16(clamping: entryCount))
    bytes.appendInteger(UInt32(clamping: directorySize))
    bytes.appendInteger(UInt32(clamping: directoryOffset))
    bytes.appendInteger(0 as UInt16)  // no comment
    return bytes
  }

  /// Section 4.3.14.
  private var zip64End: [UInt8] {
    var bytes: [UInt8] = []
    bytes.appendInteger(0x0606_4b50 as UInt32)
    bytes.appendInteger(44 as UInt64)  // what follows of this record
    bytes.appendInteger(ZIPEntryRecord.madeBy)
    bytes.appendInteger(ZIPEntryRecord.versionOfZIP64)
    bytes.appendInteger(0 as UInt64)  // this disk, disk of the directory
    bytes.appendInteger(entryCount)
    bytes.appendInteger(entryCount)
    bytes.appendInteger(directorySize)
    bytes.appendInteger(directoryOffset)
    return bytes
  }

  /// Section 4.3.15.
  private var zip64Locator: [UInt8] {
    var bytes: [UInt8] = []
    bytes.appendInteger(0x0706_4b50 as UInt32)
    bytes.appendInteger(0 as UInt32)
    bytes.appendInteger(directoryOffset + directorySize)
    bytes.appendInteger(1 as UInt32)  // one disk
    return bytes
  }
}

/// A time of modification in both forms readers know.
struct ZIPTimestamp {
  /// Section 4.4.6: MS-DOS, two seconds fine, from 1980 to 2107, and without a zone; here UTC.
  let time: UInt16
  let date: UInt16
  /// The "UT" extra field of Info-ZIP: seconds since 1970, which readers prefer.
  let extra: [UInt8]

  init(_ modified: Date) {
    let earliest = 315_532_800  // 1980-01-01T00:00:00Z
    let latest = 4_354_819_199  // 2107-12-31T23:59:59Z
    let seconds = modified.timeIntervalSince1970.rounded(.down)
    let clamped = Int64(min(max(seconds, Double(earliest)), Double(latest)))
    let (days, second) = clamped.quotientAndRemainder(dividingBy: 86_400)
    let day = CivilDate.of(daysSince1970: days)
    time = UInt16((second / 3600) << 11 | (second / 60 % 60) << 5 | second % 60 / 2)
    date = UInt16((day.year - 1980) << 9 | day.month << 5 | day.day)
    var field: [UInt8] = [0x55, 0x54, 5, 0, 1]
    field.appendInteger(Int32(clamping: clamped))
    extra = field
  }
}

extension Array where Element == UInt8 {
  /// All numbers of a ZIP are little-endian (APPNOTE section 4.4.1.1).
  mutating func appendInteger<Value: FixedWidthInteger>(_ value: Value) {
    for place in 0..<MemoryLayout<Value>.size {
      append(UInt8(truncatingIfNeeded: value >> (place * 8)))
    }
  }
}
