import HTTPTypes
import Hummingbird
import Platform
import Tenancy
import Web

/// `/admin/v1/organizations/{id}/users`: claims in the names of OpenID Connect Core section 5.1.
struct UsersEndpoint: DocumentedEndpoint {
  let organizations: Organizations
  let users: Users
  let idempotency: Idempotency

  typealias Context = AdminContext

  private static let list = "organizations/{organization}/users"
  private static let one = "organizations/{organization}/users/{user}"
  private static let answer = Schema.named("User")
  private static let password = SchemaMember.optional(
    "password", .string(length: Passwords.charactersMin...Passwords.bytesMax),
    "Write only; it is never in an answer.")

  var operations: [Operation<AdminContext>] {
    [
      Operation(
        .post, Self.list, id: "createUser", "Create a user.", scope: .usersWrite,
        headers: [.idempotencyKey], body: User.claimMembers + [Self.password],
        answers: [.init(.created, "The user.", Self.answer)],
        refusals: [.notFound, .conflict, .serviceUnavailable], handle: create),
      Operation(
        .get, Self.list, id: "listUsers", "List the users, or find one by e-mail or user name.",
        scope: .usersRead,
        query: [
          .limit, .cursor, .optional("email", .string()), .optional("username", .string()),
        ],
        answers: [.init(.ok, "A page.", .page("users", of: Self.answer))],
        refusals: [.badRequest, .notFound], handle: list),
      Operation(
        .get, Self.one, id: "getUser", "Show a user.", scope: .usersRead,
        answers: [.init(.ok, "The user.", Self.answer)], refusals: [.notFound], handle: get),
      Operation(
        .patch, Self.one, id: "updateUser",
        "Change claims (RFC 7396: null removes), status or password.", scope: .usersWrite,
        headers: [.ifMatch],
        body: User.claimMembers + [
          Self.password,
          .optional(
            "status", .string(oneOf: UserPatch.SettableStatus.allCases.map(\.rawValue))),
        ],
        answers: [.init(.ok, "The user as they are now.", Self.answer)],
        refusals: [.notFound, .conflict, .preconditionFailed, .serviceUnavailable], handle: update),
      Operation(
        .delete, Self.one, id: "deleteUser",
        "Take a user out of use at once and erase what is held about them.", scope: .usersWrite,
        headers: [.ifMatch],
        answers: [.init(.noContent, "The user is gone; a privacy request erases the rest.")],
        refusals: [.notFound, .preconditionFailed], handle: delete),
    ]
  }

  func create(_ request: Request, _ context: AdminContext) async throws -> JSONResponse {
    let tenant = try await organizations.tenant(context.parameter("organization"))
    let body = try await AdminBody.read(request)
    let draft = try UserDraft(body)
    let claim = try idempotency.claim(request, body, in: context)
    let user = try await users.create(draft, in: tenant, claim: claim, origin: context.origin)
    var answer = answer(user, status: .created)
    answer.headers[.location] = "/admin/v1/organizations/\(tenant.id)/users/\(user.id)"
    return answer
  }

  func list(_ request: Request, _ context: AdminContext) async throws -> JSONResponse {
    let tenant = try await organizations.tenant(context.parameter("organization"))
    let query = try AdminQuery(request, allowed: AdminQuery.paging.union(["email", "username"]))
    let paging = try query.paging()
    let rows =
      switch (try query.text("email"), try query.text("username")) {
      case (nil, nil):
        try await users.store.list(
          after: try paging.position(UserID.self), limit: paging.limit + 1, in: tenant)
      case (let email?, nil):
        try await users.store.find(email: email, in: tenant).map { [$0] } ?? []
      case (nil, let username?):
        try await users.store.find(username: username, in: tenant).map { [$0] } ?? []
      case (_?, _?):
        throw Problem.badRequest("Give email or username, not both.")
      }
    return paging.answer(
      "users", rows.filter { $0.status != .erasing }, position: \.id.description, \.adminJSON)
  }

  func get(_ request: Request, _ context: AdminContext) async throws -> JSONResponse {
    let tenant = try await organizations.tenant(context.parameter("organization"))
    return answer(try await users.find(context.parameter("user"), in: tenant))
  }

  func update(_ request: Request, _ context: AdminContext) async throws -> JSONResponse {
    let tenant = try await organizations.tenant(context.parameter("organization"))
    let patch = try UserPatch(await AdminBody.read(request))
    return answer(
      try await users.update(
        context.parameter("user"), patch, in: tenant, ifMatch: IfMatch(request),
        origin: context.origin))
  }

  func delete(_ request: Request, _ context: AdminContext) async throws -> EmptyResponse {
    let tenant = try await organizations.tenant(context.parameter("organization"))
    try await users.delete(
      context.parameter("user"), in: tenant, ifMatch: IfMatch(request), origin: context.origin)
    return EmptyResponse()
  }

  private func answer(_ user: User, status: HTTPResponse.Status = .ok) -> JSONResponse {
    JSONResponse(status, .object(user.adminJSON), etag: ETag(version: user.version))
  }
}
