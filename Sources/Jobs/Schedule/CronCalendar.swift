package import Foundation

/// When a cron expression is due in a time zone, across changes of daylight saving time.
///
/// A fixed time that does not exist on the day of the change runs at the first moment after the gap;
/// one that exists twice runs the first time only. A schedule of every hour runs by elapsed time.
package struct CronCalendar: Hashable, Sendable {
  package let expression: CronExpression
  package let timeZone: TimeZone

  package init(_ expression: CronExpression, timeZone: TimeZone) {
    self.expression = expression
    self.timeZone = timeZone
  }

  /// The first due time later than `date`; nil when there is none within nine years (29 February, 1896–1904).
  package func next(after date: Date) -> Date? {
    let start = Int(date.timeIntervalSince1970.rounded(.down))
    // One day back: the gap at the end of a day makes its times due on the next.
    let firstDay = floorDivide(start + offset(at: start), 86400) - 1
    for day in firstDay...(firstDay + 9 * 366) {
      let civil = CivilDate(day: day)
      guard
        expression.matches(month: civil.month, day: civil.day, weekday: floorModulo(day + 4, 7))
      else { continue }
      if let instant = firstInstant(onDay: day, after: start) {
        return Date(timeIntervalSince1970: Double(instant))
      }
    }
    return nil
  }

  private func firstInstant(onDay day: Int, after start: Int) -> Int? {
    let midnight = day * 86400
    let before = offset(at: midnight - 86400)
    let isPlain = before == offset(at: midnight + 2 * 86400)
    var best: Int?
    for hour in expression.hours.values {
      for minute in expression.minutes.values {
        let wall = midnight + hour * 3600 + minute * 60
        let instants = isPlain ? [wall - before] : instants(wall)
        for instant in instants where instant > start {
          best = min(best ?? instant, instant)
        }
        // Times of a plain day only grow.
        if isPlain, best != nil { return best }
      }
    }
    return best
  }

  /// The instants at which clocks on the wall show `wall` (seconds since 1970 as if it were UTC).
  private func instants(_ wall: Int) -> [Int] {
    let offsets = Set([offset(at: wall - 86400), offset(at: wall + 86400)])
    let found = offsets.map { wall - $0 }.filter { $0 + offset(at: $0) == wall }.sorted()
    let everyHour = expression.hours.isWildcard
    if let first = found.first { return everyHour ? found : [first] }
    return everyHour ? [] : [endOfGap(around: wall)]
  }

  /// The first instant after the clocks jumped over `wall`.
  private func endOfGap(around wall: Int) -> Int {
    var low = wall - 86400 - offset(at: wall - 86400)
    var high = wall + 86400 - offset(at: wall + 86400)
    while high - low > 1 {
      let middle = low + (high - low) / 2
      if middle + offset(at: middle) < wall { low = middle } else { high = middle }
    }
    return high
  }

  private func offset(at instant: Int) -> Int {
    timeZone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(instant)))
  }
}

/// A date of the Gregorian calendar from days since 1970-01-01 (Howard Hinnant's civil_from_days).
struct CivilDate: Hashable, Sendable {
  let year: Int
  let month: Int
  let day: Int

  init(day days: Int) {
    let shifted = days + 719_468
    let era = floorDivide(shifted, 146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra =
      (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  }
}

func floorDivide(_ value: Int, _ divisor: Int) -> Int {
  let quotient = value / divisor
  return value % divisor < 0 ? quotient - 1 : quotient
}

func floorModulo(_ value: Int, _ divisor: Int) -> Int {
  value - floorDivide(value, divisor) * divisor
}
