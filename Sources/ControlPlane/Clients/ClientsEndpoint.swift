import HTTPTypes
import Hummingbird
import Platform
import Tenancy
import Web

/// `/admin/v1/organizations/{id}/clients`: metadata in the names of RFC 7591; `PUT` as in RFC 7592
/// section 2.2.
struct ClientsEndpoint: DocumentedEndpoint {
  let organizations: Organizations
  let clients: Clients
  let idempotency: Idempotency

  typealias Context = AdminContext

  private static let list = "organizations/{organization}/clients"
  private static let one = "organizations/{organization}/clients/{client}"
  private static let answer = Schema.named("Client")

  var operations: [Operation<AdminContext>] {
    [
      Operation(
        .post, Self.list, id: "createClient", "Register a client; its secret is shown once.",
        scope: .clientsWrite, headers: [.idempotencyKey], body: Client.metadataMembers,
        answers: [.init(.created, "The client, with its secret.", Self.answer)],
        refusals: [.notFound], handle: create),
      Operation(
        .get, Self.list, id: "listClients", "List the clients.", scope: .clientsRead,
        query: [.limit, .cursor],
        answers: [.init(.ok, "A page.", .page("clients", of: Self.answer))],
        refusals: [.badRequest, .notFound], handle: list),
      Operation(
        .get, Self.one, id: "getClient", "Show a client, without its secret.", scope: .clientsRead,
        answers: [.init(.ok, "The client.", Self.answer)], refusals: [.notFound], handle: get),
      Operation(
        .patch, Self.one, id: "updateClient",
        "Change metadata (RFC 7396: null goes back to the default).", scope: .clientsWrite,
        headers: [.ifMatch], body: Client.metadataMembers,
        answers: [.init(.ok, "The client as it is now.", Self.answer)],
        refusals: [.notFound, .preconditionFailed], handle: update),
      Operation(
        .put, Self.one, id: "replaceClient",
        "Replace all metadata (RFC 7592 section 2.2); what is left out goes back to its default.",
        scope: .clientsWrite, headers: [.ifMatch], body: Client.metadataMembers,
        answers: [.init(.ok, "The client as it is now.", Self.answer)],
        refusals: [.notFound, .preconditionFailed], handle: replace),
      Operation(
        .delete, Self.one, id: "deleteClient", "Remove a client and everything granted to it.",
        scope: .clientsWrite, headers: [.ifMatch],
        answers: [.init(.noContent, "The client is gone.")],
        refusals: [.notFound, .preconditionFailed], handle: delete),
      Operation(
        .post, "\(Self.one)/secret", id: "rotateClientSecret",
        "Make a new secret; the one before is void at once.", scope: .clientsWrite,
        answers: [.init(.ok, "The client, with its new secret.", Self.answer)],
        refusals: [.notFound, .conflict], handle: rotate),
      Operation(
        .post, "\(Self.one)/disable", id: "disableClient",
        "Refuse the client and its tokens, until it is enabled again.", scope: .clientsWrite,
        answers: [.init(.ok, "The client as it is now.", Self.answer)],
        refusals: [.notFound]
      ) { try await set(.disabled, $0, $1) },
      Operation(
        .post, "\(Self.one)/enable", id: "enableClient", "Let the client in again.",
        scope: .clientsWrite, answers: [.init(.ok, "The client as it is now.", Self.answer)],
        refusals: [.notFound]
      ) { try await set(.active, $0, $1) },
    ]
  }

  func create(_ request: Request, _ context: AdminContext) async throws -> JSONResponse {
    let tenant = try await organizations.tenant(context.parameter("organization"))
    let body = try await AdminBody.read(request)
    let metadata = try Self.metadata(body)
    let claim = try idempotency.claim(request, body, in: context)
    let issued = try await clients.create(
      metadata, in: tenant, claim: claim, origin: context.origin)
    var answer = answer(issued, status: .created)
    answer.headers[.location] = "/admin/v1/organizations/\(tenant.id)/clients/\(issued.client.id)"
    return answer
  }

