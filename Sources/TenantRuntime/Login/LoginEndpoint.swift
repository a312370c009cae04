import Cryptography
import HTTPTypes
import Hummingbird
import Platform
import Tenancy
import Web

/// `GET` and `POST /login`: the sign-in page (our page; RFC 6749 section 3.1 leaves it to the server).
struct LoginEndpoint: TenantEndpoint {
  static let identifierBytesMax = 320

  let users: UserStore
  let authorizations: AuthorizationReader
  let sessions: Sessions
  let throttle: LoginThrottle
  let audit: AuditRecorder
  let forms: FormGuards
  let pages: Pages
  let metrics: RuntimeMetrics
  let admission: SignInAdmission

  func mount(on routes: some RouterMethods<TenantContext>) {
    routes.get("login", use: show)
    routes.post("login", use: signIn)
  }

  func show(_ request: Request, in context: TenantContext) async throws -> Response {
    try admission.check()
    let visit = try await visit(Query(request), in: context.tenant)
    return try page(visit, identifier: visit.loginHint, notice: nil, request, context)
  }

  func signIn(_ request: Request, in context: TenantContext) async throws -> Response {
    let form = try await Form(request, limit: 32 * 1024)
    let visit = try await visit(form, in: context.tenant)
    try forms.guarding(context.tenant).verify(request, form, binding: "")
    guard let identifier = try form.optional("username", max: Self.identifierBytesMax),
      let password = try form.optional("password").map({ Secret($0) })
    else {
      return try page(
        visit, identifier: try form.optional("username", max: Self.identifierBytesMax),
        notice: .incomplete, request, context)
    }
    try await context.charge(
      context.limits.charge(.signIn, context.clientAddress, in: context.tenant),
      context.limits.charge(
        .user, .name(BlindIndex.username.normalise(identifier) ?? ""), in: context.tenant))
    let (attempt, decision) = await throttle.begin(
      identifier: identifier, address: context.clientAddress?.subscriber.description ?? "",
      in: context.tenant)
    if let refusal = LoginNotice(decision) {
      return try page(visit, identifier: identifier, notice: refusal, request, context)
    }
    do {
      let candidate = try await users.findForSignIn(identifier, in: context.tenant)
      let isRight = try await users.verify(password, of: candidate)
      let (tries, counted) = await throttle.count(attempt)
      let refusal = LoginNotice(counted) ?? (isRight ? nil : .wrong)
      guard refusal == nil, let user = candidate?.user else {
        await throttle.failed(attempt, tries: tries)
        try await record(.failure, candidate?.user, request, context)
        return try page(visit, identifier: identifier, notice: refusal ?? .wrong, request, context)
      }
      await throttle.succeeded(attempt)
      let old = try await sessions.current(request, in: context.tenant)
      let cookies = try await sessions.start(
        for: user, replacing: old, in: context.tenant,
        origin: context.origin(request, actor: .user(user.id)))
      try await record(.success, user, request, context)
      metrics.signIn(.success)
      let path = visit.continuation.path(issuerPath: context.tenant.issuerPath)
      return Redirect(to: path, cookies: cookies).response(from: request, context: context)
    } catch PasswordHashError.busy {
      let notice = LoginNotice.busy(seconds: admission.retryAfterSeconds())
      return try page(visit, identifier: identifier, notice: notice, request, context)
    }
  }

  /// What the page is for: where the user wants to go, and for which application.
  private struct Visit {
    let continuation: Continuation
    let loginHint: String?
    let client: Client?
    let forms: FormTargets
  }

  private func visit(_ parameters: some Web.Parameters, in tenant: Tenant) async throws -> Visit {
    let continuation: Continuation
    if let text = try parameters.optional("continue") {
      guard let parsed = Continuation(text, issuerPath: tenant.issuerPath) else {
        throw OAuthError.invalidRequest("This sign-in link is not valid.", detail: "continue")
      }
      continuation = parsed
    } else {
      continuation = Continuation(page: .privacy, query: "")
    }
    guard continuation.page == .authorize else {
      return Visit(continuation: continuation, loginHint: nil, client: nil, forms: .ownOrigin)
    }
    let request = AuthorizationParameters(try Query(continuation.query))
    let (client, redirect) = try await authorizations.redirect(request, in: tenant)
    return Visit(
      continuation: continuation, loginHint: request.values["login_hint"],
      client: client, forms: .redirecting(to: redirect.uri))
  }

