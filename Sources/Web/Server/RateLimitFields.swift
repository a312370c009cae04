import HTTPTypes
import Hummingbird
package import Platform

/// Tells callers how much they have left (draft-ietf-httpapi-ratelimit-headers-10, sections 3 and 4).
struct RateLimitFields: RouterMiddleware {
  func handle(
    _ request: Request, context: BaseContext,
    next: (Request, BaseContext) async throws -> Response
  ) async throws -> Response {
    var response = try await next(request, context)
    let states = context.notes.limits.filter(\.policy.isOfCaller)
    guard !states.isEmpty else { return response }
    response.headers[.rateLimitPolicy] = Self.policies(states)
    response.headers[.rateLimit] = Self.limits(states)
    return response
  }

  /// A bucket of `q` permits that is full again after `w` seconds.
  static func policies(_ states: [LimitState]) -> String {
    list(states) { state, text in
      text += ";q="
      text += String(state.rate.burst)
      text += ";w="
      text += String(state.rate.windowSeconds)
    }
  }

  static func limits(_ states: [LimitState]) -> String {
    list(states) { state, text in
      text += ";r="
      text += String(state.remaining)
      text += ";t="
      text += String(state.resetSeconds)
    }
  }

  /// Nearly every answer has two of these lists, so they are put together piece by piece, without interpolation.
  private static func list(
    _ states: [LimitState], parameters: (LimitState, inout String) -> Void
  ) -> String {
    var text = ""
    text.reserveCapacity(32 * states.count)
    for state in states {
      text += text.isEmpty ? "\"" : ", \""
      text += state.policy.rawValue
      text += "\""
      parameters(state, &text)
    }
    return text
  }
}

extension WebContext {
  /// Takes a permit of every charge, or of none and refuses.
  ///
  /// What the request was charged before is given back with a refusal: it is served whole or not at
  /// all.
  package func charge(_ charges: [LimitCharge], by limiter: any RateLimiting) async throws {
    guard !charges.isEmpty else { return }
    let verdict = await limiter.take(charges)
    base.notes.note(verdict.states)
    guard let refusal = verdict.refusal else {
      base.notes.charged(charges)
      return
    }
    limiter.giveBack(base.notes.takeCharges())
    throw Problem.rateLimited(refusal)
  }
}

extension Problem {
  /// RFC 6585 section 4; the type is registered by the draft of the header fields, section 7.
  static func rateLimited(_ state: LimitState) -> Problem {
    var problem = Problem.tooManyRequests(
      retryAfterSeconds: state.resetSeconds, reason: "limit \(state.policy.rawValue)")
    problem.detail =
      "Too many requests. Try again in \(state.resetSeconds == 1 ? "a second" : "\(state.resetSeconds) seconds")."
    problem.members = ["violated-policies": [.string(state.policy.rawValue)]]
    return problem
  }
}
