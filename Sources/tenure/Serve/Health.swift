import Cache
import Database
import Platform
import Synchronization
import Tenancy
import Web

/// What a process looks at before it says that it wants requests.
enum Health {
  static func readiness(
    database: Database, migrator: Migrator, cache: Cache, audit: AuditRecorder
  ) -> Readiness {
    let checks = [
      HealthCheck("database") { await self.database(database, migrator) },
      HealthCheck("redis") {
        !cache.isConfigured || cache.isShared ? .ready : .degraded("away; counting in memory")
      },
      HealthCheck("audit") {
        audit.isSpilling ? .degraded("events wait in the spill file") : .ready
      },
    ]
    return Readiness(checks, timeout: .seconds(2))
  }

  /// One statement says whether Postgres answers and whether it is up to date.
  private static func database(_ database: Database, _ migrator: Migrator) async -> HealthState {
    let before = database.answers
    do {
      let pending = try await migrator.pendingControl()
      return pending.isEmpty ? .ready : .failed("\(pending.count) migrations pending")
    } catch {
      // Others got through meanwhile: to send requests elsewhere now would overload elsewhere, too.
      if database.answers > before { return .degraded("busy") }
      guard let error = error as? DatabaseError else { return .failed("no answer in time") }
      return .failed("SQLSTATE \(error.sqlState.rawValue)")
    }
  }
}

/// Calls somebody once, when the internal listener, and the public one where there is one, accept connections.
final class Arrival: Sendable {
  private struct State {
    var internalPort: Int?
    var isPublicAwaited: Bool
  }
  private let state: Mutex<State>
  private let address: String
  private let then: @Sendable (_ internalURL: String) async -> Void

  init(
    of settings: InternalSettings, awaitingPublic: Bool,
    then: @escaping @Sendable (_ internalURL: String) async -> Void
  ) {
    state = Mutex(State(internalPort: nil, isPublicAwaited: awaitingPublic))
    address = settings.address.contains(":") ? "[\(settings.address)]" : settings.address
    self.then = then
  }

  func internalListens(on port: Int) async { await note { $0.internalPort = port } }

  func publicListens() async { await note { $0.isPublicAwaited = false } }

  private func note(_ change: (inout State) -> Void) async {
    let port = state.withLock { state in
      change(&state)
      return state.isPublicAwaited ? nil : state.internalPort
    }
    if let port { await then("http://\(address):\(port)") }
  }
}