  private func page(
    _ visit: Visit, identifier: String?, notice: LoginNotice?, _ request: Request,
    _ context: TenantContext
  ) throws -> Response {
    if let notice { metrics.signIn(RuntimeMetrics.SignIn(notice)) }
    let tenant = context.tenant
    let ticket = forms.guarding(tenant).ticket(for: request, binding: "")
    var username = FormField("username", "E-mail or user name")
    username.value = identifier.map { String($0.prefix(Self.identifierBytesMax)) }
    username.autocomplete = "username"
    username.isFocused = identifier == nil
    var password = FormField("password", "Password", .password)
    password.autocomplete = "current-password"
    password.isFocused = identifier != nil
    let page = try pages.render(
      .login, title: "Sign in", owner: tenant.pageOwner,
      [
        "action": .string(tenant.path("login")), "csrf": .string(ticket.value),
        "continue": .string(visit.continuation.path(issuerPath: tenant.issuerPath)),
        "organization": .string(tenant.name), "application": .optional(visit.client?.displayName),
        "client": visit.client?.pageMembers ?? .null,
        "confirm": .bool(visit.continuation.page.needsFreshSession),
        "notice": notice?.notice.json ?? .null, "username": username.json,
        "password": password.json,
      ],
      status: notice?.status ?? .ok, forms: visit.forms, image: visit.client?.logo,
      cookies: [ticket.cookie])
    var response = page.response(from: request, context: context)
    if let seconds = notice?.retryAfterSeconds { response.headers[.retryAfter] = "\(seconds)" }
    return response
  }

  /// Success and failure alike; a name nobody has is not recorded, since people type passwords there.
  private func record(
    _ outcome: AuditOutcome, _ user: User?, _ request: Request, _ context: TenantContext
  ) async throws {
    let actor = outcome == .success ? user.map { Actor.user($0.id) } ?? .anonymous : .anonymous
    try await audit.record(
      AuditEvent(
        .signIn, outcome, origin: context.origin(request, actor: actor),
        subject: user?.auditSubject, detail: ["method": "password"]),
      tenant: context.tenant)
  }
}

/// Why the sign-in page is shown again, in a sentence that never tells whether the account exists.
enum LoginNotice: Equatable {
  case incomplete
  case wrong
  case busy(seconds: Int)
  case wait(seconds: Int)
  case locked(seconds: Int)

  init?(_ decision: ThrottleDecision) {
    switch decision {
    case .proceed: return nil
    case .wait(let seconds): self = .wait(seconds: seconds)
    case .locked(let seconds): self = .locked(seconds: seconds)
    }
  }

  var status: HTTPResponse.Status {
    switch self {
    case .incomplete: .badRequest
    case .wrong: .forbidden
    case .busy: .serviceUnavailable
    case .wait, .locked: .tooManyRequests
    }
  }

  var retryAfterSeconds: Int? {
    switch self {
    case .incomplete, .wrong: nil
    case .busy(let seconds), .wait(let seconds), .locked(let seconds): seconds
    }
  }

  var notice: Notice {
    switch self {
    case .incomplete:
      Notice(.danger, "Enter your user name and your password.")
    case .wrong:
      Notice(.danger, "User name or password is not right.")
    case .busy:
      Notice(.warning, "Many people are signing in at the moment. Try again in a few seconds.")
    case .wait(let seconds):
      Notice(
        .warning, "Please wait \(seconds == 1 ? "a second" : "\(seconds) seconds"), then try again."
      )
    case .locked(let seconds):
      Notice(
        .danger,
        "Too many attempts. For your protection, sign-in is locked; try again in \(max(1, (seconds + 59) / 60)) minutes."
      )
    }
  }
}

extension RuntimeMetrics.SignIn {
  init(_ notice: LoginNotice) {
    self =
      switch notice {
      case .incomplete: .incomplete
      case .wrong: .failure
      case .busy: .busy
      case .wait: .throttled
      case .locked: .locked
      }
  }
}
