import Database
import Platform

/// The daily partitions of `control.job_finished`: made ahead, dropped when they are old.
struct FinishedJobs: Sendable {
  let database: Database
  let keepDays: Int

  /// Makes the partitions of the coming days and drops those out of time.
  ///
  /// `today` counts in days from 1970.
  func tidy(today: Int) async throws {
    // Partitions are named by day; the names are made of numbers only.
    for day in today...(today + 3) {
      let (name, from, to) = (Self.name(day), Self.date(day), Self.date(day + 1))
      do {
        try await database.script(
          """
          set local lock_timeout = '2s';
          create table if not exists control.\(name) partition of control.job_finished
            for values from ('\(from) 00:00:00+00') to ('\(to) 00:00:00+00');
          """)
      } catch let error as DatabaseError where error.sqlState == .checkViolation {
        // Jobs of that day are in the default partition already and stay there.
      }
    }
    for name in try await database.all(FinishedPartitions()) {
      guard let day = Self.day(name), day < today - keepDays else { continue }
      try await database.script(
        """
        set local lock_timeout = '2s';
        drop table if exists control.\(Self.name(day));
        """)
    }
    let oldest = (today - keepDays) * 86400
    while try await database.run(
      PruneFinishedJobs(before: .init(unixSeconds: oldest), limit: 5000)) == 5000
    {}
  }

  static func name(_ day: Int) -> String { "job_finished_d\(day)" }

  static func day(_ name: String) -> Int? {
    name.hasPrefix("job_finished_d") ? Int(name.dropFirst("job_finished_d".count)) : nil
  }

  static func date(_ day: Int) -> String {
    let civil = CivilDate(day: day)
    let month = civil.month < 10 ? "0\(civil.month)" : "\(civil.month)"
    let dayOfMonth = civil.day < 10 ? "0\(civil.day)" : "\(civil.day)"
    return "\(civil.year)-\(month)-\(dayOfMonth)"
  }
}
