/// Every metric of a process, made once from the lists of its modules.
package struct MetricsRegistry: Sendable {
  package let families: [MetricFamily]

  /// The media type of ``exposition()``.
  package static let mediaType = "text/plain; version=0.0.4; charset=utf-8"

  package init(_ families: [MetricFamily]) {
    for family in families {
      precondition(MetricText.isName(family.name), "\(family.name) is not a metric's name")
      precondition(
        (family.kind == .counter) == family.name.hasSuffix("_total"),
        "\(family.name): counters, and only they, end in _total")
      precondition(family.labels.allSatisfy(MetricText.isLabel), "\(family.name): labels")
    }
    precondition(Set(families.map(\.name)).count == families.count, "a metric is declared twice")
    self.families = families.sorted { $0.name < $1.name }
  }

  /// All of it as Prometheus reads it (its text exposition format, version 0.0.4).
  package func exposition() -> [UInt8] {
    var text = MetricText()
    for family in families { text.write(family) }
    return text.bytes
  }
}
