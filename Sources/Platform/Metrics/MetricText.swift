/// Writes metrics in Prometheus' text exposition format, version 0.0.4.
struct MetricText {
  private(set) var bytes: [UInt8] = []

  init() { bytes.reserveCapacity(64 * 1024) }

  mutating func write(_ family: MetricFamily) {
    append("# HELP \(family.name) ")
    escape(family.help, quotes: false)
    append("\n# TYPE \(family.name) \(family.kind.rawValue)\n")
    for sample in family.read() { write(sample, of: family) }
  }

  private mutating func write(_ sample: MetricSample, of family: MetricFamily) {
    switch sample.value {
    case .integer(let value): line(family, "", sample.labels, nil, "\(value)")
    case .real(let value): line(family, "", sample.labels, nil, Self.number(value))
    case .durations(let durations):
      var total = 0
      for (count, bound) in zip(durations.counts, durations.bounds.labels) {
        total += count
        line(family, "_bucket", sample.labels, bound, "\(total)")
      }
      let seconds = Double(durations.sumNanoseconds) / 1_000_000_000
      line(family, "_sum", sample.labels, nil, Self.number(seconds))
      line(family, "_count", sample.labels, nil, "\(total)")
    }
  }

  private mutating func line(
    _ family: MetricFamily, _ suffix: String, _ values: [String], _ bound: String?, _ value: String
  ) {
    append(family.name)
    append(suffix)
    var opening = "{"
    for (name, value) in zip(family.labels, values) {
      append("\(opening)\(name)=\"")
      escape(value, quotes: true)
      append("\"")
      opening = ","
    }
    if let bound {
      append("\(opening)le=\"\(bound)\"")
      opening = ","
    }
    append(opening == "{" ? " " : "} ")
    append(value)
    append("\n")
  }

  /// Backslash and line feed everywhere, quotes inside label values.
  private mutating func escape(_ text: String, quotes: Bool) {
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\\"): append("\\\\")
      case UInt8(ascii: "\n"): append("\\n")
      case UInt8(ascii: "\"") where quotes: append("\\\"")
      default: bytes.append(byte)
      }
    }
  }

  private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

  /// A number as Go's `ParseFloat` reads it.
  static func number(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
    let text = value.description
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  static func isName(_ text: String) -> Bool { isLabel(text.replacing(":", with: "_")) }

  static func isLabel(_ text: String) -> Bool {
    text.utf8.first.map { !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ?? false
      && text.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
          true
        default: false
        }
      }
  }
}
