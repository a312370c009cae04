package import FoundationEssentials
package import Logging

/// One log line, written field by field: nothing a value contains can start a second one.
///
/// It goes straight into bytes: one of these is made for every request.
package struct LogLine {
  private let format: LogFormat
  private var json = JSONEncoderBuffer()
  private var text = ""

  /// A longer text is cut (our policy): a log line is no place for a document.
  private static let textBytesMax = 8 * 1024
  private static let ownFields = ["time", "level", "logger", "message"]

  package init(
    _ format: LogFormat, time: Date, level: Logger.Level, logger: String, message: String
  ) {
    self.format = format
    let time = time.rfc3339
    switch format {
    case .json:
      json.raw("{\"time\":\"")
      json.raw(time)
      json.raw("\",\"level\":\"")
      json.raw(level.rawValue)
      json.raw("\",\"logger\":")
      json.write(logger)
      json.raw(",\"message\":")
      json.write(Self.cut(message))
    case .readable:
      text = "\(time.dropFirst(11).dropLast(1)) \(Self.tag(level)) \(logger): "
      text += Self.oneLine(message)
    }
  }

  package mutating func add(_ name: String, _ value: String) {
    switch format {
    case .json:
      begin(name)
      json.write(Self.cut(value))
    case .readable: text += " \(name)=\(Self.oneLine(value))"
    }
  }

  package mutating func add(_ name: String, _ value: Int) {
    switch format {
    case .json:
      begin(name)
      json.raw(String(value))
    case .readable: text += " \(name)=\(value)"
    }
  }

  mutating func add(_ name: String, _ value: Logger.Metadata.Value) {
    switch (format, value) {
    case (_, .string(let text)): add(name, text)
    case (_, .stringConvertible(let value)): add(name, value.description)
    case (.json, _):
      begin(name)
      json.write(Self.json(value))
    case (.readable, _): add(name, value.description)
    }
  }

  /// The line with its line feed.
  package consuming func finished() -> [UInt8] {
    switch format {
    case .json:
      json.raw("}\n")
      return json.bytes
    case .readable: return Array((text + "\n").utf8)
    }
  }

  private mutating func begin(_ name: String) {
    json.raw(",")
    // A field never hides one of the four above.
    json.write(Self.ownFields.contains(name) ? "field_\(name)" : name)
    json.raw(":")
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
