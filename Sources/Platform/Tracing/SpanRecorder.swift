import Synchronization
package import Tracing

/// The tracer of this process: spans of sampled traces gather in it until an exporter takes them.
///
/// It holds a bounded number and drops what comes after: traces help to understand, they never slow anybody down.
package final class SpanRecorder: Tracer {
  private let sampleThreshold: UInt64
  private let spansMax: Int
  private let finished = Mutex<[FinishedSpan]>([])
  private let dropped = Counter()
  private let recorded = Counter()

  /// - Parameters:
  ///   - sampleRatio: The share, 0 to 1, of the traces that begin here and are recorded.
  ///   - spansMax: How many finished spans may wait for the exporter.
  package init(sampleRatio: Double, spansMax: Int) {
    sampleThreshold = sampleRatio >= 1 ? .max : UInt64(max(0, sampleRatio) * Double(UInt64.max))
    self.spansMax = spansMax
  }

  package var metrics: [MetricFamily] {
    [
      .counter("tenure_traces_spans_total", "Spans recorded for the collector.", recorded),
      .counter(
        "tenure_traces_spans_dropped_total",
        "Spans lost because too many waited, or the collector did not take them.", dropped),
    ]
  }

  package func startSpan<Instant: TracerInstant>(
    _ operationName: String, context: @autoclosure () -> ServiceContext, ofKind kind: SpanKind,
    at instant: @autoclosure () -> Instant, function: String, file fileID: String, line: UInt
  ) -> RecordedSpan {
    let context = context()
    let parent = context.trace
    let trace = parent?.child ?? begin()
    let recorder = trace.isSampled ? self : nil
    return RecordedSpan(
      name: operationName, kind: kind, trace: trace, parent: parent?.spanID, recorder: recorder,
      start: instant().nanosecondsSinceEpoch)
  }

  /// The decision for a trace that begins here goes by its random id, as other services would take it.
  private func begin() -> TraceContext {
    let trace = TraceContext.begin(isSampled: true)
    return TraceContext(
      traceID: trace.traceID, spanID: trace.spanID,
      isSampled: sampleThreshold == .max || trace.traceID.low < sampleThreshold)
  }

  func add(_ span: FinishedSpan) {
    let isKept = finished.withLock { finished in
      guard finished.count < spansMax else { return false }
      finished.append(span)
      return true
    }
    isKept ? recorded.add() : dropped.add()
  }

  /// The oldest finished spans, for the exporter.
  package func take(max: Int) -> [FinishedSpan] {
    finished.withLock { finished in
      let batch = Array(finished.prefix(max))
      finished.removeFirst(batch.count)
      return batch
    }
  }

  package var count: Int { finished.withLock { $0.count } }

  /// The exporter has given up on these.
  package func noteDropped(_ count: Int) { dropped.add(count) }

  /// Nothing is held back here: the exporter looks for itself.
  package func forceFlush() {}

  package func extract<Carrier, Extract: Extractor>(
    _ carrier: Carrier, into context: inout ServiceContext, using extractor: Extract
  ) where Extract.Carrier == Carrier {
    guard let text = extractor.extract(key: Self.header, from: carrier),
      let trace = TraceContext(traceparent: text)
    else { return }
    context = ServiceContext(trace, recorder: trace.isSampled ? self : nil)
  }

  package func inject<Carrier, Inject: Injector>(
    _ context: ServiceContext, into carrier: inout Carrier, using injector: Inject
  ) where Inject.Carrier == Carrier {
    guard let trace = context.trace else { return }
    injector.inject(trace.traceparent, forKey: Self.header, into: &carrier)
  }

  private static let header = "traceparent"
}

/// A span under way; one of a trace that is not sampled only carries the trace on.
package final class RecordedSpan: Span {
  private struct State {
    var name: String
    var attributes: SpanAttributes = [:]
    var events: [(name: String, time: UInt64)] = []
    var links: [TraceContext] = []
    var isFailed = false
    var isOver = false
  }

  package let context: ServiceContext
  package let trace: TraceContext
  private let kind: SpanKind
  private let parent: UInt64?
  private let recorder: SpanRecorder?
  private let start: UInt64
  private let state: Mutex<State>

  init(
    name: String, kind: SpanKind, trace: TraceContext, parent: UInt64?, recorder: SpanRecorder?,
    start: UInt64
  ) {
    self.kind = kind
    self.trace = trace
    self.parent = parent
    self.recorder = recorder
    self.start = start
    context = ServiceContext(trace, recorder: recorder)
    state = Mutex(State(name: name))
  }

  package var isRecording: Bool { recorder != nil && state.withLock { !$0.isOver } }

  package var operationName: String {
    get { state.withLock { $0.name } }
    set { state.withLock { $0.name = newValue } }
  }

  package var attributes: SpanAttributes {
    get { state.withLock { $0.attributes } }
    set { state.withLock { $0.attributes = newValue } }
  }

  /// The message stays out: it could say anything.
  package func setStatus(_ status: SpanStatus) {
    state.withLock { $0.isFailed = status.code == .error }
  }

  /// Names and times only.
  package func addEvent(_ event: SpanEvent) {
    state.withLock { $0.events.append((event.name, event.nanosecondsSinceEpoch)) }
  }

  /// The type of an error says enough; its text could hold what a person typed.
  package func recordError<Instant: TracerInstant>(
    _ error: any Error, attributes: SpanAttributes, at instant: @autoclosure () -> Instant
  ) {
    state.withLock { $0.attributes["error.type"] = "\(type(of: error))" }
  }

  package func addLink(_ link: SpanLink) {
    guard let trace = link.context.trace else { return }
    state.withLock { $0.links.append(trace) }
  }

  package func end<Instant: TracerInstant>(at instant: @autoclosure () -> Instant) {
    guard let recorder else { return }
    let state: State? = state.withLock { state in
      guard !state.isOver else { return nil }
      state.isOver = true
      return state
    }
    guard let state else { return }
    recorder.add(
      FinishedSpan(
        trace: trace, parent: parent, name: state.name, kind: kind, start: start,
        end: instant().nanosecondsSinceEpoch, attributes: state.attributes, events: state.events,
        links: state.links, isFailed: state.isFailed))
  }
}

/// A span as it is exported.
package struct FinishedSpan: Sendable {
  let trace: TraceContext
  let parent: UInt64?
  package let name: String
  let kind: SpanKind
  let start: UInt64
  let end: UInt64
  let attributes: SpanAttributes
  let events: [(name: String, time: UInt64)]
  let links: [TraceContext]
  let isFailed: Bool
}
