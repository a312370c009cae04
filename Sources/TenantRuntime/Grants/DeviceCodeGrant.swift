import Database
import Platform
import Tenancy
import Web

/// `urn:ietf:params:oauth:grant-type:device_code` (RFC 8628 section 3.4).
struct DeviceCodeGrant: Grant {
  static let type = ClientGrantType.deviceCode

  let database: Database
  let issuer: TokenIssuer
  let clock: WallClock

  struct Parameters: FormDecodable {
    let code: DeviceCodeText?
    let resources: ResourceIndicators

    init(_ form: Form) throws(OAuthError) {
      code = DeviceCodeText(try form.required("device_code"))
      resources = try ResourceIndicators(form.all("resource"))
    }
  }

  func exchange(_ parameters: Parameters, for request: TokenRequest) async throws -> TokenSet {
    guard let code = parameters.code else {
      throw OAuthError.invalidGrant("malformed device code")
    }
    try issuer.audiences.require(parameters.resources, for: request.client, in: request.tenant)
    let now = clock.now()
    let poll = PollDeviceCode(
      hash: code.row, secretHash: code.secretHash, client: request.client.id, now: now)
    guard let stored = try await database.first(poll, in: request.tenant.schema) else {
      throw OAuthError.invalidGrant("unknown device code")
    }
    switch stored.decision(resources: parameters.resources, now: now) {
    case .refuse(let error): throw error
    case .issue: return try await redeem(code, stored.code, parameters.resources, request)
    }
  }

  private func redeem(
    _ code: DeviceCodeText, _ device: DeviceCode, _ resources: ResourceIndicators,
    _ request: TokenRequest
  ) async throws -> TokenSet {
    let now = clock.now()
    let refreshes = request.client.allows(.refreshToken)
    let consume = ConsumeDeviceCode(
      hash: code.row, secretHash: code.secretHash, client: request.client.id,
      generation: refreshes ? 1 : 0,
      expiresAt: issuer.familyExpiry(from: now, refreshes: refreshes, request.tenant), now: now)
    guard let approval = device.approval,
      let user = try await database.first(consume, in: request.tenant.schema)
    else { throw OAuthError.invalidGrant("device code used, or user no longer active") }
    return try await issuer.issue(
      TokenGrant(
        family: device.family, user: user, session: nil, scope: device.scope,
        authenticatedAt: approval.authenticatedAt, acr: approval.acr, amr: approval.amr,
        nonce: nil, refreshGeneration: refreshes ? 1 : nil,
        resources: resources.chosen(from: device.resources)),
      scope: device.scope, client: request.client, in: request.tenant)
  }
}
