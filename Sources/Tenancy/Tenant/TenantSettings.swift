package import Platform

/// How one organization wants sign-in to behave: `control.organization.settings`.
///
/// Members that are missing have their default, so that a new setting needs no migration.
package struct TenantSettings: Sendable, Hashable {
  package var accessTokenLifetimeSeconds = 300
  package var idTokenLifetimeSeconds = 300
  /// Design section 5: codes live 60 s at most.
  package var authorizationCodeLifetimeSeconds = 60
  package var refreshTokenLifetimeSeconds = 30 * 86_400
  /// How long after the sign-in userinfo tells claims (RFC 9470); 0 for as long as the token lives.
  package var userInfoAuthenticationMaxAgeSeconds = 0
  /// By which classes of sign-in it does (RFC 9470), the preferred one first; empty for any.
  package var userInfoContextClasses: [String] = []
  package var sessionIdleLifetimeSeconds = 12 * 3600
  package var sessionAbsoluteLifetimeSeconds = 14 * 86_400
  /// What has keys from the beginning; a client that asks for another algorithm brings it about, too.
  package var signingAlgorithms: [ClientSigningAlgorithm] = [.rs256, .es256]
  /// Design section 4: how long a key signs, is published before, and stays published afterwards.
  package var signingKeyRotationDays = 90
  package var signingKeyPublicationDays = 14
  package var signingKeyRetirementDays = 14
  /// Whether clients marked `first_party` skip the consent page.
  package var skipsConsentForFirstParty = false
  /// Data minimisation: what sessions and audit events may keep about the device.
  package var recordsIPAddress = true
  package var recordsUserAgent = true
  /// Rate limits that replace the platform's, by the members that begin with `limit_`.
  package var limits: [LimitPolicy: RateLimit] = [:]
  /// BCP 47 tag of the pages' language.
  package var language = "en"

  /// What clients may register by themselves.
  package var registration = RegistrationPolicy()

  package init() {}

  /// The settings as the admin API gets them; collects every problem.
  package init(validating object: JSONObject) throws(ClaimErrors) {
    var read = ObjectReader(object)
    self.init(&read)
    if sessionIdleLifetimeSeconds > sessionAbsoluteLifetimeSeconds {
      read.refuse("session_idle_lifetime_seconds", "must not be longer than the absolute lifetime")
    }
    if signingKeyPublicationDays >= signingKeyRotationDays {
      read.refuse("signing_key_publication_days", "must be less than the days of rotation")
    }
    if Set(signingAlgorithms).count != signingAlgorithms.count
      || !signingAlgorithms.contains(.rs256) || !signingAlgorithms.contains(.es256)
    {
      // What clients get that do not ask for anything else.
      read.refuse("signing_algorithms", "must have RS256 and ES256, and nothing twice")
    }
    try read.finish()
  }

  /// Settings that were valid when they were stored: what is not known any more is left out.
  package init(stored object: JSONObject) throws(ClaimErrors) {
    var read = ObjectReader(object)
    self.init(&read)
    guard read.errors.isEmpty else { throw ClaimErrors(read.errors) }
  }

  /// A merge patch (RFC 7396): members that are absent stay, `null` goes back to the default.
  package func applying(_ patch: JSONObject) throws(ClaimErrors) -> TenantSettings {
    var merged = json
    for name in patch.names { merged[name] = patch[name] }
    return try TenantSettings(validating: merged)
  }

  private init(_ read: inout ObjectReader) {
    for field in TenantSettings.numbers {
      if let value = read.integer(field.name, in: field.range) { self[keyPath: field.path] = value }
    }
    for field in TenantSettings.flags {
      if let value = read.bool(field.name) { self[keyPath: field.path] = value }
    }
    for policy in LimitPolicy.allCases {
      guard let text = read.text(policy.settingName) else { continue }
      if let limit = RateLimit(text) {
        limits[policy] = limit
      } else {
        read.refuse(policy.settingName, "must be \(RateLimit.form)")
      }
    }
    registration = RegistrationPolicy(&read)
    if let algorithms: [ClientSigningAlgorithm] = read.choices("signing_algorithms") {
      signingAlgorithms = algorithms
    }
    userInfoContextClasses =
      read.strings("userinfo_acr_values", countMax: 10, bytesMax: 256) ?? []
    if !userInfoContextClasses.allSatisfy({ $0.utf8.allSatisfy(\.isScopeByte) }) {
      // They are separated by blanks, and stand between quotation marks.
      read.refuse("userinfo_acr_values", "has an entry with a character that no header can hold")
    }
    guard let tag = read.string("language", bytesMax: 35) else { return }
    if let problem = ClaimRule.languageProblem(tag) {
      read.refuse("language", problem)
    } else {
      language = tag
    }
  }

  package var json: JSONObject {
    var object: JSONObject = [:]
    for field in TenantSettings.numbers {
      object[field.name] = .integer(Int64(self[keyPath: field.path]))
    }
    for field in TenantSettings.flags { object[field.name] = .bool(self[keyPath: field.path]) }
    for policy in LimitPolicy.allCases {
      if let limit = limits[policy] { object[policy.settingName] = .string(limit.settingText) }
    }
    registration.write(to: &object)
    object["signing_algorithms"] = .strings(signingAlgorithms.map(\.rawValue))
    object["userinfo_acr_values"] = .strings(userInfoContextClasses)
    object["language"] = .string(language)
    return object
  }

  private struct NumberField: Sendable {
    let name: String
    let path: any WritableKeyPath<TenantSettings, Int> & Sendable
    let range: ClosedRange<Int>
  }

  private struct FlagField: Sendable {
    let name: String
    let path: any WritableKeyPath<TenantSettings, Bool> & Sendable
  }

  private static let numbers: [NumberField] = [
    .init(
      name: "access_token_lifetime_seconds", path: \.accessTokenLifetimeSeconds, range: 30...86_400),
    .init(name: "id_token_lifetime_seconds", path: \.idTokenLifetimeSeconds, range: 30...86_400),
    .init(
      name: "authorization_code_lifetime_seconds", path: \.authorizationCodeLifetimeSeconds,
      range: 5...60),
    .init(
      name: "refresh_token_lifetime_seconds", path: \.refreshTokenLifetimeSeconds,
      range: 60...(400 * 86_400)),
    .init(
      name: "userinfo_authentication_max_age_seconds",
      path: \.userInfoAuthenticationMaxAgeSeconds, range: 0...(400 * 86_400)),
    .init(
      name: "session_idle_lifetime_seconds", path: \.sessionIdleLifetimeSeconds,
      range: 60...(400 * 86_400)),
    .init(
      name: "session_absolute_lifetime_seconds", path: \.sessionAbsoluteLifetimeSeconds,
      range: 60...(400 * 86_400)),
    // A day at least: longer than any token lives, and twice the JWKS' max-age many times over.
    .init(
      name: "signing_key_rotation_days", path: \.signingKeyRotationDays, range: 2...3650),
    .init(
      name: "signing_key_publication_days", path: \.signingKeyPublicationDays, range: 1...365),
    .init(
      name: "signing_key_retirement_days", path: \.signingKeyRetirementDays, range: 1...365),
  ]

  private static let flags: [FlagField] = [
    .init(name: "skip_consent_for_first_party", path: \.skipsConsentForFirstParty),
    .init(name: "record_ip_address", path: \.recordsIPAddress),
    .init(name: "record_user_agent", path: \.recordsUserAgent),
  ]
}
