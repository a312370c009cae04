import Foundation
import Logging
import Platform

@testable import Outgoing

extension OutgoingSettings {
  /// The defaults, with some settings changed; the names without their prefix.
  static func with(_ changes: [String: String]) throws -> OutgoingSettings {
    let environment = Dictionary(
      uniqueKeysWithValues: changes.map { ("TENURE_OUTGOING_" + $0.key, $0.value) })
    var read = SettingsReader(environment: environment) { _ in nil }
    let settings = OutgoingSettings(&read)
    try read.validated()
    return settings
  }
}

extension OutgoingHTTP {
  /// One for tests: loopback is vouched for unless the changes say otherwise, and names are resolved by `resolve`.
  static func testing(
    _ changes: [String: String] = ["ALLOWED_DESTINATIONS": "127.0.0.0/8"],
    clock: WallClock = .system,
    resolve: @escaping @Sendable (String) async throws -> [IPAddress] = { _ in
      throw OutgoingError.unresolvable
    }
  ) throws -> OutgoingHTTP {
    OutgoingHTTP(
      settings: try .with(changes), resolver: HostResolver(addresses: resolve), clock: clock,
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
  }

  func get(_ address: String, answerBytesMax: Int = 1024, partition: String = "a") async throws
    -> OutgoingResponse
  {
    try await send(
      .get(try OutgoingURL(address), accept: "application/json", answerBytesMax: answerBytesMax),
      partition: partition)
  }
}

extension IPAddress: ExpressibleByStringLiteral {
  /// An address of a test's table.
  public init(stringLiteral text: String) {
    guard let address = IPAddress(text) else { preconditionFailure("not an address: \(text)") }
    self = address
  }
}
