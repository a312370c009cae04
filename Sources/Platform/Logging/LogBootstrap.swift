import Glibc
package import Logging
import Synchronization

/// How log lines look.
package enum LogFormat: String, CaseIterable, SettingValue {
  /// One JSON object a line, for machines.
  case json
  /// One line a person can read, for `tenure dev`.
  case readable

  package static var settingPlaceholder: LogFormat { .json }
}

/// Where finished log lines go; each ends with a line feed.
package struct LogSink: Sendable {
  package let write: @Sendable (_ line: [UInt8]) -> Void

  package init(write: @escaping @Sendable (_ line: [UInt8]) -> Void) {
    self.write = write
  }

  /// Standard error; output of commands is on standard output.
  package static let standardError = {
    let lines = SharedOutput(STDERR_FILENO)
    return LogSink { lines.write($0) }
  }()
}

/// Installs the process's log handler.
package enum LogBootstrap {
  /// The metadata key that carries the request's correlation id.
  package static let requestID = "request_id"

  /// Once, first thing in `main`; a second call traps (swift-log's rule).
  package static func start(_ format: LogFormat, level: Logger.Level, clock: WallClock) {
    LoggingSystem.bootstrap { label in
      handler(format, label: label, level: level, clock: clock, sink: .standardError)
    }
  }

  /// A logger that writes to a sink of its own, without touching the process's.
  package static func logger(
    _ format: LogFormat, label: String, level: Logger.Level, clock: WallClock, sink: LogSink
  ) -> Logger {
    Logger(label: label) { label in
      handler(format, label: label, level: level, clock: clock, sink: sink)
    }
  }

  private static func handler(
    _ format: LogFormat, label: String, level: Logger.Level, clock: WallClock, sink: LogSink
  ) -> LineLogHandler {
    LineLogHandler(format: format, label: label, logLevel: level, clock: clock, sink: sink)
  }
}
