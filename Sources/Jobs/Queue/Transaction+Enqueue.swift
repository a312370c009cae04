package import Database
package import FoundationEssentials
package import Platform

extension Transaction {
  /// Adds a job that exists only if this transaction commits (house rule 7: effects leave through the queue).
  ///
  /// False when a job of the kind with the same unique key is still waiting or running.
  /// ``JobQueue/enqueue(_:organization:uniqueKey:in:)`` also wakes a worker.
  @discardableResult
  package func enqueue<J: Job>(
    _ job: J, organization: UUID?, id: ID<JobRecord>, now: Date, runAt: Date, uniqueKey: String?
  ) async throws -> Bool {
    let insert = try InsertJob(
      job, organization: organization, id: id, now: now, runAt: runAt, uniqueKey: uniqueKey)
    return try await platform(insert) == 1
  }
}

extension InsertJob {
  init<J: Job>(
    _ job: J, organization: UUID?, id: ID<JobRecord>, now: Date, runAt: Date, uniqueKey: String?
  ) throws {
    self.init(
      id: id, organization: organization, kind: J.kind, payload: try JobPayload.encode(job),
      priority: J.options.priority, runAt: runAt, attemptsMax: J.options.attemptsMax,
      uniqueKey: uniqueKey, now: now)
  }
}

/// Payloads as JSON text.
enum JobPayload {
  static func encode(_ job: some Job) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    return String(decoding: try encoder.encode(job), as: UTF8.self)
  }

  static func decode<J: Job>(_ type: J.Type, from text: String) throws -> J {
    try JSONDecoder().decode(type, from: Data(text.utf8))
  }
}
