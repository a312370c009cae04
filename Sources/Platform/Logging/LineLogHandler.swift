import FoundationEssentials
import Logging

/// Turns an event into one line; nothing a value contains can start a second one.
struct LineLogHandler: LogHandler {
  let format: LogFormat
  let label: String
  var logLevel: Logger.Level
  let clock: WallClock
  let sink: LogSink
  var metadata: Logger.Metadata = [:]
  var metadataProvider: Logger.MetadataProvider?

  /// A longer text is cut (our policy): a log line is no place for a document.
  private static let textBytesMax = 8 * 1024

  init(
    format: LogFormat, label: String, logLevel: Logger.Level, clock: WallClock, sink: LogSink
  ) {
    self.format = format
    self.label = label
    self.logLevel = logLevel
    self.clock = clock
    self.sink = sink
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    var fields = metadata
    if let provided = metadataProvider?.get() { fields.merge(provided) { $1 } }
    if let own = event.metadata { fields.merge(own) { $1 } }
    if let error = event.error { fields["error"] = .string(String(reflecting: error)) }
    let time = clock.now().rfc3339
    switch format {
    case .json: sink.write(jsonLine(event, time: time, fields))
    case .readable: sink.write(readableLine(event, time: time, fields))
    }
  }

  private func jsonLine(_ event: LogEvent, time: String, _ fields: Logger.Metadata) -> [UInt8] {
    var line: JSONObject = [
      "time": .string(time), "level": .string(event.level.rawValue), "logger": .string(label),
      "message": .string(Self.cut(event.message.description)),
    ]
    for (name, value) in fields.sorted(by: { $0.key < $1.key }) {
      // A field never hides one of the four above.
      line[line[name] == nil ? name : "field_\(name)"] = Self.json(value)
    }
    return JSON.object(line).encoded() + [UInt8(ascii: "\n")]
  }

  private func readableLine(_ event: LogEvent, time: String, _ fields: Logger.Metadata) -> [UInt8] {
    var line = "\(time.dropFirst(11).dropLast(1)) \(Self.tag(event.level)) \(label): "
    line += Self.oneLine(event.message.description)
    for (name, value) in fields.sorted(by: { $0.key < $1.key }) {
      line += " \(name)=\(Self.oneLine(value.description))"
    }
    return Array((line + "\n").utf8)
  }

  private static func json(_ value: Logger.Metadata.Value) -> JSON {
    switch value {
    case .string(let text): .string(cut(text))
    case .stringConvertible(let value): .string(cut(value.description))
    case .array(let values): .array(values.map(json))
    case .dictionary(let members):
      .object(JSONObject(members.sorted { $0.key < $1.key }.map { ($0.key, json($0.value)) }))
    }
  }

  private static func cut(_ text: String) -> String {
    guard text.utf8.count > textBytesMax else { return text }
    return String(decoding: text.utf8.prefix(textBytesMax), as: UTF8.self) + "…"
  }

  /// Control characters would let a value forge a line or drive the terminal.
  private static func oneLine(_ text: String) -> String {
    let text = cut(text)
    guard text.unicodeScalars.contains(where: \.isControl) else { return text }
    return text.unicodeScalars.reduce(into: "") { line, scalar in
      line +=
        scalar.isControl ? "\\u{\(String(scalar.value, radix: 16))}" : String(Character(scalar))
    }
  }

  private static func tag(_ level: Logger.Level) -> String {
    switch level {
    case .trace: "trace"
    case .debug: "debug"
    case .info: "info "
    case .notice: "note "
    case .warning: "warn "
    case .error: "error"
    case .critical: "crit "
    }
  }
}

extension Unicode.Scalar {
  fileprivate var isControl: Bool {
    properties.generalCategory == .control || value == 0x2028 || value == 0x2029
  }
}
