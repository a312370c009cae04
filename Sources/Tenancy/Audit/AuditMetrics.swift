import Platform

/// What the audit trail counts.
struct AuditMetrics: Sendable {
  let written = Counter()
  let refused = Counter()
  let spilled = Counter()
  let replayed = Counter()
}

extension AuditRecorder {
  var metrics: [MetricFamily] {
    let (writer, counts) = (writer, writer.metrics)
    return [
      .counter("tenure_audit_events_total", "Events written to the trail.", counts.written),
      .counter(
        "tenure_audit_events_refused_total",
        "Events not written, because too many waited or Postgres refused them.", counts.refused),
      .counter(
        "tenure_audit_events_spilled_total", "Events kept in a file because Postgres was away.",
        counts.spilled),
      .counter(
        "tenure_audit_events_replayed_total", "Spilled events that have arrived after all.",
        counts.replayed),
      .gauge("tenure_audit_queue", "Events that wait for their batch.") { writer.queueLength },
      .gauge("tenure_audit_spilling", "1 while events of this process lie in a spill file.") {
        writer.isSpilling ? 1 : 0
      },
    ]
  }

  /// Whether events of this process wait in a file for Postgres to come back.
  package var isSpilling: Bool { writer.isSpilling }
}
