import Testing
import Tracing

@testable import Platform

@Suite("W3C Trace Context, level 1")
struct TraceContextTests {
  static let id = "0af7651916cd43dd8448eb211c80319c"
  static let span = "b7ad6b7169203331"

  @Test(
    "section 3.2: what can be read is taken over",
    arguments: [
      ("00-\(id)-\(span)-01", true), ("00-\(id)-\(span)-00", false), ("00-\(id)-\(span)-ff", true),
      ("00-\(id)-\(span)-fe", false), ("01-\(id)-\(span)-01", true),
      ("cc-\(id)-\(span)-01-what the future will be like", true), ("fe-\(id)-\(span)-01-", true),
    ])
  func valid(_ text: String, _ isSampled: Bool) throws {
    let trace = try #require(TraceContext(traceparent: text))
    #expect(trace.traceIDText == Self.id)
    #expect(trace.isSampled == isSampled)
    #expect(trace.traceparent == "00-\(Self.id)-\(Self.span)-0\(isSampled ? 1 : 0)")
    #expect(trace.child.traceID == trace.traceID)
    #expect(trace.child.spanID != trace.spanID)
  }

  @Test(
    "section 3.2: anything else is ignored",
    arguments: [
      "", "00", "00-\(id)-\(span)", "00-\(id)-\(span)-", "00-\(id)-\(span)-1",
      "00-\(id)-\(span)-01-", "00-\(id)-\(span)-01-x", "00-\(id)-\(span)-01 ",
      " 00-\(id)-\(span)-01", "ff-\(id)-\(span)-01", "01-\(id)-\(span)-01x",
      "cc-\(id)-\(span)-01.what", "00-\(id.uppercased())-\(span)-01",
      "00-\(id)-\(span.uppercased())-01", "00-\(id)-\(span)-0G", "0x-\(id)-\(span)-01",
      "00_\(id)-\(span)-01", "00-\(id)_\(span)-01", "00-\(id)-\(span)_01",
      "00-\(String(repeating: "0", count: 32))-\(span)-01",
      "00-\(id)-\(String(repeating: "0", count: 16))-01",
      "00-\(id)-\(span)-01, 00-\(id)-\(span)-01", "00-\(id.dropLast())é-\(span)-01",
      "00-\(id)0-\(span.dropLast())-01",
    ])
  func invalid(_ text: String) {
    #expect(TraceContext(traceparent: text) == nil)
  }

  @Test("a new trace has ids of its own, and reads back what it writes")
  func begin() {
    let (first, second) = (
      TraceContext.begin(isSampled: true), TraceContext.begin(isSampled: false)
    )
    #expect(first.traceID != second.traceID)
    #expect(TraceContext(traceparent: first.traceparent) == first)
    #expect(TraceContext(traceparent: second.traceparent) == second)
  }
}

@Suite("Spans")
struct SpanTests {
  struct Secret: Error { let name = "alice@example.org" }

  @Test("OTLP/HTTP JSON: a span and the one below it")
  func encoding() async throws {
    let recorder = SpanRecorder(sampleRatio: 1, spansMax: 10)
    let parent = try #require(
      TraceContext(traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"))
    await recorder.withSpan("GET /a", context: ServiceContext(parent), ofKind: .server) { span in
      span.attributes["http.response.status_code"] = 503
      span.attributes["a.list"] = ["x", "y"]
      span.setStatus(SpanStatus(code: .error, message: "alice@example.org"))
      span.addEvent(SpanEvent(name: "half", attributes: ["who": "alice@example.org"]))
      #expect(TraceContext.current == span.trace)
      await traced("FindUser") {}
      try? await traced("Fails") { throw Secret() }
    }
    let spans = recorder.take(max: 10)
    #expect(spans.map(\.name) == ["FindUser", "Fails", "GET /a"])
    let document = OTLP.document(spans, serviceVersion: "1.2.3")
    let resource = try #require(document["resourceSpans"]?.arrayValue?.first)
    #expect(
      resource["resource"]?["attributes"] == [
        ["key": "service.name", "value": ["stringValue": "tenure"]],
        ["key": "service.version", "value": ["stringValue": "1.2.3"]],
      ])
    let written = try #require(resource["scopeSpans"]?.arrayValue?.first?["spans"]?.arrayValue)
    let (below, failed, root) = (written[0], written[1], written[2])
    #expect(root["traceId"] == "0af7651916cd43dd8448eb211c80319c")
    #expect(root["parentSpanId"] == "b7ad6b7169203331")
    #expect(root["kind"] == 2 && below["kind"] == 3)
    #expect(root["status"] == ["code": 2] && below["status"] == nil)
    #expect(below["parentSpanId"] == root["spanId"] && below["traceId"] == root["traceId"])
    #expect(failed["attributes"] == [["key": "error.type", "value": ["stringValue": "Secret"]]])
    let attributes = root["attributes"]?.arrayValue ?? []
    #expect(
      attributes.contains(["key": "http.response.status_code", "value": ["intValue": "503"]]))
    #expect(
      attributes.contains([
        "key": "a.list",
        "value": [
          "arrayValue": ["values": [["stringValue": "x"], ["stringValue": "y"]]]
        ],
      ]))
    let start = try #require(root["startTimeUnixNano"]?.stringValue.flatMap { UInt64($0) })
    let end = try #require(root["endTimeUnixNano"]?.stringValue.flatMap { UInt64($0) })
    #expect(start > 1_700_000_000_000_000_000 && end >= start)
    #expect(!document.text.contains("alice"))
  }

  @Test("what nobody records leaves nothing, but passes the trace on")
  func notSampled() async {
    let recorder = SpanRecorder(sampleRatio: 0, spansMax: 10)
    await recorder.withSpan("a", context: .topLevel) { span in
      #expect(!span.isRecording && TraceContext.current?.isSampled == false)
      await traced("b") {}
    }
    #expect(recorder.take(max: 10).isEmpty)
    await traced("nobody") { #expect(TraceContext.current == nil) }
  }

  @Test("the caller decides; for new traces the ratio does")
  func sampling() {
    let recorder = SpanRecorder(sampleRatio: 0.25, spansMax: 10)
    let sampled = (0..<4000).filter { _ in
      recorder.startSpan("a", context: .topLevel).isRecording
    }
    #expect((700...1300).contains(sampled.count))
    for isSampled in [true, false] {
      let context = ServiceContext(TraceContext.begin(isSampled: isSampled))
      #expect(recorder.startSpan("a", context: context).isRecording == isSampled)
    }
    let all = SpanRecorder(sampleRatio: 1, spansMax: 1)
    #expect((0..<1000).allSatisfy { _ in all.startSpan("a", context: .topLevel).isRecording })
  }

  @Test("more spans than may wait are dropped and counted")
  func bounded() {
    let recorder = SpanRecorder(sampleRatio: 1, spansMax: 2)
    for _ in 0..<5 {
      let span = recorder.startSpan("a", context: .topLevel)
      span.end()
      span.end()
    }
    #expect(recorder.take(max: 1).count == 1)
    recorder.noteDropped(1)
    let text = String(decoding: MetricsRegistry(recorder.metrics).exposition(), as: UTF8.self)
    #expect(text.contains("\ntenure_traces_spans_total 2\n"))
    #expect(text.contains("\ntenure_traces_spans_dropped_total 4\n"))
    #expect(recorder.count == 1)
  }
}
