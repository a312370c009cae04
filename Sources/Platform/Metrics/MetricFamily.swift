/// A metric as Prometheus knows it: its name, what it says, and a way to read it.
///
/// Modules declare theirs in a list, `metrics`, as they do their statements and personal data.
package struct MetricFamily: Sendable {
  package enum Kind: String, Sendable { case counter, gauge, histogram }

  package let name: String
  package let help: String
  package let kind: Kind
  package let labels: [String]
  let read: @Sendable () -> [MetricSample]

  package init(
    _ name: String, _ help: String, _ kind: Kind, by labels: [String],
    read: @escaping @Sendable () -> [MetricSample]
  ) {
    self.name = name
    self.help = help
    self.kind = kind
    self.labels = labels
    self.read = read
  }
}

/// One series of a family at one moment; the label values are in the order of the family's labels.
package struct MetricSample: Sendable {
  package enum Value: Sendable {
    case integer(Int)
    case real(Double)
    case durations(DurationHistogram.Snapshot)
  }

  let labels: [String]
  let value: Value

  package init(_ value: Value, _ labels: String...) {
    self.labels = labels
    self.value = value
  }

  package init(_ count: Int, _ labels: String...) {
    self.labels = labels
    value = .integer(count)
  }
}

extension MetricFamily {
  package static func counter(_ name: String, _ help: String, _ counter: Counter) -> MetricFamily {
    MetricFamily(name, help, .counter, by: []) { [MetricSample(counter.value)] }
  }

  package static func counter(
    _ name: String, _ help: String, by label: String, _ series: Series<Counter>
  ) -> MetricFamily {
    MetricFamily(name, help, .counter, by: [label]) {
      series.all.map { MetricSample($0.instrument.value, $0.value) }
    }
  }

  /// A level that is looked up when somebody asks; nil where there is none to tell.
  package static func gauge(
    _ name: String, _ help: String, read: @escaping @Sendable () -> Int?
  ) -> MetricFamily {
    MetricFamily(name, help, .gauge, by: []) { read().map { [MetricSample($0)] } ?? [] }
  }

  package static func durations(
    _ name: String, _ help: String, _ histogram: DurationHistogram
  ) -> MetricFamily {
    MetricFamily(name, help, .histogram, by: []) { [MetricSample(.durations(histogram.snapshot))] }
  }
}