  func list(_ request: Request, _ context: AdminContext) async throws -> JSONResponse {
    let tenant = try await organizations.tenant(context.parameter("organization"))
    let paging = try AdminQuery(request, allowed: AdminQuery.paging).paging()
    let rows = try await clients.store.list(
      after: try paging.position(ClientID.self), limit: paging.limit + 1, in: tenant)
    return paging.answer("clients", rows, position: \.id.text, \.adminJSON)
  }

  func get(_ request: Request, _ context: AdminContext) async throws -> JSONResponse {
    let tenant = try await organizations.tenant(context.parameter("organization"))
    let client = try await clients.find(context.parameter("client"), in: tenant)
    return answer(ShownClient(client: client, secret: nil))
  }

  func update(_ request: Request, _ context: AdminContext) async throws -> JSONResponse {
    let tenant = try await organizations.tenant(context.parameter("organization"))
    let patch = try Self.object(await AdminBody.read(request))
    return answer(
      try await clients.update(
        context.parameter("client"), in: tenant, ifMatch: IfMatch(request), origin: context.origin
      ) { try $0.applying(patch) })
  }

  func replace(_ request: Request, _ context: AdminContext) async throws -> JSONResponse {
    let tenant = try await organizations.tenant(context.parameter("organization"))
    let id = try context.parameter("client")
    var body = try Self.object(await AdminBody.read(request))
    // RFC 7592 section 2.2: the request names the client it is for; the rest is not the client's to set.
    if let named = body["client_id"], named.stringValue != id {
      throw Problem.validation([FieldError("client_id", "must be the client of the address.")])
    }
    for name in ["client_id", "client_id_issued_at", "status"] { body[name] = nil }
    let metadata = try Self.metadata(.object(body))
    return answer(
      try await clients.update(
        id, in: tenant, ifMatch: IfMatch(request), origin: context.origin
      ) { _ in metadata })
  }

  func delete(_ request: Request, _ context: AdminContext) async throws -> EmptyResponse {
    let tenant = try await organizations.tenant(context.parameter("organization"))
    try await clients.delete(
      context.parameter("client"), in: tenant, ifMatch: IfMatch(request), origin: context.origin)
    return EmptyResponse()
  }

  func rotate(_ request: Request, _ context: AdminContext) async throws -> JSONResponse {
    let tenant = try await organizations.tenant(context.parameter("organization"))
    try await AdminBody.readNothing(request)
    return answer(
      try await clients.rotateSecret(
        context.parameter("client"), in: tenant, origin: context.origin))
  }

  private func set(_ status: ClientStatus, _ request: Request, _ context: AdminContext)
    async throws -> JSONResponse
  {
    let tenant = try await organizations.tenant(context.parameter("organization"))
    try await AdminBody.readNothing(request)
    return answer(
      try await clients.setStatus(
        status, of: context.parameter("client"), in: tenant, origin: context.origin))
  }

  private func answer(_ issued: ShownClient, status: HTTPResponse.Status = .ok) -> JSONResponse {
    // RFC 7591 section 3.2.1.
    JSONResponse(
      status, .object(issued.json), headers: [.cacheControl: "no-store"], etag: issued.client.etag)
  }

  private static func object(_ body: JSON) throws(Problem) -> JSONObject {
    guard let object = body.objectValue else {
      throw .badRequest("The body must be a JSON object.")
    }
    return object
  }

  private static func metadata(_ body: JSON) throws(Problem) -> ClientMetadata {
    do {
      return try ClientMetadata(validating: object(body))
    } catch let errors as ClaimErrors {
      throw errors.problem
    } catch let problem as Problem {
      throw problem
    } catch {
      throw .internalError(reason: String(reflecting: error))
    }
  }
}
