package import FoundationEssentials

extension Date {
  /// Seconds since 1970, rounded down: NumericDate (RFC 7519 section 2).
  package var unixSeconds: Int {
    Int(timeIntervalSince1970.rounded(.down))
  }

  package init(unixSeconds: Int) {
    self.init(timeIntervalSince1970: Double(unixSeconds))
  }

  /// The time in UTC with milliseconds, `2026-11-21T08:25:00.000Z` (RFC 3339 section 5.6).
  ///
  /// Times outside the years 0000 to 9999 are shown as the nearest one that has a form.
  package var rfc3339: String {
    let latest = 253_402_300_799_999.0
    let earliest = -62_167_219_200_000.0
    let total = Int64(min(max((timeIntervalSince1970 * 1000).rounded(), earliest), latest))
    let (days, millisecond) = total.flooredDivision(by: 86_400_000)
    let (year, month, day) = CivilDate.of(daysSince1970: days)
    let second = millisecond / 1000
    return String(unsafeUninitializedCapacity: 24) { text in
      var end = 0
      func digits(_ value: Int64, _ count: Int, then separator: UInt8) {
        var rest = value
        for place in stride(from: count - 1, through: 0, by: -1) {
          text[end + place] = UInt8(ascii: "0") + UInt8(rest % 10)
          rest /= 10
        }
        text[end + count] = separator
        end += count + 1
      }
      digits(year, 4, then: UInt8(ascii: "-"))
      digits(month, 2, then: UInt8(ascii: "-"))
      digits(day, 2, then: UInt8(ascii: "T"))
      digits(second / 3600, 2, then: UInt8(ascii: ":"))
      digits(second / 60 % 60, 2, then: UInt8(ascii: ":"))
      digits(second % 60, 2, then: UInt8(ascii: "."))
      digits(millisecond % 1000, 3, then: UInt8(ascii: "Z"))
      return end
    }
  }

  /// Parses `date-time` of RFC 3339 section 5.6 in upper case, with one to nine fraction digits and any offset.
  ///
  /// Leap seconds are refused (our policy): neither Postgres nor `Date` can keep them.
  package init?(rfc3339 text: String) {
    var scanner = TimestampScanner(text)
    guard let seconds = scanner.dateTime() else { return nil }
    self.init(timeIntervalSince1970: seconds)
  }
}

/// Reads the fixed columns of RFC 3339 section 5.6.
private struct TimestampScanner {
  private let text: [UInt8]
  private var position = 0

  init(_ text: String) {
    self.text = Array(text.utf8.prefix(64))
  }

  mutating func dateTime() -> Double? {
    guard let year = number(4), take("-"), let month = number(2), take("-"), let day = number(2),
      take("T"), let hour = number(2), take(":"), let minute = number(2), take(":"),
      let second = number(2), (1...12).contains(month),
      (1...CivilDate.days(inMonth: month, of: year)).contains(day), hour < 24, minute < 60,
      second < 60, let fraction = fraction(), let offset = offset(), position == text.count
    else { return nil }
    let days = CivilDate.daysSince1970(year: year, month: month, day: day)
    return Double(days * 86_400 + hour * 3600 + minute * 60 + second - offset) + fraction
  }

  private mutating func number(_ count: Int) -> Int64? {
    guard position + count <= text.count else { return nil }
    var value: Int64 = 0
    for digit in text[position..<position + count] {
      guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
      value = value * 10 + Int64(digit - UInt8(ascii: "0"))
    }
    position += count
    return value
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard position < text.count, text[position] == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func fraction() -> Double? {
    guard take(".") else { return 0 }
    var value = 0.0
    var scale = 1.0
    var count = 0
    while let digit = number(1) {
      value = value * 10 + Double(digit)
      scale *= 10
      count += 1
    }
    return (1...9).contains(count) ? value / scale : nil
  }

  private mutating func offset() -> Int64? {
    if take("Z") { return 0 }
    let sign: Int64 = take("+") ? 1 : take("-") ? -1 : 0
    guard sign != 0, let hour = number(2), take(":"), let minute = number(2), hour < 24, minute < 60
    else { return nil }
    return sign * (hour * 3600 + minute * 60)
  }
}

/// The proleptic Gregorian calendar in days (RFC 3339 appendix C has the leap rule).
package enum CivilDate {
  package static func daysSince1970(year: Int64, month: Int64, day: Int64) -> Int64 {
    // Years begin in March, so that the leap day is the last of its year.
    let shifted = month > 2 ? year : year - 1
    let (era, yearOfEra) = shifted.flooredDivision(by: 400)
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  package static func of(daysSince1970 days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let (era, day) = (days + 719_468).flooredDivision(by: 146_097)
    let yearOfEra = (day - day / 1460 + day / 36_524 - day / 146_096) / 365
    let dayOfYear = day - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    let year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
    return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
  }

  package static func days(inMonth month: Int64, of year: Int64) -> Int64 {
    switch month {
    case 2:
      year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400)) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }
}

extension Int64 {
  fileprivate func flooredDivision(by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
  }
}
