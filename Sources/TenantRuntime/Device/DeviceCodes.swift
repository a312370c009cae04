import Compliance
import Database
import FoundationEssentials
import Platform
import Tenancy
import Web

/// Begins device authorizations, and carries what people decide about them (RFC 8628).
struct DeviceCodes: Sendable {
  let database: Database
  let consents: Consents
  let audit: AuditRecorder
  let clock: WallClock
  let random: RandomSource

  func begin(
    scope: OAuthScope, resources: ResourceIndicators, client: Client, in tenant: Tenant
  ) async throws -> (device: DeviceCodeText, user: UserCode) {
    let now = clock.now()
    let expiresAt = now.addingTimeInterval(Double(DeviceCode.lifetimeSeconds))
    // A code that is in use is drawn about once in a billion times.
    for _ in 0..<4 {
      let user = UserCode(random)
      let device = DeviceCodeText(row: user.hash(in: tenant), secret: random.bytes(32))
      let payload = DeviceCode.payload(
        client: client.id, scope: scope, resources: resources.uris,
        family: .generate(clock, random), secretHash: device.secretHash)
      let insert = InsertDeviceCode(
        hash: device.row, payload: payload, now: now, expiresAt: expiresAt)
      if try await database.run(insert, in: tenant.schema) == 1 { return (device, user) }
    }
    throw OAuthError.temporarilyUnavailable("no free user code")
  }

  /// What a user code stands for, while somebody can decide about it.
  func find(_ code: UserCode, in tenant: Tenant) async throws -> DeviceCode? {
    let find = FindDeviceCode(hash: code.hash(in: tenant))
    guard let stored = try await database.first(find, in: tenant.schema),
      stored.isOpen(now: clock.now())
    else { return nil }
    return stored.code
  }

  /// Approves in the name of the signed-in person; consent and approval stand or fall together.
  ///
  /// False if it was decided or has expired meanwhile.
  func approve(
    _ code: UserCode, _ device: DeviceCode, by session: Session, in tenant: Tenant,
    origin: AuditOrigin
  ) async throws -> Bool {
    let approval = DeviceCode.Approval(
      authenticatedAt: session.authenticatedAt, acr: session.acr, amr: session.amr)
    let decide = DecideDeviceCode(
      hash: code.hash(in: tenant), user: session.user, decision: approval.payload,
      now: clock.now())
    return try await database.transaction(in: tenant.schema) { tx in
      guard try await tx.run(decide) == 1 else { return false }
      let granted = try await consents.grantedScope(
        of: session.user, client: device.client.text, in: tx, tenant: tenant
      ).flatMap { OAuthScope(stored: $0) }
      let scope = device.scope.union(granted ?? .none)
      try await consents.record(
        ConsentDecision(
          .granted, .application(device.client, scope: scope.description),
          language: PurposeChoices.language, method: .consentPage),
        of: session.user, in: tx, tenant: tenant, origin: origin)
      try await audit.record(
        event(.authorizationGranted, .success, device, session, origin), in: tx, tenant: tenant)
      return true
    }
  }

  func deny(
    _ code: UserCode, _ device: DeviceCode, by session: Session, in tenant: Tenant,
    origin: AuditOrigin
  ) async throws {
    let decide = DecideDeviceCode(
      hash: code.hash(in: tenant), user: session.user,
      decision: ["state": .string(DeviceCode.State.denied.rawValue)], now: clock.now())
    try await database.transaction(in: tenant.schema) { tx in
      guard try await tx.run(decide) == 1 else { return }
      try await audit.record(
        event(.authorizationDenied, .failure, device, session, origin), in: tx, tenant: tenant)
    }
  }

  private func event(
    _ action: AuditAction, _ outcome: AuditOutcome, _ device: DeviceCode, _ session: Session,
    _ origin: AuditOrigin
  ) -> AuditEvent {
    AuditEvent(
      action, outcome, origin: origin, subject: AuditSubject(id: session.user, key: nil),
      detail: [
        "client_id": .string(device.client.text), "scope": .string(device.scope.description),
        "flow": "device",
      ])
  }
}
