import HTTPTypes
import Hummingbird
import Platform
import Tenancy
import Web

/// `/admin/v1/organizations/{id}/initial-access-tokens`: permissions to register clients (RFC 7591
/// section 1.2).
struct InitialAccessTokensEndpoint: DocumentedEndpoint {
  let organizations: Organizations
  let tokens: InitialAccessTokens

  typealias Context = AdminContext

  private static let list = "organizations/{organization}/initial-access-tokens"
  private static let answer = Schema.named("InitialAccessToken")

  var operations: [Operation<AdminContext>] {
    [
      Operation(
        .post, Self.list, id: "createInitialAccessToken",
        "Let somebody register clients; the token is shown once.", scope: .clientsWrite,
        body: [
          .optional("uses", .integer(1...InitialAccessTokens.usesMax), "1 unless given."),
          .optional(
            "expires_in", .integer(60...InitialAccessTokens.lifetimeSecondsMax),
            "Seconds; a day unless given."),
        ],
        answers: [.init(.created, "The token.", Self.answer)], refusals: [.notFound],
        handle: create),
      Operation(
        .get, Self.list, id: "listInitialAccessTokens", "List the tokens that can still be used.",
        scope: .clientsRead, query: [.limit, .cursor],
        answers: [.init(.ok, "A page.", .page("initial_access_tokens", of: Self.answer))],
        refusals: [.badRequest, .notFound], handle: list),
      Operation(
        .delete, "\(Self.list)/{token}", id: "deleteInitialAccessToken", "Take a token back.",
        scope: .clientsWrite, answers: [.init(.noContent, "The token is void.")],
        refusals: [.notFound], handle: delete),
    ]
  }

  func create(_ request: Request, _ context: AdminContext) async throws -> JSONResponse {
    let tenant = try await organizations.tenant(context.parameter("organization"))
    var fields = try Fields(await AdminBody.read(request))
    let uses = fields.optionalInteger("uses", in: 1...InitialAccessTokens.usesMax)
    let seconds = fields.optionalInteger(
      "expires_in", in: 60...InitialAccessTokens.lifetimeSecondsMax)
    try fields.finish()
    let (token, secret) = try await tokens.create(
      uses: uses ?? 1, lifetimeSeconds: seconds ?? 86_400, in: tenant, origin: context.origin)
    var answer = token.json
    answer["initial_access_token"] = .string(secret.reveal())
    return JSONResponse(.created, .object(answer), headers: [.cacheControl: "no-store"])
  }

  func list(_ request: Request, _ context: AdminContext) async throws -> JSONResponse {
    let tenant = try await organizations.tenant(context.parameter("organization"))
    let paging = try AdminQuery(request, allowed: AdminQuery.paging).paging()
    let rows = try await tokens.list(
      after: try paging.position(ID<InitialAccessToken>.self), limit: paging.limit + 1, in: tenant)
    return paging.answer("initial_access_tokens", rows, position: \.id.description, \.json)
  }

  func delete(_ request: Request, _ context: AdminContext) async throws -> EmptyResponse {
    let tenant = try await organizations.tenant(context.parameter("organization"))
    guard let id = ID<InitialAccessToken>(try context.parameter("token")),
      try await tokens.delete(id, in: tenant, origin: context.origin)
    else { throw Problem.notFound("There is no such initial access token.") }
    return EmptyResponse()
  }
}

extension InitialAccessToken {
  static let schema = Schema.object([
    .required("id", .id), .required("uses_left", .integer()), .required("created_at", .time),
    .required("expires_at", .time),
    .optional("initial_access_token", .string(), "Once, in the answer that made it."),
  ])
}
