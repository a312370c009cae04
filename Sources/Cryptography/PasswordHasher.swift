import Glibc
package import Platform
import ServiceLifecycle

/// What hashing passwords may cost this process.
package struct PasswordHasherSettings: Sendable {
  package var cost: Argon2id.Cost
  /// Threads, and so hashes at a time; each holds its memory while it has work.
  package var threadsMax: Int
  /// Requests that may wait; the next one is told that the service is busy.
  package var queueMax: Int
  /// How long a request may wait for a thread.
  package var deadlineSeconds: Int

  package init(cost: Argon2id.Cost, threadsMax: Int, queueMax: Int, deadlineSeconds: Int) {
    self.cost = cost
    self.threadsMax = threadsMax
    self.queueMax = queueMax
    self.deadlineSeconds = deadlineSeconds
  }

  package init(_ read: inout SettingsReader) {
    cost = Argon2id.Cost(
      memoryKiB: read.value(
        "PASSWORD_MEMORY_KIB", default: 19_456, in: 8_192...1_048_576,
        "Memory of one password hash (Argon2id m), in KiB."),
      iterations: read.value(
        "PASSWORD_ITERATIONS", default: 2, in: 1...64, "Passes of one password hash (Argon2id t)."),
      lanes: read.value(
        "PASSWORD_LANES", default: 1, in: 1...16, "Lanes of one password hash (Argon2id p)."))
    let threads = read.value(
      "PASSWORD_THREADS", default: 0, in: 0...256,
      "Password hashes at a time; 0 is one for each processor.")
    threadsMax = threads == 0 ? max(1, sysconf(CInt(_SC_NPROCESSORS_ONLN))) : threads
    queueMax = read.value(
      "PASSWORD_QUEUE_MAX", default: 256, in: 1...65_536,
      "Password hashes that may wait for a thread; more are answered as busy.")
    deadlineSeconds = read.value(
      "PASSWORD_DEADLINE_SECONDS", default: 5, in: 1...60,
      "How long a password hash may wait for a thread.")
  }
}

/// Why a password was not hashed or checked; a wrong password is not an error.
package enum PasswordHashError: Error, Sendable, Equatable {
  /// The queue is full or the deadline has passed: try again later.
  case busy
  /// The process is shutting down.
  case stopped
  /// The stored text is not an Argon2id hash.
  case malformedHash
}

/// Hashes and checks passwords with Argon2id on threads of its own, so that a burst of logins neither blocks the
/// cooperative pool nor takes more memory than the settings say.
///
/// Threads start with the first work and end after half a minute without any, so an idle process pays nothing.
/// `run()` waits for the shutdown, lets what was accepted finish, and returns when the threads are gone.
package final class PasswordHasher: Service {
  private let settings: PasswordHasherSettings
  private let random: RandomSource
  private let pool: HashingPool
  private static let saltCount = 16
  private static let tagCount = 32

  package init(settings: PasswordHasherSettings, random: RandomSource) {
    self.settings = settings
    self.random = random
    pool = HashingPool(
      threadsMax: settings.threadsMax, queueMax: settings.queueMax,
      deadline: .seconds(settings.deadlineSeconds), idle: .seconds(30))
  }

  deinit {
    pool.refuseNew()
  }

  package func run() async throws {
    // Graceful shutdown returns, cancellation throws; both mean the same here.
    try? await gracefulShutdown()
    await pool.stop()
  }

  /// Refuses new work, finishes what was accepted, and returns when the threads are gone; for those who do not `run()`.
  package func stop() async {
    await pool.stop()
  }

  /// Whether so many wait for a hash, or for so long, that what is left of the queue should be left to those who have a form to send.
  package var isCrowded: Bool { pool.isCrowded }

  /// A new hash in PHC form, with a salt of its own.
  package func hash(_ password: Secret<String>) async throws -> String {
    let salt = random.bytes(Self.saltCount)
    let tag = try await tag(password, salt: salt, cost: settings.cost, count: Self.tagCount)
    return PHCString(cost: settings.cost, salt: salt, tag: tag).text
  }

  /// Whether the password belongs to the hash; without a hash (no such user) false, at the cost of a real check.
  package func verify(_ password: Secret<String>, against hash: String?) async throws -> Bool {
    guard let hash else {
      try await verifyDummy(password)
      return false
    }
    guard let stored = PHCString(hash) else { throw PasswordHashError.malformedHash }
    let tag = try await tag(
      password, salt: stored.salt, cost: stored.cost, count: stored.tag.count)
    return constantTimeEquals(tag, stored.tag)
  }

  /// Spends what checking a password costs, so that an unknown user takes as long as a wrong password.
  package func verifyDummy(_ password: Secret<String>) async throws {
    _ = try await tag(
      password, salt: [UInt8](repeating: 0, count: Self.saltCount), cost: settings.cost,
      count: Self.tagCount)
  }

  /// Whether a hash that has just been verified should be replaced: it was made at another cost.
  package func needsRehash(_ hash: String) -> Bool {
    guard let stored = PHCString(hash) else { return true }
    return stored.cost != settings.cost || stored.tag.count != Self.tagCount
      || stored.salt.count < Self.saltCount
  }

  package var metrics: [MetricFamily] {
    let (pool, settings) = (pool, settings)
    return [
      .gauge("tenure_password_queue", "Password hashes that wait for a thread.") {
        pool.queueLength
      },
      .gauge("tenure_password_queue_max", "Password hashes that may wait for a thread.") {
        settings.queueMax
      },
      .gauge("tenure_password_threads", "Threads that hash passwords, or wait for the next.") {
        pool.threadCount
      },
      .gauge("tenure_password_threads_max", "Threads that may hash passwords.") {
        settings.threadsMax
      },
      .counter(
        "tenure_password_refused_total",
        "Password hashes not made: too many waited, or for too long.", pool.metrics.busy),
      .durations(
        "tenure_password_wait_seconds", "How long password hashes waited for a thread.",
        pool.metrics.waits),
      .durations(
        "tenure_password_hash_seconds", "How long one password hash took.", pool.metrics.hashes),
    ]
  }

  private func tag(
    _ password: Secret<String>, salt: [UInt8], cost: Argon2id.Cost, count: Int
  ) async throws -> [UInt8] {
    try await pool.tag(
      Argon2id.Input(
        password: SecretBytes(password.reveal()), salt: SecretBytes(salt), secret: nil,
        associatedData: nil, cost: cost, tagCount: count))
  }
}
