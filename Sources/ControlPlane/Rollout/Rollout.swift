import Database
package import FoundationEssentials
package import Platform

/// A tenant migration on its way through the organizations (design section 3, decision 0009).
package struct Rollout: Sendable, Hashable {
  package let id: ID<Rollout>
  /// The version every organization's schema is to have.
  package let target: Int
  package let state: State
  /// Batches so far.
  package let wave: Int
  /// Organizations that got there, since it was started or resumed.
  package let migrated: Int
  /// Of those tried, how many may fail before it stops.
  package let failurePercentMax: Int
  package let createdAt: Date
  package let updatedAt: Date

  package enum State: String, SQLCodable, Sendable, Hashable {
    case running
    /// By an operator.
    case paused
    /// By itself: too many organizations failed, or some did and no others are left.
    case stopped
    case completed
  }

  /// How many organizations the next wave has: one canary, ten, then the rest in batches.
  var batchSize: Int {
    switch wave {
    case 0: 1
    case 1: 10
    default: 200
    }
  }

  /// What becomes of a running rollout after a wave; no I/O, so every branch is a row in a unit test.
  func state(migrated: Int, failed: Int) -> State {
    failed * 100 > failurePercentMax * (migrated + failed) ? .stopped : .running
  }

  /// What becomes of it when no organization is left to try.
  static func finalState(failed: Int) -> State { failed == 0 ? .completed : .stopped }
}

/// A rollout and what is left of it, for an operator.
package struct RolloutReport: Sendable {
  package let rollout: Rollout
  /// Organizations below the target, failed ones included.
  package let pending: Int
  package let failures: [RolloutFailure]
}

/// An organization that could not be migrated, and why: names and codes, never values.
package struct RolloutFailure: Sendable, Hashable {
  package let organization: UUID
  package let slug: String
  package let error: String

  static func sentence(_ error: any Error) -> String {
    if let error = error as? DatabaseError { return "database error \(error.sqlState.rawValue)" }
    return String(describing: type(of: error))
  }
}
