import CPostgres
import Logging
import ServiceLifecycle

/// What happens on the channels a listener hears.
package enum ListenerEvent: Sendable, Equatable {
  /// From now on nothing is missed; something may have been missed before.
  case connected
  case notification(channel: String, payload: String)
  /// Until the next `connected`, notifications are missed: drop what depends on them.
  case lost
}

/// Hears `NOTIFY` on a connection of its own, and connects again when it is lost.
package struct Listener: Service {
  private let pool: Pool
  private let logger: Logger
  private let channels: [Identifier]
  private let handle: @Sendable (ListenerEvent) async -> Void

  fileprivate init(
    pool: Pool, logger: Logger, channels: [Identifier],
    handle: @escaping @Sendable (ListenerEvent) async -> Void
  ) {
    self.pool = pool
    self.logger = logger
    self.channels = channels
    self.handle = handle
  }

  package func run() async throws {
    await cancelWhenGracefulShutdown {
      var backoff = Duration.milliseconds(100)
      while !Task.isCancelled {
        do {
          let connection = try await pool.openExtra()
          defer { pool.closeExtra(connection) }
          backoff = .milliseconds(100)
          try await hear(connection)
        } catch {
          logger.warning("not listening", metadata: ["error": "\(String(reflecting: error))"])
        }
        try? await Task.sleep(for: backoff)
        backoff = min(backoff * 2, .seconds(2))
      }
    }
  }

  private func hear(_ connection: Connection) async throws {
    for channel in channels {
      try await connection.execute(utility: "listen \(channel.quoted)", role: nil)
    }
    connection.isListener = true
    await handle(.connected)
    var outcome = Connection.Outcome.again
    while outcome == .again {
      let (notifications, isAlive) = connection.takeNotifications()
      for (channel, payload) in notifications {
        await handle(.notification(channel: channel, payload: payload))
      }
      guard isAlive else { break }
      outcome = await connection.waitForInput()
    }
    if outcome != .cancelled { await handle(.lost) }
  }
}

extension Database {
  /// A service that hears `NOTIFY` on the channels and passes on what it hears, one event after the other.
  package func listener(
    on channels: [Identifier], _ handle: @escaping @Sendable (ListenerEvent) async -> Void
  ) -> Listener {
    Listener(pool: pool, logger: logger, channels: channels, handle: handle)
  }
}

/// Tells every listener of the channel, once the transaction commits.
package struct Notify: Statement {
  private let channel: String
  private let payload: String
  package static let sql: SQL<Self> = "select pg_notify(\(\.channel), \(\.payload))"

  package init(_ channel: Identifier, _ payload: String) {
    self.channel = channel.name
    self.payload = payload
  }
}

extension Connection {
  /// Reads all there is to read; false when the connection is gone.
  fileprivate func takeNotifications() -> ([(channel: String, payload: String)], Bool) {
    var notifications: [(channel: String, payload: String)] = []
    var isAlive = true
    repeat {
      isAlive = unsafe PQconsumeInput(handle) == 1
      while let notification = unsafe PQnotifies(handle) {
        unsafe notifications.append(
          (
            String(cString: notification.pointee.relname),
            String(cString: notification.pointee.extra)
          ))
        unsafe PQfreemem(notification)
      }
    } while isAlive && Descriptor.isReadable(socket)
    return (notifications, isAlive)
  }
}
