package import FoundationEssentials
package import Platform

/// The payload of a kind of job: ids, never personal data (design section 8).
package protocol Job: Codable, Sendable {
  /// The name on the wire and in the table, such as `privacy.export`.
  static var kind: String { get }
  static var options: JobOptions { get }
}

/// How the queue treats a kind of job.
package struct JobOptions: Hashable, Sendable {
  package let attemptsMax: Int
  package let timeoutSeconds: Int
  /// Lower runs first, within one organization.
  package let priority: Int
  package let concurrency: JobConcurrency

  package init(
    attemptsMax: Int, timeoutSeconds: Int, priority: Int, concurrency: JobConcurrency
  ) {
    self.attemptsMax = attemptsMax
    self.timeoutSeconds = timeoutSeconds
    self.priority = priority
    self.concurrency = concurrency
  }
}

/// How many jobs of one kind may run at the same time, counted over all workers.
package enum JobConcurrency: Hashable, Sendable {
  case unlimited
  case limited(perKind: Int, perOrganization: Int)
}

/// What runs the jobs of one kind.
///
/// A job runs at least once: `run` may be called again after a crash, so its effects are idempotent or
/// guarded by ``JobContext/fence(_:)``.
package protocol JobHandler: Sendable {
  associatedtype Payload: Job
  func run(_ payload: Payload, _ context: JobContext) async throws
}

/// Why a job failed, in a sentence that is safe to store and to show.
package protocol JobFailure: Error {
  var sentence: String { get }
  /// False when another attempt cannot help: the job is dead at once.
  var canRetry: Bool { get }
}

/// The state of a job on the wire.
package enum JobState: String, Hashable, Sendable, CaseIterable {
  case available, running, completed, cancelled, dead
}

/// A job as the list and the detail show it.
package struct JobRecord: Hashable, Sendable {
  package let id: ID<JobRecord>
  package let organization: UUID?
  package let kind: String
  package let state: JobState
  package let attempt: Int
  package let attemptsMax: Int
  package let progress: JobProgress?
  package let error: String?
  package let runAt: Date?
  package let createdAt: Date
  package let startedAt: Date?
  package let finishedAt: Date?
}

/// How far a job has come.
package struct JobProgress: Hashable, Sendable {
  package let done: Int
  package let total: Int
}
