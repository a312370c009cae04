import Foundation

/// Measures every row of a plan, as often as it says.
struct Runner: Sendable {
  let bench: Bench

  func run() async -> [RowResult] {
    var results: [RowResult] = []
    for row in bench.plan.rows {
      for tenants in row.isMixed ? bench.plan.tenants : [1] {
        Terminal.note("\(row.name), \(tenants) organizations")
        let single = results.first { $0.row.name == row.name && $0.tenants == 1 }
        results.append(await result(row, tenants, single: single))
      }
    }
    return results
  }

  private func result(_ row: any Row, _ tenants: Int, single: RowResult?) async -> RowResult {
    var runs: [Figures] = []
    do {
      if row.isMixed, row.usesOrganizations {
        try await bench.warmUp(tenants)
        try await teach(row, tenants)
      }
      for number in 1...bench.plan.runs {
        runs.append(try await row.measure(bench, tenants: tenants))
        Terminal.note("  run \(number): \(Self.text(runs[number - 1]))")
      }
      return RowResult(row: row, tenants: tenants, runs: runs, single: single, failure: nil)
    } catch {
      Terminal.note("  FAILED: \(error)")
      for line in bench.product.process.complaints() { Terminal.note("  \(line)") }
      return RowResult(
        row: row, tenants: tenants, runs: runs, single: single, failure: "\(error)")
    }
  }

  /// Runs that do not count, until two in a row are hardly better than the best before.
  ///
  /// They teach caches and connections what each organization needs, and a thousand take longer than one. The first figure of
  /// a mixed row is a rate.
  private func teach(_ row: any Row, _ tenants: Int) async throws {
    var (best, fruitless) = (0.0, 0)
    for number in 1...(tenants == 1 ? 1 : Self.lessonsMax) {
      let figures = try await row.measure(bench, tenants: tenants)
      Terminal.note("  lesson \(number): \(Self.text(figures))")
      let figure = figures[row.bars[0].figure] ?? 0
      fruitless = figure > best * Self.lessonGain ? 0 : fruitless + 1
      if fruitless == 2 { return }
      best = max(best, figure)
    }
  }

  private static let lessonsMax = 12
  private static let lessonGain = 1.1

  private static func text(_ figures: Figures) -> String {
    figures.sorted { $0.key < $1.key }.map { "\($0.key) \(Number.text($0.value))" }
      .joined(separator: ", ")
  }
}

/// Every run of a row with one number of organizations.
struct RowResult: Sendable {
  let row: any Row
  let tenants: Int
  let runs: [Figures]
  /// The main figure's median with one organization, where this is not it.
  let singleMedian: Double?
  let failure: String?

  /// Design section 10: with many organizations mixed, at least this much of the figure with one.
  static let mixedBar = 0.5

  init(row: any Row, tenants: Int, runs: [Figures], single: RowResult?, failure: String?) {
    self.row = row
    self.tenants = tenants
    self.runs = runs
    singleMedian = tenants == 1 ? nil : single.flatMap { $0.figure(row.bars[0].figure)?.median }
    self.failure = failure
  }

  func figure(_ name: String) -> Spread? { Spread(runs.compactMap { $0[name] }) }

  /// A bar is for one organization; for many there is the one that compares.
  func verdict(_ bar: Bar) -> Verdict? {
    guard failure == nil, let spread = figure(bar.figure) else { return .failed }
    if tenants > 1 {
      guard bar.figure == row.bars[0].figure, let singleMedian else { return nil }
      return spread.median / singleMedian >= Self.mixedBar ? .met : .missed
    }
    if case .none = bar.limit { return nil }
    return bar.limit.isMet(by: spread.median) ? .met : .missed
  }
}

enum Verdict: String, Sendable {
  case met, missed, failed
}

/// The runs of one figure.
struct Spread: Sendable {
  let median: Double
  let least: Double
  let most: Double

  init?(_ values: [Double]) {
    let sorted = values.sorted()
    guard let first = sorted.first, let last = sorted.last else { return nil }
    least = first
    most = last
    let middle = sorted.count / 2
    median = sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }
}
