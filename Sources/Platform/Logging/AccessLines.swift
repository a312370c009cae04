import Logging

/// Where a server writes one line for each request, past the general way of a logger: it is on every request.
package struct AccessLines: Sendable {
  private let format: LogFormat
  private let logger: String
  private let clock: WallClock
  private let sink: LogSink

  package init(_ format: LogFormat, logger: String, clock: WallClock, sink: LogSink) {
    self.format = format
    self.logger = logger
    self.clock = clock
    self.sink = sink
  }

  /// A line with time, level and the message `request`, to be completed.
  package func begin() -> LogLine {
    LogLine(format, time: clock.now(), level: .info, logger: logger, message: "request")
  }

  package func write(_ line: consuming LogLine) {
    sink.write(line.finished())
  }
}
