import HTTPTypes
import Hummingbird
import Platform
import Tenancy
import Web

/// `GET` and `POST /device`: a signed-in person enters the code a device shows, reads who asks for what, and
/// decides (RFC 8628 section 3.3).
struct DeviceEndpoint: TenantEndpoint {
  let personal: PersonalPage
  let codes: DeviceCodes
  let throttle: DeviceThrottle
  let clients: ClientStore
  let users: UserStore
  let pages: Pages

  func mount(on routes: some RouterMethods<TenantContext>) {
    routes.get("device", use: show)
    routes.post("device", use: submit)
  }

  /// The code of `verification_uri_complete` is filled in and not acted on: the person compares it first
  /// (section 3.3.1).
  func show(_ request: Request, in context: TenantContext) async throws -> Response {
    let typed = try Query(request).optional("user_code", max: UserCode.inputBytesMax)
    let query = typed.map { "user_code=\(FormEncoding.encode($0))" } ?? ""
    return try await personal.open(.device, query: query, fresh: false, request, context) {
      session in
      try entry(typed, notice: nil, session, request, context)
    }
  }

  func submit(_ request: Request, in context: TenantContext) async throws -> Response {
    try await personal.submit(.device, fresh: false, request, context) { session, form in
      let typed = try form.optional("user_code", max: UserCode.inputBytesMax)
      guard
        await throttle.begin(
          session.user, address: context.clientAddress?.subscriber.description ?? "",
          in: context.tenant)
      else { return try entry(typed, notice: .tooMany, session, request, context) }
      guard let code = typed.flatMap({ UserCode($0) }),
        let device = try await codes.find(code, in: context.tenant),
        let client = try await clients.find(device.client, in: context.tenant), client.isActive
      else { return try entry(typed, notice: .unknown, session, request, context) }
      guard let decision = try form.optional("decision") else {
        return try await confirmation(code, device, client, session, request, context)
      }
      return try await decide(decision, code, device, client, session, request, context)
    }
  }

  private func decide(
    _ decision: String, _ code: UserCode, _ device: DeviceCode, _ client: Client,
    _ session: Session, _ request: Request, _ context: TenantContext
  ) async throws -> Response {
    let tenant = context.tenant
    let origin = context.origin(request, actor: .user(session.user))
    switch decision {
    case "accept":
      guard try await codes.approve(code, device, by: session, in: tenant, origin: origin) else {
        return try entry(code.text, notice: .unknown, session, request, context)
      }
      return try done(isAllowed: true, client, context, request)
    case "deny":
      try await codes.deny(code, device, by: session, in: tenant, origin: origin)
      return try done(isAllowed: false, client, context, request)
    default:
      throw OAuthError.invalidRequest("decision must be accept or deny.")
    }
  }

  // MARK: Pages

  private func entry(
    _ typed: String?, notice: DeviceNotice?, _ session: Session, _ request: Request,
    _ context: TenantContext
  ) throws -> Response {
    let tenant = context.tenant
    let ticket = personal.ticket(session, request, tenant)
    var field = FormField("user_code", "Code")
    field.value = typed
    field.hint = "As your device shows it: eight letters."
    field.autocomplete = "off"
    field.isFocused = true
    let page = try pages.render(
      .device, title: "Connect a device", owner: tenant.pageOwner,
      [
        "action": .string(tenant.path("device")), "csrf": .string(ticket.value),
        "organization": .string(tenant.name), "notice": notice?.notice.json ?? .null,
        "code": field.json,
      ],
      status: notice?.status ?? .ok, cookies: [ticket.cookie])
    return page.response(from: request, context: context)
  }

  private func confirmation(
    _ code: UserCode, _ device: DeviceCode, _ client: Client, _ session: Session,
    _ request: Request, _ context: TenantContext
  ) async throws -> Response {
    let tenant = context.tenant
    let ticket = personal.ticket(session, request, tenant)
    let user = try await users.find(session.user, in: tenant)
    let scopes = device.scope.tokens.map { token -> JSON in
      let words = ScopeWords(token)
      return ["label": .string(words.label), "hint": .optional(words.hint)]
    }
    let page = try pages.render(
      .deviceConfirm, title: "Connect a device", owner: tenant.pageOwner,
      [
        "action": .string(tenant.path("device")), "csrf": .string(ticket.value),
        "user": .string(user?.claims.displayName ?? "You"),
        "application": .string(client.displayName), "client": client.pageMembers,
        "user_code": .string(code.text), "scopes": .array(scopes),
        "resources": .strings(device.resources), "privacy": .string(tenant.path("privacy")),
      ], image: client.logo, cookies: [ticket.cookie])
    return page.response(from: request, context: context)
  }

  private func done(
    isAllowed: Bool, _ client: Client, _ context: TenantContext, _ request: Request
  ) throws -> Response {
    let page = try pages.render(
      .deviceDone, title: isAllowed ? "Device connected" : "Request denied",
      owner: context.tenant.pageOwner,
      ["allowed": .bool(isAllowed), "application": .string(client.displayName)])
    return page.response(from: request, context: context)
  }
}

/// Why the page asks for the code again; an expired code and one that never was look the same.
enum DeviceNotice {
  case unknown
  case tooMany

  var status: HTTPResponse.Status {
    switch self {
    case .unknown: .badRequest
    case .tooMany: .tooManyRequests
    }
  }

  var notice: Notice {
    switch self {
    case .unknown:
      Notice(.danger, "This code is not valid, or not any more. Compare it with your device.")
    case .tooMany:
      Notice(.danger, "Too many codes. Try again in a quarter of an hour.")
    }
  }
}
