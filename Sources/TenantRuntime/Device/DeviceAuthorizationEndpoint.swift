import Hummingbird
import Platform
import Tenancy
import Web

/// `POST /oauth2/device`: a device begins (RFC 8628 section 3.1).
struct DeviceAuthorizationEndpoint: TenantEndpoint {
  let authenticate: ClientAuthenticator
  let audiences: TokenAudiences
  let codes: DeviceCodes

  func mount(on routes: some RouterMethods<TenantContext>) {
    routes.post("oauth2/device", use: respond)
  }

  func respond(to request: Request, in context: TenantContext) async throws -> JSONResponse {
    let tenant = context.tenant
    let form = try await Form(request, limit: 32 * 1024)
    let client = try await authenticate(request.headers, form, in: context)
    guard client.allows(.deviceCode) else {
      throw OAuthError.unauthorizedClient("not registered for device_code")
    }
    // RFC 6749 section 3.3: a request that leaves it out fails, since there is no default.
    guard let text = try form.optional("scope") else { throw OAuthError.invalidScope }
    let scope = try ScopePolicy.requested(text, registered: client.metadata.scope)
    let resources = try ResourceIndicators(form.all("resource"))
    try audiences.require(resources, for: client, in: tenant)
    let (device, user) = try await codes.begin(
      scope: scope, resources: resources, client: client, in: tenant)
    let page = "\(tenant.issuer)/device"
    return JSONResponse(
      .ok,
      [
        "device_code": .string(device.text), "user_code": .string(user.text),
        "verification_uri": .string(page),
        "verification_uri_complete": .string("\(page)?user_code=\(user.text)"),
        "expires_in": .integer(DeviceCode.lifetimeSeconds),
        "interval": .integer(DeviceCode.intervalSeconds),
      ], headers: [.cacheControl: "no-store"])
  }
}
