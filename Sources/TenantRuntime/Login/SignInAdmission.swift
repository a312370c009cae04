import Platform
import Tenancy
import Web

/// Turns people away before they see the sign-in page while passwords can't be checked as fast as they come (our policy).
///
/// A page that leads to a refusal costs as much as one that leads on, and takes the processor from the hashes of those who are
/// let in.
struct SignInAdmission: Sendable {
  let users: UserStore
  let metrics: RuntimeMetrics
  let random: RandomSource

  /// Counted, and not logged one by one: it is the normal answer to a crowd.
  ///
  /// - Throws: 503 with `Retry-After`.
  func check() throws(Problem) {
    guard users.isCrowded else { return }
    metrics.signIn(.busy)
    let seconds = retryAfterSeconds()
    throw .unavailable(LoginNotice.busy(seconds: seconds).notice.text, retryAfterSeconds: seconds)
  }

  /// 5 to 15, not the same for all: those who were turned away together should not come back together.
  func retryAfterSeconds() -> Int { 5 + Int(random.bytes(1)[0] % 11) }
}
