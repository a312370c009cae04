package import FoundationEssentials
package import JOSE
import Platform

/// A signing key as its schedule and the admin API see it; never with the private half.
package struct SigningKeyRecord: Sendable, Hashable {
  package let kid: String
  package let algorithm: SignatureAlgorithm
  package let state: SigningKeyState
  package let createdAt: Date
  package let activatedAt: Date?
  /// When another key took over.
  package let deactivatedAt: Date?
  package let retiredAt: Date?
}

/// How long the keys of a tenant stay in each state (design section 4).
struct SigningKeySchedule: Sendable, Hashable {
  let rotationSeconds: Double
  /// How long a key is in the JWKS before it signs.
  let publicationSeconds: Double
  /// How long it stays there afterwards.
  let retirementSeconds: Double

  init(_ settings: TenantSettings) {
    rotationSeconds = Double(settings.signingKeyRotationDays) * 86_400
    publicationSeconds = Double(settings.signingKeyPublicationDays) * 86_400
    retirementSeconds = Double(settings.signingKeyRetirementDays) * 86_400
  }
}

/// One move of one key.
///
/// It names the state it starts from: whoever finds another one has been overtaken.
enum SigningKeyStep: Sendable, Hashable {
  /// A new key in the JWKS that does not sign yet.
  case publish(SignatureAlgorithm)
  /// A new key that signs at once.
  case introduce(SignatureAlgorithm)
  case activate(kid: String)
  case deactivate(kid: String)
  case retire(kid: String, from: SigningKeyState)
}

/// What is due for the keys of a tenant; no I/O, so every branch is a row in a unit test.
struct SigningKeyPlan: Sendable, Hashable {
  let steps: [SigningKeyStep]

  /// What the schedule asks for now; an algorithm that is wanted and has no key gets one at once.
  static func scheduled(
    _ keys: [SigningKeyRecord], wanted: [SignatureAlgorithm], _ schedule: SigningKeySchedule,
    now: Date
  ) -> SigningKeyPlan {
    let retirements = keys.filter {
      $0.state == .previous
        && $0.hasPassed($0.deactivatedAt, schedule.retirementSeconds, now)
    }.map { SigningKeyStep.retire(kid: $0.kid, from: .previous) }
    let rotations = algorithms(of: keys, wanted).flatMap { algorithm -> [SigningKeyStep] in
      guard let current = keys.first(algorithm, .current) else { return [.introduce(algorithm)] }
      guard let next = keys.first(algorithm, .next) else {
        let ahead = schedule.rotationSeconds - schedule.publicationSeconds
        return current.hasPassed(current.activatedAt, ahead, now) ? [.publish(algorithm)] : []
      }
      let isDue =
        current.hasPassed(current.activatedAt, schedule.rotationSeconds, now)
        && next.hasPassed(next.createdAt, schedule.publicationSeconds, now)
      return isDue ? [.deactivate(kid: current.kid), .activate(kid: next.kid)] : []
    }
    return SigningKeyPlan(steps: retirements + rotations)
  }

  /// An administrator does not wait for the schedule: the published key signs from now on, or a new one.
  ///
  /// A relying party that meets a `kid` it does not know fetches the JWKS again (OpenID Connect Core
  /// section 10.1.1).
  static func demanded(_ keys: [SigningKeyRecord], of algorithms: [SignatureAlgorithm])
    -> SigningKeyPlan
  {
    SigningKeyPlan(
      steps: algorithms.flatMap { algorithm -> [SigningKeyStep] in
        let current = keys.first(algorithm, .current).map {
          [SigningKeyStep.deactivate(kid: $0.kid)]
        }
        let next = keys.first(algorithm, .next)
        return (current ?? []) + [next.map { .activate(kid: $0.kid) } ?? .introduce(algorithm)]
      })
  }

  /// Somebody else may have the keys: none of them signs, verifies or is published any more.
  static func compromised(_ keys: [SigningKeyRecord], of algorithms: [SignatureAlgorithm])
    -> SigningKeyPlan
  {
    SigningKeyPlan(
      steps: algorithms.flatMap { algorithm in
        keys.filter { $0.algorithm == algorithm && $0.state != .retired }
          .map { SigningKeyStep.retire(kid: $0.kid, from: $0.state) } + [.introduce(algorithm)]
      })
  }

  /// What is wanted, and what signs already.
  static func algorithms(of keys: [SigningKeyRecord], _ wanted: [SignatureAlgorithm])
    -> [SignatureAlgorithm]
  {
    SignatureAlgorithm.allCases.filter { wanted.contains($0) || keys.first($0, .current) != nil }
  }
}

extension SigningKeyRecord {
  fileprivate func hasPassed(_ start: Date?, _ seconds: Double, _ now: Date) -> Bool {
    guard let start else { return false }
    return now >= start.addingTimeInterval(seconds)
  }
}

extension [SigningKeyRecord] {
  fileprivate func first(_ algorithm: SignatureAlgorithm, _ state: SigningKeyState)
    -> SigningKeyRecord?
  {
    first { $0.algorithm == algorithm && $0.state == state }
  }
}
