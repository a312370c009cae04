import Synchronization

/// A number that only grows; adding to it is one atomic instruction.
package final class Counter: Sendable {
  private let count = Atomic<Int>(0)

  package init() {}

  package func add(_ amount: Int = 1) {
    count.wrappingAdd(amount, ordering: .relaxed)
  }

  package var value: Int { count.load(ordering: .relaxed) }
}

/// A number that goes up and down, such as what is under way.
package final class Gauge: Sendable {
  private let level = Atomic<Int>(0)

  package init() {}

  package func add(_ amount: Int) {
    level.wrappingAdd(amount, ordering: .relaxed)
  }

  package func set(_ value: Int) {
    level.store(value, ordering: .relaxed)
  }

  package var value: Int { level.load(ordering: .relaxed) }
}

/// How long things took, counted by ranges.
package final class DurationHistogram: Sendable {
  /// The ranges: upper bounds in milliseconds, ascending; above the last one there is always one more.
  package struct Bounds: Sendable {
    let nanoseconds: [Int]
    let labels: [String]

    package init(milliseconds: [Double]) {
      nanoseconds = milliseconds.map { Int($0 * 1_000_000) }
      labels = milliseconds.map { MetricText.number($0 / 1000) } + ["+Inf"]
    }

    /// What a caller waits for.
    package static let interactive = Bounds(
      milliseconds: [0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000])
    /// What runs in the background.
    package static let background = Bounds(
      milliseconds: [
        5, 25, 100, 500, 2500, 10_000, 30_000, 120_000, 600_000, 1_800_000, 7_200_000,
      ])
  }

  /// One look at it: how many were in each range, and all durations together.
  package struct Snapshot: Sendable {
    let bounds: Bounds
    let counts: [Int]
    let sumNanoseconds: Int
    package var count: Int { counts.reduce(0, +) }
  }

  private let bounds: Bounds
  private let counts: [Counter]
  private let sum = Counter()

  package init(_ bounds: Bounds) {
    self.bounds = bounds
    counts = bounds.labels.map { _ in Counter() }
  }

  package func observe(nanoseconds: Int) {
    var index = 0
    while index < bounds.nanoseconds.count, nanoseconds > bounds.nanoseconds[index] { index += 1 }
    counts[index].add()
    sum.add(max(nanoseconds, 0))
  }

  package func observe(_ watch: Stopwatch) {
    observe(nanoseconds: watch.nanoseconds)
  }

  package var snapshot: Snapshot {
    Snapshot(bounds: bounds, counts: counts.map(\.value), sumNanoseconds: sum.value)
  }
}

/// One instrument for each value of a label, made when the value is first seen.
///
/// There are never more than `valuesMax` of them: values that come later share one, ``other``, so that no caller can
/// make a process remember without end. Keep the instrument where a value is known beforehand: a look-up takes a lock.
package final class Series<Instrument: Sendable>: Sendable {
  private struct State {
    var instruments: [String: Instrument] = [:]
    var isFull = false
  }

  private let valuesMax: Int
  private let make: @Sendable () -> Instrument
  private let rest: Instrument
  private let state = Mutex(State())

  package init(valuesMax: Int, make: @escaping @Sendable () -> Instrument) {
    self.valuesMax = valuesMax
    self.make = make
    rest = make()
  }

  package subscript(_ value: String) -> Instrument {
    state.withLock { state in
      if let known = state.instruments[value] { return known }
      guard state.instruments.count < valuesMax else {
        state.isFull = true
        return rest
      }
      let new = make()
      state.instruments[value] = new
      return new
    }
  }

  /// Every value with its instrument, in order.
  package var all: [(value: String, instrument: Instrument)] {
    let state = state.withLock { $0 }
    let known = state.instruments.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    return state.isFull ? known + [(SeriesLabel.other, rest)] : known
  }
}

/// Label values with a meaning of their own.
package enum SeriesLabel {
  /// All values beyond the bound of a ``Series``; no slug and no name of ours begins like this.
  package static let other = "_other"
}
