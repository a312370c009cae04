import Platform

/// What the tenant plane counts; the values of its labels are fixed.
struct RuntimeMetrics: Sendable {
  private let tokens = Series(valuesMax: 32) { Counter() }
  private let signIns = Series(valuesMax: 32) { Counter() }
  private let introspections = Series(valuesMax: 2) { Counter() }
  private let logoutTokens = Series(valuesMax: 4) { Counter() }

  /// What came of an attempt to sign in, as a label.
  enum SignIn: String, CaseIterable {
    case success, failure, throttled, locked, busy, incomplete
  }

  /// Every outcome of a sign-in is there from the start: Prometheus sees no rise in a series that is new.
  init() {
    for outcome in SignIn.allCases { _ = signIns[outcome.rawValue] }
  }

  /// An answer of the token endpoint.
  func tokens(by grant: String) { tokens[grant].add() }

  func signIn(_ outcome: SignIn) { signIns[outcome.rawValue].add() }

  func introspection(active: Bool) { introspections[active ? "true" : "false"].add() }

  /// An attempt to tell an application that a session has ended.
  func logoutToken(_ failure: LogoutTokenFailure?) {
    let outcome = failure.map { $0.canRetry ? "failed" : "refused" } ?? "delivered"
    logoutTokens[outcome].add()
  }

  var families: [MetricFamily] {
    [
      .counter(
        "tenure_tokens_issued_total", "Successful answers of the token endpoint, by grant type.",
        by: "grant", tokens),
      .counter(
        "tenure_sign_ins_total", "Sign-ins, tried or turned away before, by what came of them.",
        by: "outcome", signIns),
      .counter(
        "tenure_introspections_total", "Tokens looked at for resource servers.", by: "active",
        introspections),
      .counter(
        "tenure_logout_tokens_total", "Logout tokens sent to applications, by what came of them.",
        by: "outcome", logoutTokens),
    ]
  }
}
