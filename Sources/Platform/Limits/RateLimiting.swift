package import FoundationEssentials

/// One permit of one limit, for one subject.
package struct LimitCharge: Sendable {
  /// Whom a limit counts.
  package enum Subject: Sendable, Hashable {
    case address(IPAddress)
    case name(String)
    /// The organization itself.
    case all
  }

  package struct Key: Sendable, Hashable {
    package let policy: LimitPolicy
    /// The organization: limits of one never count for another.
    package let tenant: UUID
    package let subject: Subject
  }

  package let key: Key
  package let rate: Rate

  package init(_ policy: LimitPolicy, _ rate: Rate, tenant: UUID, _ subject: Subject) {
    key = Key(policy: policy, tenant: tenant, subject: subject)
    self.rate = rate
  }
}

/// Where one limit stands after a decision.
package struct LimitState: Sendable, Hashable {
  package let policy: LimitPolicy
  package let rate: Rate
  /// Permits left, as far as this process knows.
  package let remaining: Int
  /// Seconds until one more is there.
  package let resetSeconds: Int

  package init(policy: LimitPolicy, rate: Rate, remaining: Int, resetSeconds: Int) {
    self.policy = policy
    self.rate = rate
    self.remaining = remaining
    self.resetSeconds = resetSeconds
  }
}

/// What became of a request's charges.
package struct LimitVerdict: Sendable {
  package let states: [LimitState]
  /// The limit that refuses; nil if all agreed.
  package let refusal: LimitState?

  package init(states: [LimitState], refusal: LimitState?) {
    self.states = states
    self.refusal = refusal
  }
}

/// Decides about requests.
package protocol RateLimiting: Sendable {
  /// Takes a permit of every charge, or of none.
  func take(_ charges: [LimitCharge]) async -> LimitVerdict
  /// Returns permits of a request that was refused for another reason.
  func giveBack(_ charges: [LimitCharge])
}
