import Cryptography
import FoundationEssentials
import Platform

/// Our own note in a request that went through the sign-in page: when the interaction began.
///
/// A session that began after it satisfies `prompt=login` and `max_age` of that request, however
/// long the user then reads the consent page; without it the request would ask for sign-in forever.
/// It is authenticated over the whole request, so that it can't be moved to another one (our policy).
struct InteractionTicket: Sendable, Equatable {
  static let parameterName = "interaction"
  static let lifetimeSeconds = 3600

  let startedAt: Date

  init(startedAt: Date) { self.startedAt = startedAt }

  init?(_ text: String, for parameters: AuthorizationParameters, key: HMACKey, now: Date) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 2, let milliseconds = Int64(parts[0]),
      let mac = Base64URL.decode(String(parts[1])),
      constantTimeEquals(mac, Self.mac(milliseconds, parameters, key))
    else { return nil }
    let startedAt = Date(timeIntervalSince1970: Double(milliseconds) / 1000)
    guard startedAt <= now, now.timeIntervalSince(startedAt) < Double(Self.lifetimeSeconds) else {
      return nil
    }
    self.startedAt = startedAt
  }

  func text(for parameters: AuthorizationParameters, key: HMACKey) -> String {
    let milliseconds = Int64((startedAt.timeIntervalSince1970 * 1000).rounded(.down))
    return "\(milliseconds).\(Base64URL.encode(Self.mac(milliseconds, parameters, key)))"
  }

  private static func mac(
    _ milliseconds: Int64, _ parameters: AuthorizationParameters, _ key: HMACKey
  ) -> [UInt8] {
    let request = parameters.with(parameterName, nil).query
    return key.sha256(Array("\(milliseconds)\n\(request)".utf8))
  }
}
