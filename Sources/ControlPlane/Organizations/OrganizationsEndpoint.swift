import FoundationEssentials
import HTTPTypes
import Hummingbird
import Platform
import Tenancy
import Web

/// `/admin/v1/organizations` (our policy; conventions of the interface in `/docs`).
struct OrganizationsEndpoint: DocumentedEndpoint {
  let organizations: Organizations
  let directory: TenantDirectory
  let idempotency: Idempotency

  typealias Context = AdminContext

  private static let path = "organizations/{organization}"
  private static let answer = Schema.named("Organization")

  var operations: [Operation<AdminContext>] {
    [
      Operation(
        .post, "organizations", id: "createOrganization",
        "Create an organization with its schema, database role, keys and defaults.",
        scope: .organizationsWrite, headers: [.idempotencyKey],
        body: [
          .required("slug", .string(length: Slug.lengthMin...Slug.lengthMax)),
          .required("name", .string(length: OrganizationDraft.nameLength)),
          .optional("settings", .anyObject),
        ],
        answers: [.init(.created, "The organization, ready to use.", Self.answer)],
        refusals: [.conflict], handle: create),
      Operation(
        .get, "organizations", id: "listOrganizations", "List the organizations.",
        scope: .organizationsRead,
        query: [
          .limit, .cursor,
          .optional("status", .string(oneOf: TenantStatus.allCases.map(\.rawValue))),
        ],
        answers: [.init(.ok, "A page.", .page("organizations", of: Self.answer))],
        refusals: [.badRequest], handle: list),
      Operation(
        .get, Self.path, id: "getOrganization", "Show an organization, by id or slug.",
        scope: .organizationsRead, answers: [.init(.ok, "The organization.", Self.answer)],
        refusals: [.notFound], handle: get),
      Operation(
        .patch, Self.path, id: "updateOrganization",
        "Change name or settings (RFC 7396); null sets a setting back to its default.",
        scope: .organizationsWrite, headers: [.ifMatch],
        body: [
          .optional("name", .string(length: OrganizationDraft.nameLength)),
          .optional("settings", .anyObject),
        ],
        answers: [.init(.ok, "The organization as it is now.", Self.answer)],
        refusals: [.notFound, .conflict, .preconditionFailed], handle: update),
      Operation(
        .delete, Self.path, id: "deleteOrganization",
        "Take an organization out of use and remove all it has.", scope: .organizationsWrite,
        headers: [.ifMatch],
        answers: [.init(.accepted, "It is unreachable; a job removes the rest.", Self.answer)],
        refusals: [.notFound, .conflict, .preconditionFailed], handle: delete),
      Operation(
        .post, "\(Self.path)/suspend", id: "suspendOrganization",
        "Suspend: nobody signs in until it is resumed.", scope: .organizationsWrite,
        answers: [.init(.ok, "The organization.", Self.answer)],
        refusals: [.notFound, .conflict], handle: suspend),
      Operation(
        .post, "\(Self.path)/resume", id: "resumeOrganization", "Resume.",
        scope: .organizationsWrite, answers: [.init(.ok, "The organization.", Self.answer)],
        refusals: [.notFound, .conflict], handle: resume),
    ]
  }

  func create(_ request: Request, _ context: AdminContext) async throws -> JSONResponse {
    let body = try await AdminBody.read(request)
    let draft = try OrganizationDraft(body)
    let claim = try idempotency.claim(request, body, in: context)
    let organization = try await organizations.create(
      draft, claim: claim, by: context.platform)
    var answer = answer(organization, status: .created)
    answer.headers[.location] = "/admin/v1/organizations/\(organization.id)"
    return answer
  }

  func list(_ request: Request, _ context: AdminContext) async throws -> JSONResponse {
    let query = try AdminQuery(request, allowed: AdminQuery.paging.union(["status"]))
    let paging = try query.paging()
    let rows = try await organizations.list(
      after: try paging.position(TenantID.self),
      status: try query.choice("status", TenantStatus.self),
      limit: paging.limit + 1)
    return paging.answer("organizations", rows, position: \.id.description) { organization in
      organization.json(issuer: directory.issuer(slug: organization.slug))
    }
  }

  func get(_ request: Request, _ context: AdminContext) async throws -> JSONResponse {
    answer(try await organizations.find(context.parameter("organization")))
  }

  func update(_ request: Request, _ context: AdminContext) async throws -> JSONResponse {
    let patch = try OrganizationPatch(await AdminBody.read(request))
    return answer(
      try await organizations.update(
        try await id(context), patch, ifMatch: IfMatch(request), by: context.platform))
  }

  func delete(_ request: Request, _ context: AdminContext) async throws -> JSONResponse {
    let organization = try await organizations.delete(
      try await id(context), ifMatch: IfMatch(request), by: context.platform)
    return answer(organization, status: .accepted)
  }

  func suspend(_ request: Request, _ context: AdminContext) async throws -> JSONResponse {
    try await AdminBody.readNothing(request)
    return answer(try await organizations.suspend(try await id(context), by: context.platform))
  }

  func resume(_ request: Request, _ context: AdminContext) async throws -> JSONResponse {
    try await AdminBody.readNothing(request)
    return answer(try await organizations.resume(try await id(context), by: context.platform))
  }

  private func id(_ context: AdminContext) async throws -> TenantID {
    let text = try context.parameter("organization")
    return if let id = TenantID(text) { id } else { try await organizations.find(text).id }
  }

  private func answer(_ organization: Organization, status: HTTPResponse.Status = .ok)
    -> JSONResponse
  {
    JSONResponse(
      status,
      .object(organization.json(issuer: directory.issuer(slug: organization.slug))),
      etag: organization.etag)
  }
}
