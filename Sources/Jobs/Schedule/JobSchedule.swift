import Database
import Foundation
import Platform

/// When a recurring job runs: a cron expression in a time zone, moved by a fixed jitter per organization.
package struct JobSchedule: Hashable, Sendable {
  package let calendar: CronCalendar
  /// The most that an organization's time is moved, so that not all of them start at once.
  package let jitterSeconds: Int
  package let catchUp: ScheduleCatchUp

  package init(calendar: CronCalendar, jitterSeconds: Int, catchUp: ScheduleCatchUp) {
    self.calendar = calendar
    self.jitterSeconds = jitterSeconds
    self.catchUp = catchUp
  }

  /// The first time after `date`, with the jitter of the organization.
  func next(after date: Date, organization: UUID?, kind: String) -> Date? {
    let offset = Double(Self.offsetSeconds(jitterSeconds, organization: organization, kind: kind))
    return calendar.next(after: date.addingTimeInterval(-offset))?.addingTimeInterval(offset)
  }

  /// The same for an organization and a kind every time: 64-bit FNV-1a over both.
  static func offsetSeconds(_ jitterSeconds: Int, organization: UUID?, kind: String) -> Int {
    guard jitterSeconds > 0, let organization else { return 0 }
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in organization.bytes + Array(kind.utf8) {
      hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
    }
    // FNV's low bits are its weak ones.
    return Int((hash ^ (hash >> 32)) % UInt64(jitterSeconds + 1))
  }
}

/// What happens with times that passed while no scheduler ran.
package enum ScheduleCatchUp: String, Hashable, Sendable, SQLCodable {
  /// One job for all of them.
  case once
  /// None; the next time counts.
  case skip
}

/// A recurring job whose time has come.
struct DueSchedule: Sendable {
  let id: UUID
  let organization: UUID?
  let kind: String
  let payload: String
  let cron: String
  let timeZone: String
  let jitterSeconds: Int
  let catchUp: ScheduleCatchUp
  let dueAt: Date

  var schedule: JobSchedule? {
    guard let expression = try? CronExpression(cron), let zone = TimeZone(identifier: timeZone)
    else { return nil }
    return JobSchedule(
      calendar: CronCalendar(expression, timeZone: zone), jitterSeconds: jitterSeconds,
      catchUp: catchUp)
  }

  /// Whether this time still becomes a job; a minute late is on time.
  func runs(at now: Date) -> Bool {
    catchUp == .once || now.timeIntervalSince(dueAt) < 60
  }
}
