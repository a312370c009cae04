import Tracing

/// Spans as a collector takes them: OTLP/HTTP with JSON (OpenTelemetry Protocol 1.x, section "JSON Protobuf Encoding").
package enum OTLP {
  package static func document(_ spans: [FinishedSpan], serviceVersion: String) -> JSON {
    let resource: [(String, SpanAttribute)] = [
      ("service.name", .string("tenure")), ("service.version", .string(serviceVersion)),
    ]
    return [
      "resourceSpans": [
        [
          "resource": ["attributes": .array(resource.map { attribute($0, $1) })],
          "scopeSpans": [
            ["scope": ["name": "tenure"], "spans": .array(spans.map(span))]
          ],
        ]
      ]
    ]
  }

  private static func span(_ span: FinishedSpan) -> JSON {
    var members: JSONObject = [
      "traceId": .string(span.trace.traceID.text), "spanId": .string(span.trace.spanID.hexText),
      "name": .string(span.name), "kind": .integer(kind(span.kind)),
      // 64-bit numbers are strings in JSON.
      "startTimeUnixNano": .string("\(span.start)"), "endTimeUnixNano": .string("\(span.end)"),
    ]
    if let parent = span.parent { members["parentSpanId"] = .string(parent.hexText) }
    var attributes: [JSON] = []
    span.attributes.forEach { attributes.append(attribute($0, $1)) }
    if !attributes.isEmpty { members["attributes"] = .array(attributes) }
    if !span.events.isEmpty {
      members["events"] = .array(
        span.events.map { ["name": .string($0.name), "timeUnixNano": .string("\($0.time)")] })
    }
    if !span.links.isEmpty {
      members["links"] = .array(
        span.links.map {
          ["traceId": .string($0.traceID.text), "spanId": .string($0.spanID.hexText)]
        })
    }
    if span.isFailed { members["status"] = ["code": 2] }
    return .object(members)
  }

  private static func kind(_ kind: SpanKind) -> Int {
    switch kind {
    case .server: 2
    case .client: 3
    case .producer: 4
    case .consumer: 5
    default: 1
    }
  }

  private static func attribute(_ name: String, _ value: SpanAttribute) -> JSON {
    ["key": .string(name), "value": json(value)]
  }

  private static func json(_ value: SpanAttribute) -> JSON {
    switch value {
    case .string(let text): ["stringValue": .string(text)]
    case .bool(let value): ["boolValue": .bool(value)]
    case .int32(let value): ["intValue": .string("\(value)")]
    case .int64(let value): ["intValue": .string("\(value)")]
    case .double(let value): ["doubleValue": .number(value)]
    case .stringConvertible(let value): ["stringValue": .string(value.description)]
    case .stringArray(let texts): array(texts.map(SpanAttribute.string))
    case .boolArray(let values): array(values.map(SpanAttribute.bool))
    case .int32Array(let values): array(values.map(SpanAttribute.int32))
    case .int64Array(let values): array(values.map(SpanAttribute.int64))
    case .doubleArray(let values): array(values.map(SpanAttribute.double))
    case .stringConvertibleArray(let values): array(values.map(SpanAttribute.stringConvertible))
    default: ["stringValue": ""]
    }
  }

  private static func array(_ values: [SpanAttribute]) -> JSON {
    ["arrayValue": ["values": .array(values.map(json))]]
  }
}
