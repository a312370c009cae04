import Cryptography
import FoundationEssentials
import HTTPTypes
import Platform
import Tenancy
import Web

/// A device authorization (RFC 8628): the payload of its row, which is found by the user code's digest.
struct DeviceCode: Sendable, Equatable {
  static let lifetimeSeconds = 600
  static let intervalSeconds = 5

  enum State: String, Sendable { case pending, approved, denied }

  let client: ClientID
  let scope: OAuthScope
  /// What tokens may be for; empty if the request named none (RFC 8707).
  let resources: [String]
  let state: State
  /// How far apart polls must be now; it grows with every one that comes too early.
  let intervalSeconds: Int
  /// Whether the last poll came too early.
  let isHurried: Bool
  /// The family that will start.
  let family: ID<TokenFamily>
  let approval: Approval?

  /// How the person who approved was signed in.
  struct Approval: Sendable, Equatable {
    let authenticatedAt: Date
    let acr: String
    let amr: [String]
  }

  /// A row as a poll or a page finds it.
  struct Stored: Sendable, Equatable {
    let user: UserID?
    let code: DeviceCode
    let expiresAt: Date
    let consumedAt: Date?
  }
}

/// The text a device polls with: which row, and 256 bits that only the device has.
struct DeviceCodeText: Sendable {
  let row: [UInt8]
  let secret: [UInt8]

  init(row: [UInt8], secret: [UInt8]) {
    self.row = row
    self.secret = secret
  }

  init?(_ text: String) {
    guard let bytes = Base64URL.decode(text), bytes.count == 64 else { return nil }
    self.init(row: Array(bytes[..<32]), secret: Array(bytes[32...]))
  }

  var text: String { Base64URL.encode(row + secret) }
  var secretHash: String { Base64URL.encode(SHA2.sha256(secret)) }
}

extension DeviceCode {
  /// What a poll is told (RFC 8628 section 3.5).
  enum PollDecision: Sendable, Equatable {
    case issue
    case refuse(OAuthError)
  }

  struct Malformed: Error {}

  /// A new one as it is stored.
  static func payload(
    client: ClientID, scope: OAuthScope, resources: [String], family: ID<TokenFamily>,
    secretHash: String
  ) -> JSON {
    [
      "client_id": .string(client.text), "scope": .string(scope.description),
      "resources": .strings(resources), "family_id": .string(family.description),
      "secret_hash": .string(secretHash), "state": .string(State.pending.rawValue),
      "interval": .integer(intervalSeconds),
      "hurried": false,
    ]
  }

  init(_ payload: JSON) throws {
    guard let client = payload["client_id"]?.stringValue.flatMap({ ClientID($0) }),
      let scope = payload["scope"]?.stringValue.flatMap({ OAuthScope(stored: $0) }),
      let state = payload["state"]?.stringValue.flatMap({ State(rawValue: $0) }),
      let interval = payload["interval"]?.integerValue,
      let isHurried = payload["hurried"]?.boolValue,
      let family = payload["family_id"]?.stringValue.flatMap({ ID<TokenFamily>($0) })
    else { throw Malformed() }
    self.init(
      client: client, scope: scope,
      resources: payload["resources"]?.arrayValue?.compactMap(\.stringValue) ?? [], state: state,
      intervalSeconds: interval, isHurried: isHurried, family: family,
      approval: Approval(payload))
  }
}

extension DeviceCode.Approval {
  init?(_ payload: JSON) {
    guard let time = payload["auth_time"]?.stringValue.flatMap({ Date(rfc3339: $0) }),
      let acr = payload["acr"]?.stringValue, let amr = payload["amr"]?.arrayValue
    else { return nil }
    self.init(authenticatedAt: time, acr: acr, amr: amr.compactMap(\.stringValue))
  }

  /// What approving adds to the payload.
  var payload: JSON {
    [
      "state": .string(DeviceCode.State.approved.rawValue),
      "auth_time": .string(authenticatedAt.rfc3339), "acr": .string(acr), "amr": .strings(amr),
    ]
  }
}

extension DeviceCode.Stored {
  /// No I/O, so every branch is a row in a unit test.
  func decision(resources: ResourceIndicators, now: Date) -> DeviceCode.PollDecision {
    guard consumedAt == nil else { return .refuse(.invalidGrant("device code reused")) }
    guard now < expiresAt else { return .refuse(.expiredDeviceCode) }
    switch code.state {
    case .denied: return .refuse(.deviceDenied)
    case .approved:
      return resources.narrows(code.resources) ? .issue : .refuse(.invalidTarget)
    case .pending: return .refuse(code.isHurried ? .slowDown : .authorizationPending)
    }
  }

  /// Whether a person can still decide.
  func isOpen(now: Date) -> Bool {
    consumedAt == nil && now < expiresAt && code.state == .pending
  }
}

extension OAuthError {
  static let authorizationPending = OAuthError(
    .authorizationPending, "The person has not decided yet.")
  static let slowDown = OAuthError(
    .slowDown, "Poll less often: the interval has grown by five seconds.")
  static let expiredDeviceCode = OAuthError(
    .expiredToken, "The device code has expired; start again.")
  /// RFC 8628 section 3.5 gives it the status of every error of the token endpoint.
  static let deviceDenied = OAuthError(
    .accessDenied, "The person has denied the request.", status: .badRequest)
}
