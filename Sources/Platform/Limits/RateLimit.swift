/// So many requests in a second or a minute, and how many of them at once: `100/s:500`, `30/m:30`.
package struct Rate: Sendable, Hashable {
  package enum Period: String, Sendable {
    case second = "s"
    case minute = "m"

    var microseconds: Double { self == .second ? 1_000_000 : 60_000_000 }
  }

  package static let countMax = 1_000_000

  package let count: Int
  package let period: Period
  /// How many may come at once after a pause.
  package let burst: Int

  package init?(_ count: Int, per period: Period, burst: Int) {
    guard (1...Self.countMax).contains(count), (1...Self.countMax).contains(burst) else {
      return nil
    }
    self.count = count
    self.period = period
    self.burst = burst
  }

  /// What one request costs, in microseconds.
  package var interval: Double { period.microseconds / Double(count) }

  /// After how many seconds the whole burst is there again.
  package var windowSeconds: Int {
    max(1, Int((interval * Double(burst) / 1_000_000).rounded(.up)))
  }
}

/// A rate, or `off`: lifting a limit is spelled out.
package enum RateLimit: SettingValue, Hashable {
  case off
  case at(Rate)

  package var rate: Rate? {
    switch self {
    case .off: nil
    case .at(let rate): rate
    }
  }

  package static var settingType: String { "rate or off" }
  package static var settingPlaceholder: RateLimit { .off }
  package static let form = "a rate and a burst such as 100/s:500 or 30/m:30, or off"

  package init?(_ text: String) {
    guard text != "off" else {
      self = .off
      return
    }
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2 else { return nil }
    let rate = parts[0].split(separator: "/", omittingEmptySubsequences: false)
    guard rate.count == 2, let count = Int(rate[0]), String(count) == rate[0],
      let period = Rate.Period(rawValue: String(rate[1])), let burst = Int(parts[1]),
      String(burst) == parts[1], let rate = Rate(count, per: period, burst: burst)
    else { return nil }
    self = .at(rate)
  }

  package init(setting text: String) throws(SettingRefusal) {
    guard let limit = RateLimit(text) else { throw SettingRefusal(Self.form) }
    self = limit
  }

  package var settingText: String {
    switch self {
    case .off: "off"
    case .at(let rate): "\(rate.count)/\(rate.period.rawValue):\(rate.burst)"
    }
  }
}

/// What is limited (docs/limits.md).
package enum LimitPolicy: String, Sendable, Hashable, CaseIterable {
  /// Requests to one organization from one client address; for IPv6 from one /64.
  case address
  /// Sign-ins from one client address, each of which costs a password hash.
  case signIn = "sign-in"
  /// Requests of one authenticated application.
  case client
  /// Sign-ins to, and requests in the name of, one account.
  case user
  /// Requests to one organization.
  case tenant
  /// Requests of one client of the administrative API.
  case `operator`

  /// Whether whoever asks may know how much is left.
  ///
  /// What others do at the same organization, or at the same account, is nobody's business.
  package var isOfCaller: Bool {
    switch self {
    case .address, .signIn, .client, .operator: true
    case .user, .tenant: false
    }
  }

  /// The name of the member in an organization's settings.
  package var settingName: String {
    switch self {
    case .address: "limit_address"
    case .signIn: "limit_sign_in"
    case .client: "limit_client"
    case .user: "limit_user"
    case .tenant: "limit_tenant"
    case .operator: "limit_operator"
    }
  }
}

/// The limits of every organization that has none of its own.
package struct RateLimits: Sendable {
  private var limits: [LimitPolicy: RateLimit] = [:]

  package init(_ read: inout SettingsReader) {
    limits[.address] = read.value(
      "LIMIT_ADDRESS", default: Self.default(100, .second, 500),
      "Requests to one organization from one client address (an IPv6 /64): rate and burst.")
    limits[.signIn] = read.value(
      "LIMIT_SIGN_IN", default: Self.default(120, .minute, 120),
      "Sign-ins to one organization from one client address, right or wrong.")
    limits[.client] = read.value(
      "LIMIT_CLIENT", default: Self.default(500, .second, 2000),
      "Requests of one authenticated application.")
    limits[.user] = read.value(
      "LIMIT_USER", default: Self.default(10, .second, 100),
      "Sign-ins to one account, and requests with its access tokens.")
    limits[.tenant] = read.value(
      "LIMIT_TENANT", default: Self.default(2000, .second, 8000),
      "Requests to one organization.")
    limits[.operator] = read.value(
      "LIMIT_OPERATOR", default: Self.default(100, .second, 500),
      "Requests of one client of the administrative API.")
  }

  package func rate(_ policy: LimitPolicy, _ overrides: [LimitPolicy: RateLimit]) -> Rate? {
    (overrides[policy] ?? limits[policy])?.rate
  }

  private static func `default`(_ count: Int, _ period: Rate.Period, _ burst: Int) -> RateLimit {
    guard let rate = Rate(count, per: period, burst: burst) else {
      preconditionFailure("not a rate")
    }
    return .at(rate)
  }
}
