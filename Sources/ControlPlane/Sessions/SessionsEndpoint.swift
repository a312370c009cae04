import HTTPTypes
import Hummingbird
import Platform
import Tenancy
import Web

/// `/admin/v1/organizations/{id}/users/{user}/sessions` and `…/clients/{client}/grants`: who is signed in,
/// and the end of it (our policy; tokens are refused at once, applications are told by back channel).
struct SessionsEndpoint: DocumentedEndpoint {
  let organizations: Organizations
  let users: Users
  let clients: Clients
  let revocations: Revocations

  typealias Context = AdminContext

  private static let list = "organizations/{organization}/users/{user}/sessions"
  private static let grants = "organizations/{organization}/clients/{client}/grants"
  private static let notFound = Problem.notFound("There is no such session.")

  var operations: [Operation<AdminContext>] {
    [
      Operation(
        .get, Self.list, id: "listSessions", "List where a user is signed in, newest first.",
        scope: .usersRead,
        answers: [.init(.ok, "All of them.", .page("sessions", of: .named("Session")))],
        refusals: [.notFound], handle: show),
      Operation(
        .delete, Self.list, id: "revokeUser",
        "Revoke everything of a user: sessions, codes and every grant.", scope: .usersWrite,
        answers: [.init(.noContent, "The user is signed out everywhere.")],
        refusals: [.notFound], handle: revokeUser),
      Operation(
        .delete, "\(Self.list)/{session}", id: "revokeSession",
        "Revoke everything of a session: its codes and every grant.", scope: .usersWrite,
        answers: [.init(.noContent, "The session has ended.")], refusals: [.notFound],
        handle: revokeSession),
      Operation(
        .delete, Self.grants, id: "revokeClient",
        "Revoke every grant, code and token of a client; the client stays.",
        scope: .clientsWrite, answers: [.init(.noContent, "Nothing granted is left.")],
        refusals: [.notFound], handle: revokeClient),
    ]
  }

  func show(_ request: Request, _ context: AdminContext) async throws -> JSONResponse {
    let tenant = try await organizations.tenant(context.parameter("organization"))
    let user = try await users.find(context.parameter("user"), in: tenant)
    let sessions = try await revocations.sessions(of: user, in: tenant)
    return JSONResponse(
      .ok, ["sessions": .array(sessions.map { .object($0.json) }), "next_cursor": .null])
  }

  func revokeUser(_ request: Request, _ context: AdminContext) async throws -> EmptyResponse {
    let tenant = try await organizations.tenant(context.parameter("organization"))
    let user = try await users.find(context.parameter("user"), in: tenant)
    _ = try await revocations.revokeEverything(of: user.id, in: tenant, origin: context.origin)
    return EmptyResponse()
  }

  func revokeSession(_ request: Request, _ context: AdminContext) async throws -> EmptyResponse {
    let tenant = try await organizations.tenant(context.parameter("organization"))
    let user = try await users.find(context.parameter("user"), in: tenant)
    guard let session = ID<Session>(try context.parameter("session")) else { throw Self.notFound }
    let revoked = try await revocations.revoke(
      session, of: user.id, in: tenant, origin: context.origin)
    guard revoked.sessions > 0 else { throw Self.notFound }
    return EmptyResponse()
  }

  func revokeClient(_ request: Request, _ context: AdminContext) async throws -> EmptyResponse {
    let tenant = try await organizations.tenant(context.parameter("organization"))
    let client = try await clients.find(context.parameter("client"), in: tenant)
    _ = try await revocations.revokeEverything(of: client.id, in: tenant, origin: context.origin)
    return EmptyResponse()
  }
}

extension ListedSession {
  static let schema = Schema.object([
    .required("id", .id, "What applications know as sid."),
    .required("auth_time", .time), .required("acr", .string()),
    .required("amr", .array(.string())), .required("created_at", .time),
    .required("expires_at", .time), .required("ip_address", .nullable(.string())),
    .required("user_agent", .nullable(.string())),
  ])

  var json: JSONObject {
    [
      "id": .string(session.id.description), "auth_time": .string(session.authenticatedAt.rfc3339),
      "acr": .string(session.acr), "amr": .strings(session.amr),
      "created_at": .string(session.createdAt.rfc3339),
      "expires_at": .string(session.expiresAt.rfc3339), "ip_address": .optional(ipAddress),
      "user_agent": .optional(userAgent),
    ]
  }
}
