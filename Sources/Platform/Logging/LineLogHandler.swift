import Logging

/// Turns an event into one line.
struct LineLogHandler: LogHandler {
  let format: LogFormat
  let label: String
  var logLevel: Logger.Level
  let clock: WallClock
  let sink: LogSink
  var metadata: Logger.Metadata = [:]
  var metadataProvider: Logger.MetadataProvider?

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
    var line = LogLine(
      format, time: clock.now(), level: event.level, logger: label,
      message: event.message.description)
    for (name, value) in fields.sorted(by: { $0.key < $1.key }) { line.add(name, value) }
    sink.write(line.finished())
  }
}
