import Cache
import Cryptography
package import Platform
import Tenancy

/// How many user codes may be tried (RFC 8628 section 5.1; the numbers are our policy).
///
/// Of 25 billion codes a few are valid at a time: with these limits guessing one takes longer than it lives.
package struct DeviceSettings: Sendable {
  let attemptsPerUserMax: Int
  let attemptsPerAddressMax: Int
  static let windowSeconds = 900

  package init(_ read: inout SettingsReader) {
    attemptsPerUserMax = read.value(
      "DEVICE_CODE_ATTEMPTS_PER_USER_MAX", default: 20, in: 2...1_000_000,
      "Device codes one person may enter in a quarter of an hour; to confirm one counts again.")
    attemptsPerAddressMax = read.value(
      "DEVICE_CODE_ATTEMPTS_PER_ADDRESS_MAX", default: 100, in: 1...1_000_000,
      "The same for all who share a client address.")
  }
}

/// Counts user codes per person and per address, under keyed digests.
///
/// Right ones, too: whoever could start afresh with a code of a device of their own would have no limit at all.
struct DeviceThrottle: Sendable {
  let settings: DeviceSettings
  let counters: any Counters

  /// Counts a try before its code is looked up, so that of many at the same time no more get an answer.
  func begin(_ user: UserID, address: String, in tenant: Tenant) async -> Bool {
    let window = DeviceSettings.windowSeconds
    let byUser = await counters.increment(name("user", "\(user)", tenant), windowSeconds: window)
    let byAddress = await counters.increment(
      name("address", address, tenant), windowSeconds: window)
    return byUser <= settings.attemptsPerUserMax && byAddress <= settings.attemptsPerAddressMax
  }

  private func name(_ kind: String, _ value: String, _ tenant: Tenant) -> String {
    let key = tenant.key.macKey(.throttle)
    return "device:" + Base64URL.encode(key.sha256("device \(kind)\n\(value)"))
  }
}
