import Foundation
import Glibc

/// The Postgres cluster of one data directory, reachable only through a socket in a private folder.
///
/// It is a daemon of its own: a `tenure dev` that was killed leaves it running, and the next start
/// takes it over as it is.
struct PrivatePostgres {
  private let programs: String
  private let account: String?
  private let home: String

  private static let port = 5432
  private static let database = "tenure"

  private var cluster: String { "\(home)/postgres" }
  private var socketFolder: String { "\(home)/run" }

  /// The account that runs Postgres: Debian's own when root starts it, since Postgres refuses root.
  static var account: String? { getuid() == 0 ? "postgres" : nil }

  /// Where Debian or the path has Postgres, newest first.
  ///
  /// - Throws: ``StartFailure`` where it is not installed.
  init(in directory: DataDirectory) throws {
    let versions =
      (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql")) ?? []
    let found =
      versions
      .sorted { $0.compare($1, options: .numeric) == .orderedDescending }
      .map { "/usr/lib/postgresql/\($0)/bin" }
      .first { FileManager.default.isExecutableFile(atPath: "\($0)/initdb") }
    guard let found else {
      throw StartFailure("PostgreSQL is not installed: apt-get install postgresql")
    }
    guard Program.find("psql") != nil else {
      throw StartFailure("psql is not installed: apt-get install postgresql-client")
    }
    programs = found
    account = Self.account
    if let account, getpwnam(account) == nil {
      throw StartFailure(
        "Postgres does not run as root and there is no account '\(account)': "
          + "apt-get install postgresql, or start tenure as another user.")
    }
    home = directory.clusterHome
  }

  /// The address for libpq.
  var url: String {
    let host =
      socketFolder.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? socketFolder
    return "postgresql://tenure@/\(Self.database)?host=\(host)&port=\(Self.port)"
  }

  /// Starts the cluster, made first where there is none.
  ///
  /// - Throws: ``StartFailure`` for a cluster of another version and for one that does not start.
  func start() async throws {
    guard socketFolder.utf8.count < 90 else {
      throw StartFailure(
        "The path \(home) is too long for a Unix socket; name a shorter one with --data.")
    }
    try own(socketFolder, mode: 0o700)
    if !FileManager.default.fileExists(atPath: "\(cluster)/PG_VERSION") { try await create() }
    try await checkVersion()
    if (try? await program("pg_ctl", "-D", cluster, "status").run()) == nil {
      do {
        try await program("pg_ctl", "-D", cluster, "-l", "\(cluster)/server.log", "-w", "start")
          .run()
      } catch {
        throw StartFailure("Postgres does not start; its log is \(cluster)/server.log. (\(error))")
      }
    }
    try await prepareDatabase()
  }

  /// Stops the cluster; what was committed is on disk.
  func stop() async {
    _ = try? await program("pg_ctl", "-D", cluster, "-m", "fast", "-w", "stop").run()
  }

  private func create() async throws {
    let fresh = "\(home)/postgres.new"
    try? FileManager.default.removeItem(atPath: fresh)
    try own(fresh, mode: 0o700)
    do {
      try await program(
        "initdb", "-D", fresh, "-U", "postgres", "--auth=trust", "-E", "UTF8",
        "--locale=C.UTF-8"
      ).run()
    } catch {
      throw StartFailure("The Postgres cluster can't be made in \(home): \(error)")
    }
    let settings = """

      # Only who may enter the socket's folder reaches this cluster.
      listen_addresses = ''
      port = \(Self.port)
      unix_socket_directories = '\(socketFolder)'
      max_connections = 100
      max_locks_per_transaction = 256
      # Details of an error quote values; the log would outlive those they belong to.
      log_error_verbosity = terse

      """
    let file = try FileHandle(forWritingTo: URL(fileURLWithPath: "\(fresh)/postgresql.conf"))
    try file.seekToEnd()
    try file.write(contentsOf: Data(settings.utf8))
    try file.close()
    // A crash before this leaves a folder that the next start throws away.
    guard rename(fresh, cluster) == 0 else {
      throw StartFailure("The Postgres cluster can't be moved to \(cluster).")
    }
  }

  private func checkVersion() async throws {
    let made = try String(contentsOfFile: "\(cluster)/PG_VERSION", encoding: .utf8)
      .trimmingCharacters(in: .whitespacesAndNewlines)
    // "postgres (PostgreSQL) 15.18 (Debian …)"
    let printed = try await program("postgres", "--version").run()
    let installed = printed.split(separator: " ").dropFirst(2).first?.split(separator: ".").first
    guard installed.map(String.init) == made else {
      throw StartFailure(
        "The data directory was made by PostgreSQL \(made) and PostgreSQL "
          + "\(installed ?? "?") is installed; install version \(made), or name another --data.")
    }
  }

  private func prepareDatabase() async throws {
    let roles = try await psql("select 1 from pg_roles where rolname = 'tenure'")
    if roles.isEmpty { try await psql("create role tenure login createrole") }
    let databases = try await psql(
      "select 1 from pg_database where datname = '\(Self.database)'")
    if databases.isEmpty { try await psql("create database \(Self.database) owner tenure") }
  }

  @discardableResult
  private func psql(_ statement: String) async throws -> String {
    guard let path = Program.find("psql") else { throw StartFailure("psql is not installed.") }
    return try await Program(
      path: path,
      arguments: [
        "-h", socketFolder, "-p", "\(Self.port)", "-U", "postgres", "-XAtq",
        "-v", "ON_ERROR_STOP=1", "-c", statement, "postgres",
      ]
    ).run()
  }

  private func program(_ name: String, _ arguments: String...) -> Program {
    Program(
      path: "\(programs)/\(name)", arguments: arguments, account: account, folder: home)
  }

  /// Makes a folder that belongs to the account that runs Postgres.
  private func own(_ folder: String, mode: Int) throws {
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: mode])
    guard let account, let entry = getpwnam(account) else { return }
    // Not chown: it would follow a link that somebody else put there.
    guard lchown(folder, entry.pointee.pw_uid, entry.pointee.pw_gid) == 0 else {
      throw StartFailure("\(folder) can't be given to the account '\(account)'.")
    }
  }
}
