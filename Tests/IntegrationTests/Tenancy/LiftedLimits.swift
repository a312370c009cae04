import Platform
import Tenancy

@testable import Cache

extension TenantLimits {
  /// No limit but what a tenant's own settings say, in memory.
  static var lifted: TenantLimits {
    let off = LimitPolicy.allCases.map { policy in
      ("TENURE_" + policy.settingName.uppercased(), "off")
    }
    var read = SettingsReader(environment: Dictionary(uniqueKeysWithValues: off)) { _ in nil }
    return TenantLimits(
      RateLimits(&read), by: RateLimiter(shared: nil, capacity: 1000, clock: .system))
  }
}
