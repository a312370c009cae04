import Foundation
import Testing

@testable import Jobs

@Suite("Cron expressions (POSIX crontab, with names and steps)")
struct CronExpressionTests {
  @Test(
    "reads fields",
    arguments: [
      ("0", [0]), ("*/15", [0, 15, 30, 45]), ("5-8", [5, 6, 7, 8]), ("1,2,50", [1, 2, 50]),
      ("10-20/5", [10, 15, 20]), ("50/5", [50, 55]),
    ])
  func reads(minute: String, values: [Int]) throws {
    #expect(try CronExpression("\(minute) * * * *").minutes.values == values)
  }

  @Test(
    "reads names",
    arguments: [
      ("0 0 * jan,DEC *", [1, 12], [0, 1, 2, 3, 4, 5, 6]),
      ("0 0 * * mon-fri", Array(1...12), [1, 2, 3, 4, 5]),
      ("0 0 * * 7", Array(1...12), [0]),
      ("0 0 * * fri-sun", Array(1...12), [0, 5, 6]),
      ("@weekly", Array(1...12), [0]),
    ])
  func names(text: String, months: [Int], weekdays: [Int]) throws {
    let cron = try CronExpression(text)
    #expect(cron.months.values == months)
    #expect(cron.daysOfWeek.values == weekdays)
  }

  @Test(
    "refuses what is not a schedule",
    arguments: [
      "", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *",
      "* * * 13 *", "* * * * 8", "*/0 * * * *", "*/x * * * *", "5-1 * * * *", "1,,2 * * * *",
      "-1 * * * *", "1- * * * *", "1/2/3 * * * *", "jan * * * *", "* * * mon *", "+1 * * * *",
      "0 0 31 2 *", "0 0 30 feb *", "0 0 31 4,6 *", "١ * * * *", "@never", "0 0 * * * ;",
    ])
  func refuses(text: String) {
    #expect(throws: CronError.self) { try CronExpression(text) }
  }
}

@Suite("When a cron schedule is due")
struct CronCalendarTests {
  struct Row: Sendable, CustomTestStringConvertible {
    let cron: String
    let zone: String
    let after: String
    let due: [String]
    var testDescription: String { "\(cron) in \(zone) after \(after)" }
  }

  @Test(arguments: [
    Row(
      cron: "*/20 * * * *", zone: "UTC", after: "2026-11-21T08:10:00Z",
      due: ["2026-11-21T08:20:00Z", "2026-11-21T08:40:00Z", "2026-11-21T09:00:00Z"]),
    Row(
      cron: "0 0 29 2 *", zone: "UTC", after: "2026-11-21T00:00:00Z",
      due: ["2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"]),
    Row(
      cron: "0 0 29 2 *", zone: "UTC", after: "1896-03-01T00:00:00Z", due: ["1904-02-29T00:00:00Z"]),
    // A restricted day of month or a restricted weekday: either may match.
    Row(
      cron: "0 12 1 * mon", zone: "UTC", after: "2026-11-21T00:00:00Z",
      due: ["2026-11-23T12:00:00Z", "2026-11-30T12:00:00Z", "2026-12-01T12:00:00Z"]),
    Row(
      cron: "30 3 * * *", zone: "Asia/Kolkata", after: "2026-11-21T00:00:00Z",
      due: ["2026-11-21T22:00:00Z", "2026-11-22T22:00:00Z"]),
    // Berlin, 29 March 2026: 02:00 to 03:00 does not exist; the job runs when the gap ends.
    Row(
      cron: "30 2 * * *", zone: "Europe/Berlin", after: "2026-03-28T00:00:00Z",
      due: ["2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]),
    // Two times in the gap fall together.
    Row(
      cron: "15,45 2 * * *", zone: "Europe/Berlin", after: "2026-03-28T12:00:00Z",
      due: ["2026-03-29T01:00:00Z", "2026-03-30T00:15:00Z"]),
    // Every hour: the missing hour is not made up for.
    Row(
      cron: "30 * * * *", zone: "Europe/Berlin", after: "2026-03-29T00:00:00Z",
      due: ["2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z", "2026-03-29T02:30:00Z"]),
    // Berlin, 25 October 2026: 02:00 to 03:00 happens twice; a fixed time runs once.
    Row(
      cron: "30 2 * * *", zone: "Europe/Berlin", after: "2026-10-24T12:00:00Z",
      due: ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]),
    Row(
      cron: "30 * * * *", zone: "Europe/Berlin", after: "2026-10-25T00:00:00Z",
      due: ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:30:00Z"]),
    // São Paulo 2018: midnight does not exist on 4 November.
    Row(
      cron: "0 0 * * *", zone: "America/Sao_Paulo", after: "2018-11-03T12:00:00Z",
      due: ["2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"]),
    // Apia 2011: 30 December does not exist at all.
    Row(
      cron: "0 9 * * *", zone: "Pacific/Apia", after: "2011-12-29T12:00:00Z",
      due: ["2011-12-29T19:00:00Z", "2011-12-30T10:00:00Z", "2011-12-30T19:00:00Z"]),
    Row(
      cron: "0 0 1 1 *", zone: "Pacific/Kiritimati", after: "2026-06-01T00:00:00Z",
      due: ["2026-12-31T10:00:00Z"]),
  ])
  func due(row: Row) throws {
    let zone = try #require(TimeZone(identifier: row.zone))
    let calendar = CronCalendar(try CronExpression(row.cron), timeZone: zone)
    let format = ISO8601DateFormatter()
    var date = try #require(format.date(from: row.after))
    var due: [String] = []
    for _ in row.due {
      date = try #require(calendar.next(after: date))
      due.append(format.string(from: date))
    }
    #expect(due == row.due)
  }
}

@Suite("Jitter of recurring jobs")
struct ScheduleJitterTests {
  @Test("is the same each time, within its bound, and spread over organizations")
  func spread() {
    let offsets = (0..<1000).map { index in
      JobSchedule.offsetSeconds(
        3600,
        organization: UUID(
          uuid: (
            1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
            UInt8(index / 256), UInt8(index % 256)
          )), kind: "retention")
    }
    #expect(offsets.allSatisfy { (0...3600).contains($0) })
    #expect(Set(offsets.map { $0 / 360 }).count >= 10)
    let organization = UUID()
    #expect(
      JobSchedule.offsetSeconds(3600, organization: organization, kind: "a")
        == JobSchedule.offsetSeconds(3600, organization: organization, kind: "a"))
    #expect(JobSchedule.offsetSeconds(3600, organization: nil, kind: "a") == 0)
  }
}
