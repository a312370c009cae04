import Cryptography
package import Platform

/// The rate limits of organizations: the platform's, unless an organization has its own.
package struct TenantLimits: Sendable {
  package let limiter: any RateLimiting
  private let defaults: RateLimits

  package init(_ defaults: RateLimits, by limiter: any RateLimiting) {
    self.defaults = defaults
    self.limiter = limiter
  }

  /// A permit for one subject; nothing where the limit is lifted.
  package func charge(
    _ policy: LimitPolicy, _ subject: LimitCharge.Subject, in tenant: Tenant
  ) -> LimitCharge? {
    defaults.rate(policy, tenant.settings.limits).map {
      LimitCharge(policy, $0, tenant: tenant.id.uuid, subject)
    }
  }

  /// A permit for the subscriber of an address.
  package func charge(_ policy: LimitPolicy, _ address: IPAddress?, in tenant: Tenant)
    -> LimitCharge?
  {
    address.flatMap { charge(policy, .address($0.subscriber), in: tenant) }
  }
}

extension MasterKey {
  /// What a limit is called in Redis: a keyed digest, so that Redis learns no address and no name.
  package var limitNames: @Sendable (LimitCharge.Key) -> String {
    let key = HMACKey(derive(.limit))
    return { limit in
      let subject =
        switch limit.subject {
        case .address(let address): "a\(address)"
        case .name(let name): "n\(name)"
        case .all: ""
        }
      return Base64URL.encode(
        key.sha256("\(limit.policy.rawValue)\n\(limit.tenant)\n\(subject)").prefix(18))
    }
  }
}
