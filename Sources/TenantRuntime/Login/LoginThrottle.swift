import Cache
import Cryptography
package import Platform
import Tenancy

/// How many wrong passwords are taken before sign-in slows down and stops (our policy).
package struct LoginSettings: Sendable {
  let freeAttemptsPerUser: Int
  let attemptsPerUserMax: Int
  let freeAttemptsPerAddress: Int
  let windowSeconds: Int

  package init(_ read: inout SettingsReader) {
    freeAttemptsPerUser = read.value(
      "LOGIN_FREE_ATTEMPTS_PER_USER", default: 4, in: 1...1_000_000,
      "Wrong passwords for one account before each further try has to wait, twice as long each time."
    )
    attemptsPerUserMax = read.value(
      "LOGIN_ATTEMPTS_PER_USER_MAX", default: 10, in: 1...1_000_000,
      "Tries for one account before sign-in to it is locked for the window.")
    freeAttemptsPerAddress = read.value(
      "LOGIN_FREE_ATTEMPTS_PER_ADDRESS", default: 50, in: 1...1_000_000,
      "Wrong passwords from one client address before each further try from it has to wait, twice as long each time."
    )
    windowSeconds = read.value(
      "LOGIN_ATTEMPTS_WINDOW_SECONDS", default: 900, in: 1...86_400,
      "How long wrong passwords are counted, and how long a lock lasts.")
  }
}

/// What the counters say about the next try.
enum ThrottleDecision: Sendable, Equatable {
  case proceed
  case wait(seconds: Int)
  case locked(seconds: Int)
}

/// What the counters hold when a try begins.
struct ThrottleCounts: Sendable, Equatable {
  /// This try and every one before it in the window, since the last success.
  var triesForUser: Int
  var isUserWaiting: Bool
  var failuresFromAddress: Int
  var isAddressWaiting: Bool
}

extension LoginSettings {
  /// The rule without I/O.
  func decision(_ counts: ThrottleCounts) -> ThrottleDecision {
    if counts.triesForUser > attemptsPerUserMax { return .locked(seconds: windowSeconds) }
    if counts.isUserWaiting {
      return .wait(
        seconds: max(1, delaySeconds(after: counts.triesForUser - 1, free: freeAttemptsPerUser)))
    }
    if counts.isAddressWaiting {
      return .wait(
        seconds: max(
          1, delaySeconds(after: counts.failuresFromAddress, free: freeAttemptsPerAddress)))
    }
    return .proceed
  }

  /// 0 for the free tries, then 1, 2, 4, … seconds.
  func delaySeconds(after failures: Int, free: Int) -> Int {
    guard failures > free else { return 0 }
    return min(windowSeconds, 1 << min(failures - free - 1, 20))
  }
}

/// Counts tries per account and failures per address, under keyed digests: the counters hold no
/// personal data.
struct LoginThrottle: Sendable {
  let settings: LoginSettings
  let counters: any Counters

  /// One try at an account from an address.
  struct Attempt: Sendable {
    let user: String
    let userWait: String
    let address: String
    let addressWait: String
  }

  /// Looks whether a password may be checked now.
  ///
  /// Nothing is counted yet: somebody who is turned away, here or because the machine is busy, has
  /// not tried.
  func begin(identifier: String, address: String, in tenant: Tenant) async
    -> (Attempt, ThrottleDecision)
  {
    let key = tenant.key.macKey(.throttle)
    func name(_ kind: String, _ value: String) -> String {
      "login:" + Base64URL.encode(key.sha256("\(kind)\n\(value)"))
    }
    // As the account is looked up: other spellings of a name are no other tries.
    let folded = BlindIndex.username.normalise(identifier) ?? ""
    let (user, userWait) = (name("user", folded), name("user-wait", folded))
    let (from, fromWait) = (name("address", address), name("address-wait", address))
    let counts = ThrottleCounts(
      triesForUser: await counters.value(user) + 1,
      isUserWaiting: await counters.value(userWait) > 0,
      failuresFromAddress: await counters.value(from),
      isAddressWaiting: await counters.value(fromWait) > 0)
    let attempt = Attempt(user: user, userWait: userWait, address: from, addressWait: fromWait)
    return (attempt, settings.decision(counts))
  }

  /// Counts a try whose password was checked, before the answer is given.
  ///
  /// Of guesses made at the same time only as many get an answer as one after the other would.
  func count(_ attempt: Attempt) async -> (tries: Int, ThrottleDecision) {
    let tries = await counters.increment(attempt.user, windowSeconds: settings.windowSeconds)
    let counts = ThrottleCounts(
      triesForUser: tries, isUserWaiting: false, failuresFromAddress: 0, isAddressWaiting: false)
    return (tries, settings.decision(counts))
  }

  func failed(_ attempt: Attempt, tries: Int) async {
    let failures = await counters.increment(
      attempt.address, windowSeconds: settings.windowSeconds)
    await wait(
      attempt.addressWait,
      settings.delaySeconds(after: failures, free: settings.freeAttemptsPerAddress))
    await wait(
      attempt.userWait,
      settings.delaySeconds(after: tries, free: settings.freeAttemptsPerUser))
  }

  func succeeded(_ attempt: Attempt) async {
    await counters.reset(attempt.user)
    await counters.reset(attempt.userWait)
  }

  private func wait(_ key: String, _ seconds: Int) async {
    if seconds > 0 { _ = await counters.increment(key, windowSeconds: seconds) }
  }
}
