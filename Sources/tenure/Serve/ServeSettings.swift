import Cache
import Compliance
import ControlPlane
import Cryptography
import Database
import Jobs
import Logging
import Outgoing
import Platform
import Tenancy
import TenantRuntime
import Web

/// Every setting of a process, read once from the environment.
struct ServeSettings: Sendable {
  let logFormat: LogFormat
  let logLevel: Logger.Level
  let databaseURL: Secret<String>
  let masterKey: Secret<String>
  let database: DatabaseSettings
  let cache: CacheSettings
  let outgoing: OutgoingSettings
  let web: WebSettings
  let limits: RateLimits
  let internalListener: InternalSettings
  let traces: TraceSettings
  let passwords: PasswordHasherSettings
  let tenancy: TenancySettings
  let archive: ArchiveStore
  let exports: ExportPolicy
  let readyOrganizations: ReadyOrganizationSettings
  let runtime: RuntimeSettings
  let workers: JobWorkerSettings
  let scheduler: JobSchedulerSettings

  init(_ read: inout SettingsReader) {
    logFormat = read.value("LOG_FORMAT", default: .json, "How log lines look.")
    logLevel = read.value("LOG_LEVEL", default: .info, "The least level that is logged.")
    databaseURL = read.secret(
      "DATABASE_URL", "The Postgres of the control plane, as libpq takes it: `postgresql://…`.")
    masterKey = read.secret(
      "MASTER_KEY", "The key that wraps every organization's key: 32 bytes in base64url.")
    database = DatabaseSettings(&read)
    cache = CacheSettings(&read)
    outgoing = OutgoingSettings(&read)
    web = WebSettings(&read)
    limits = RateLimits(&read)
    internalListener = InternalSettings(&read)
    traces = TraceSettings(&read)
    passwords = PasswordHasherSettings(&read)
    tenancy = TenancySettings(&read)
    archive = ArchiveStore(&read)
    exports = ExportPolicy(&read)
    readyOrganizations = ReadyOrganizationSettings(&read)
    runtime = RuntimeSettings(&read)
    workers = JobWorkerSettings(&read)
    scheduler = JobSchedulerSettings(&read)
  }

  /// Reads and checks everything.
  ///
  /// - Throws: ``StartFailure`` that lists every problem.
  static func load(overriding overrides: [String: String] = [:]) throws -> ServeSettings {
    var read = SettingsReader.process(overriding: overrides)
    let settings = ServeSettings(&read)
    do {
      try read.validated()
    } catch {
      throw StartFailure("The settings are not right:\n\(error)")
    }
    return settings
  }
}

/// The duties a process can have (design section 1).
enum Role: String, CaseIterable, Sendable {
  case control, runtime, worker

  /// The duties of a command line: `control,worker`.
  static func parse(_ text: String) throws -> Set<Role> {
    let names = text.split(separator: ",", omittingEmptySubsequences: false)
    return Set(
      try names.map { name in
        guard let role = Role(rawValue: String(name)) else {
          let known = allCases.map(\.rawValue).joined(separator: ", ")
          throw StartFailure("'\(name)' is not a role; the roles are \(known).")
        }
        return role
      })
  }
}
