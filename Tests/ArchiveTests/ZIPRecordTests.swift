import FoundationEssentials
import Platform
import Testing

@testable import Archive

/// The records of archives too large to write in a test.
@Suite("APPNOTE sections 4.3 and 4.5.3: ZIP64 records")
struct ZIPRecordTests {
  static let time = ZIPTimestamp(Date(unixSeconds: 1_795_249_501))

  static func entry(offset: UInt64 = 0, size: UInt64 = 10, compressedSize: UInt64 = 5)
    -> ZIPEntryRecord
  {
    var entry = ZIPEntryRecord(name: Array("n".utf8), modified: time, offset: offset)
    entry.checksum = 0x0403_0201
    entry.size = size
    entry.compressedSize = compressedSize
    return entry
  }

  static func integer<Value: FixedWidthInteger>(_ bytes: [UInt8], at offset: Int, as: Value.Type)
    -> Value
  {
    (0..<MemoryLayout<Value>.size).reduce(0) {
      $0 | Value(truncatingIfNeeded: bytes[offset + $1]) << ($1 * 8)
    }
  }

  @Test("a small entry has four-byte sizes and asks for version 2.0")
  func small() {
    let central = Self.entry().centralHeader
    #expect(central.count == 46 + 1 + 9)
    #expect(Self.integer(central, at: 6, as: UInt16.self) == 20)
    #expect(Self.integer(central, at: 20, as: UInt32.self) == 5)
    #expect(Self.integer(central, at: 24, as: UInt32.self) == 10)
    #expect(Self.entry().dataDescriptor == Hex.decode("504b0708010203040500000" + "00a000000"))
    #expect(Self.entry().localHeader.count == 30 + 1 + 9)
  }

  @Test(
    "exactly the fields that overflow move to the extra field, in their order",
    arguments: [
      (0, 0xffff_ffff, 5, [0xffff_ffff, 5]), (0, 10, 0xffff_ffff, [10, 0xffff_ffff]),
      (0, 0x1_0000_0000, 0x2_0000_0000, [0x1_0000_0000, 0x2_0000_0000]),
      (0xffff_ffff, 10, 5, [0xffff_ffff]),
      (0x3_0000_0000, 0x1_0000_0000, 5, [0x1_0000_0000, 5, 0x3_0000_0000]),
    ] as [(UInt64, UInt64, UInt64, [UInt64])])
  func large(_ offset: UInt64, _ size: UInt64, _ compressed: UInt64, _ fields: [UInt64]) {
    let entry = Self.entry(offset: offset, size: size, compressedSize: compressed)
    let central = entry.centralHeader
    #expect(Self.integer(central, at: 6, as: UInt16.self) == 45)
    #expect(Self.integer(central, at: 30, as: UInt16.self) == UInt16(4 + 8 * fields.count + 9))
    #expect(Self.integer(central, at: 47, as: UInt16.self) == 1)
    #expect(Self.integer(central, at: 49, as: UInt16.self) == UInt16(8 * fields.count))
    for (position, field) in fields.enumerated() {
      #expect(Self.integer(central, at: 51 + 8 * position, as: UInt64.self) == field)
    }
    #expect((Self.integer(central, at: 42, as: UInt32.self) == .max) == (offset >= 0xffff_ffff))
    #expect((Self.integer(central, at: 20, as: UInt32.self) == .max) == (fields.count > 1))
    #expect((Self.integer(central, at: 24, as: UInt32.self) == .max) == (fields.count > 1))
    #expect(entry.dataDescriptor.count == (fields.count > 1 ? 24 : 16))
  }

  @Test(
    "the end of the archive is ZIP64 from 65,535 entries or 4 GiB on",
    arguments: [
      (65_534, 100, 100, false), (65_535, 100, 100, true), (1, 0xffff_ffff, 100, true),
      (1, 100, 0xffff_fffe, false), (1, 100, 0xffff_ffff, true),
    ] as [(UInt64, UInt64, UInt64, Bool)])
  func end(_ count: UInt64, _ size: UInt64, _ offset: UInt64, _ isLarge: Bool) {
    let bytes = ZIPEndRecord(entryCount: count, directorySize: size, directoryOffset: offset).bytes
    #expect(bytes.count == (isLarge ? 56 + 20 + 22 : 22))
    guard isLarge else { return }
    #expect(Self.integer(bytes, at: 4, as: UInt64.self) == 44)
    #expect(Self.integer(bytes, at: 24, as: UInt64.self) == count)
    #expect(Self.integer(bytes, at: 32, as: UInt64.self) == count)
    #expect(Self.integer(bytes, at: 40, as: UInt64.self) == size)
    #expect(Self.integer(bytes, at: 48, as: UInt64.self) == offset)
    #expect(Self.integer(bytes, at: 64, as: UInt64.self) == offset + size)
    #expect(Self.integer(bytes, at: 76 + 10, as: UInt16.self) == UInt16(clamping: count))
  }

  @Test("Python reads the directory of an archive with a 5 GiB gap and a 6 GiB entry")
  func sparse() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path.appending("a.zip")
    let offset: UInt64 = 5 << 30
    let end = ZIPEndRecord(
      entryCount: 1,
      directorySize: UInt64(Self.entry(offset: offset, size: 6 << 30).centralHeader.count),
      directoryOffset: offset + 100)
    let tail = Self.entry(offset: offset, size: 6 << 30).centralHeader + end.bytes
    let script = """
      import sys, zipfile
      with open(sys.argv[1], "wb") as f:
        f.seek(int(sys.argv[2])); f.write(bytes.fromhex(sys.argv[3]))
      i = zipfile.ZipFile(sys.argv[1]).infolist()[0]
      print(i.filename, i.file_size, i.compress_size, i.header_offset)
      """
    let outcome = try python(script, path.text, String(offset + 100), Hex.encode(tail))
    #expect(outcome.output == "n \(6 << 30 as Int) 5 \(offset)\n")
  }

  @Test("section 4.4.6: times are clamped to what MS-DOS could say")
  func times() {
    #expect(ZIPTimestamp(Date(unixSeconds: 0)).date == 1 << 5 | 1)
    #expect(ZIPTimestamp(Date(unixSeconds: 0)).time == 0)
    let last = ZIPTimestamp(Date.distantFuture)
    #expect(last.date == UInt16(127 << 9 | 12 << 5 | 31))
    #expect(last.time == UInt16(23 << 11 | 59 << 5 | 29))
    #expect(last.extra == [0x55, 0x54, 5, 0, 1, 0xff, 0xff, 0xff, 0x7f])
  }
}
