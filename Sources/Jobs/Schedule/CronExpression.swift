/// A cron schedule of five fields: minute, hour, day of month, month, day of week (POSIX `crontab`).
///
/// Fields take `*`, numbers, names (`jan`, `mon`), ranges, steps and lists. When both days are
/// restricted, either may match, as in every cron since Vixie's.
package struct CronExpression: Hashable, Sendable {
  package let text: String
  let minutes: CronField
  let hours: CronField
  let daysOfMonth: CronField
  let months: CronField
  let daysOfWeek: CronField

  package init(_ text: String) throws(CronError) {
    self.text = text
    let expanded = Self.nicknames[text] ?? text
    let parts = expanded.split(whereSeparator: { $0 == " " || $0 == "\t" })
    guard parts.count == 5 else { throw CronError(field: nil) }
    minutes = try CronField(parts[0], .minute)
    hours = try CronField(parts[1], .hour)
    daysOfMonth = try CronField(parts[2], .dayOfMonth)
    months = try CronField(parts[3], .month)
    daysOfWeek = try CronField(parts[4], .dayOfWeek)
    guard hasDay else { throw CronError(field: .dayOfMonth) }
  }

  static let nicknames = [
    "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *",
  ]

  /// Whether the day is due; `weekday` counts from Sunday, which is 0.
  func matches(month: Int, day: Int, weekday: Int) -> Bool {
    guard months.contains(month) else { return false }
    if !daysOfMonth.isWildcard, !daysOfWeek.isWildcard {
      return daysOfMonth.contains(day) || daysOfWeek.contains(weekday)
    }
    return daysOfMonth.contains(day) && daysOfWeek.contains(weekday)
  }

  /// Whether the expression can match at all: `0 0 31 2 *` never would.
  private var hasDay: Bool {
    guard daysOfWeek.isWildcard else { return true }
    let longest = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    return months.values.contains { month in
      daysOfMonth.values.contains { $0 <= longest[month - 1] }
    }
  }
}

/// One field of a cron expression: the set of its values as bits.
struct CronField: Hashable, Sendable {
  let bits: UInt64
  /// True when the field starts with `*`: such a field does not restrict the day.
  let isWildcard: Bool

  init(_ text: Substring, _ kind: CronFieldKind) throws(CronError) {
    var bits: UInt64 = 0
    for item in text.split(separator: ",", omittingEmptySubsequences: false) {
      bits |= try Self.bits(of: item, kind)
    }
    // Sunday is 0 and 7.
    if kind == .dayOfWeek, bits & (1 << 7) != 0 { bits = (bits & ~(1 << 7)) | 1 }
    self.bits = bits
    isWildcard = text.first == "*"
  }

  func contains(_ value: Int) -> Bool { bits & (1 << UInt64(value)) != 0 }

  var values: [Int] { (0..<60).filter(contains) }

  private static func bits(of item: Substring, _ kind: CronFieldKind) throws(CronError) -> UInt64 {
    let halves = item.split(separator: "/", omittingEmptySubsequences: false)
    guard let base = halves.first, halves.count <= 2 else { throw CronError(field: kind) }
    var step = 1
    if halves.count == 2 {
      guard let number = number(halves[1]), number > 0, number <= kind.range.upperBound else {
        throw CronError(field: kind)
      }
      step = number
    }
    let range = try range(of: base, kind, stepped: halves.count == 2)
    var bits: UInt64 = 0
    for value in stride(from: range.lowerBound, through: range.upperBound, by: step) {
      bits |= 1 << UInt64(value)
    }
    return bits
  }

  private static func range(
    of base: Substring, _ kind: CronFieldKind, stepped: Bool
  ) throws(CronError) -> ClosedRange<Int> {
    if base == "*" { return kind == .dayOfWeek ? 0...6 : kind.range }
    let ends = base.split(separator: "-", omittingEmptySubsequences: false)
    guard let first = ends.first, ends.count <= 2 else { throw CronError(field: kind) }
    let low = try value(first, kind)
    guard ends.count == 2 else {
      // `5/10` starts at 5 and goes on to the end of the range.
      return stepped ? low...max(low, kind.range.upperBound) : low...low
    }
    var high = try value(ends[1], kind)
    // `fri-sun` ends on the other name of Sunday.
    if kind == .dayOfWeek, high == 0, low > 0 { high = 7 }
    guard low <= high else { throw CronError(field: kind) }
    return low...high
  }

  private static func value(_ text: Substring, _ kind: CronFieldKind) throws(CronError) -> Int {
    let name = text.lowercased()
    if let index = kind.names.firstIndex(of: name) { return index + kind.range.lowerBound }
    guard let number = number(text), kind.range.contains(number) else {
      throw CronError(field: kind)
    }
    return number
  }

  private static func number(_ text: Substring) -> Int? {
    guard (1...2).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) }) else {
      return nil
    }
    return Int(text)
  }
}

/// The five fields, with the values each takes.
package enum CronFieldKind: String, Hashable, Sendable {
  case minute
  case hour
  case dayOfMonth = "day of month"
  case month
  case dayOfWeek = "day of week"

  var range: ClosedRange<Int> {
    switch self {
    case .minute: 0...59
    case .hour: 0...23
    case .dayOfMonth: 1...31
    case .month: 1...12
    case .dayOfWeek: 0...7
    }
  }

  var names: [String] {
    switch self {
    case .minute, .hour, .dayOfMonth: []
    case .month:
      ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
    case .dayOfWeek: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
    }
  }
}

/// A cron expression that cannot be read; `field` is nil when the number of fields is wrong.
package struct CronError: Error, Hashable, Sendable, CustomStringConvertible {
  package let field: CronFieldKind?

  package var description: String {
    guard let field else { return "A cron expression has five fields." }
    return "The \(field.rawValue) of the cron expression is not valid."
  }
}
