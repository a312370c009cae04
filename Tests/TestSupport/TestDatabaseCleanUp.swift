import Glibc
import Platform
import Synchronization

/// Removes what test runs leave on the server: databases, and the roles of the tenants in them.
enum TestDatabaseCleanUp {
  private static let prefix = "tenure_test_"
  private static let leftovers = Mutex<
    (server: Secret<String>?, names: [String], isPrepared: Bool)
  >(
    (nil, [], false))

  static func newName() -> String {
    "\(prefix)\(getpid())_\(Hex.encode(RandomSource.system.bytes(6)))"
  }

  /// Removes what earlier runs left that did not come to their end.
  static func once(_ server: Secret<String>) {
    let isFirst = leftovers.withLock { leftovers in
      defer { leftovers.isPrepared = true }
      return !leftovers.isPrepared
    }
    guard isFirst else { return }
    atexit { TestDatabaseCleanUp.atExit() }
    guard let connection = try? BlockingConnection(server) else { return }
    let names = try? connection.column(
      """
      select datname from pg_database d
       where datname like '\(prefix)%'
         and not exists (select from pg_stat_activity a where a.datname = d.datname)
      """)
    drop((names ?? []).filter(isOfDeadProcess), on: server)
  }

  static func dropAtExit(_ name: String, on server: Secret<String>) {
    leftovers.withLock { leftovers in
      leftovers.server = server
      leftovers.names.append(name)
    }
  }

  private static func atExit() {
    let (server, names, _) = leftovers.withLock { $0 }
    if let server { drop(names, on: server) }
  }

  private static func isOfDeadProcess(_ name: String) -> Bool {
    guard let pid = Int32(name.dropFirst(prefix.count).prefix { $0 != "_" }) else { return false }
    return kill(pid, 0) != 0 && errno == ESRCH
  }

  /// Best effort: what cannot be dropped now is dropped by a later run.
  private static func drop(_ names: [String], on server: Secret<String>) {
    for name in names {
      do {
        let roles = try BlockingConnection(try server.naming(database: name)).column(
          "select rolname from pg_roles join pg_namespace on rolname = nspname where nspname ~ '^t_[a-z2-7]{26}$'"
        )
        let connection = try BlockingConnection(server)
        try connection.execute("drop database if exists \(name) with (force)")
        if !roles.isEmpty {
          try connection.execute("drop role if exists \(roles.joined(separator: ", "))")
        }
      } catch {
        continue
      }
    }
  }
}
