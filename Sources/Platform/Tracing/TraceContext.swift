package import Tracing

/// Where a piece of work stands in a trace that may span many services (W3C Trace Context, level 1).
package struct TraceContext: Sendable, Hashable {
  let traceID: TraceID
  /// The span that work done from here on belongs to; never zero.
  let spanID: UInt64
  /// Whether somebody records this trace, as its first service has decided.
  package let isSampled: Bool

  init(traceID: TraceID, spanID: UInt64, isSampled: Bool) {
    self.traceID = traceID
    self.spanID = spanID
    self.isSampled = isSampled
  }

  /// A trace that begins here.
  package static func begin(isSampled: Bool) -> TraceContext {
    var ids: (high: UInt64, low: UInt64, span: UInt64) = (0, 0, 0)
    withUnsafeMutableBytes(of: &ids) { RandomSource.fill($0) }
    return TraceContext(
      // All zero means that there is none (sections 3.2.2.3 and 3.2.2.4).
      traceID: TraceID(high: ids.high, low: max(1, ids.low)), spanID: max(1, ids.span),
      isSampled: isSampled)
  }

  /// The next span of the same trace.
  package var child: TraceContext {
    TraceContext(traceID: traceID, spanID: .generateID(), isSampled: isSampled)
  }

  /// Reads `traceparent` (section 3.2); nil for what has to be ignored, so that a new trace begins.
  ///
  /// `tracestate` is neither read nor passed on: what other services put there is nobody's business here.
  package init?(traceparent text: String) {
    let bytes = Array(text.utf8.prefix(56))
    guard bytes.count >= 55, let version = Self.hex(bytes[0..<2]), version != 0xff,
      // Later versions may say more after what version 00 has, behind another hyphen.
      version == 0 ? text.utf8.count == 55 : bytes.count == 55 || bytes[55] == Self.hyphen,
      bytes[2] == Self.hyphen, bytes[35] == Self.hyphen, bytes[52] == Self.hyphen,
      let high = Self.hex(bytes[3..<19]), let low = Self.hex(bytes[19..<35]),
      let spanID = Self.hex(bytes[36..<52]), let flags = Self.hex(bytes[53..<55]),
      high | low != 0, spanID != 0
    else { return nil }
    self.init(
      traceID: TraceID(high: high, low: low), spanID: spanID, isSampled: flags & 1 == 1)
  }

  /// The header for a request to another service.
  package var traceparent: String {
    "00-\(traceID.text)-\(spanID.hexText)-0\(isSampled ? 1 : 0)"
  }

  /// The 32 digits that logs show.
  package var traceIDText: String { traceID.text }

  private static let hyphen = UInt8(ascii: "-")

  /// Lower case only (section 3.2.2.3).
  private static func hex(_ digits: ArraySlice<UInt8>) -> UInt64? {
    var value: UInt64 = 0
    for digit in digits {
      switch digit {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt64(digit - 0x30)
      case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt64(digit - 0x57)
      default: return nil
      }
    }
    return value
  }
}

/// The 16 bytes that name a trace; never all zero.
package struct TraceID: Sendable, Hashable {
  let high: UInt64
  let low: UInt64

  /// 32 digits.
  var text: String {
    String(unsafeUninitializedCapacity: 32) { digits in
      high.write(into: digits, at: 0)
      low.write(into: digits, at: 16)
      return 32
    }
  }
}

extension UInt64 {
  /// Random and not zero.
  static func generateID() -> UInt64 { .random(in: 1...(.max)) }

  /// Sixteen digits.
  var hexText: String {
    String(unsafeUninitializedCapacity: 16) { digits in
      write(into: digits, at: 0)
      return 16
    }
  }

  fileprivate func write(into digits: UnsafeMutableBufferPointer<UInt8>, at start: Int) {
    for index in 0..<16 {
      digits[start + index] = Hex.digit(
        UInt8(truncatingIfNeeded: self >> (60 - 4 * UInt64(index))) & 15)
    }
  }
}

extension TraceContext {
  /// The trace the current task works for.
  ///
  /// A request to another service carries `TraceContext.current?.traceparent` as its `traceparent` header.
  package static var current: TraceContext? { ServiceContext.current?.trace }
}

/// The key under which a task carries its trace.
private enum ActiveTraceKey: ServiceContextKey {
  typealias Value = ActiveTrace
}

private struct ActiveTrace: Sendable {
  let trace: TraceContext
  /// Nil while nobody records it.
  let recorder: SpanRecorder?
}

extension ServiceContext {
  /// What the tasks of a request carry with them.
  package init(_ trace: TraceContext, recorder: SpanRecorder? = nil) {
    self = .topLevel
    self[ActiveTraceKey.self] = ActiveTrace(trace: trace, recorder: recorder)
  }

  package var trace: TraceContext? { self[ActiveTraceKey.self]?.trace }

  /// Who records the current span, where somebody does.
  var recorder: SpanRecorder? { self[ActiveTraceKey.self]?.recorder }
}

/// Runs a call of another system, such as the database, in a span below the current one, if that is being recorded; costs
/// a look-up otherwise.
///
/// The name says what kind of call it is, never for whom.
package func traced<R>(
  _ name: @autoclosure () -> String, _ call: () async throws -> R
) async rethrows -> R {
  guard let context = ServiceContext.current, let recorder = context.recorder else {
    return try await call()
  }
  return try await recorder.withSpan(name(), context: context, ofKind: .client) { _ in
    try await call()
  }
}
