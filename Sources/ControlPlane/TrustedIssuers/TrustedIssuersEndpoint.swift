import HTTPTypes
import Hummingbird
import Platform
import Tenancy
import Web

/// `/admin/v1/organizations/{id}/trusted-issuers`: whose assertions (RFC 7523) and software statements
/// (RFC 7591 section 2.3) an organization believes.
struct TrustedIssuersEndpoint: DocumentedEndpoint {
  let organizations: Organizations
  let issuers: TrustedIssuers

  typealias Context = AdminContext

  private static let list = "organizations/{organization}/trusted-issuers"
  private static let one = "organizations/{organization}/trusted-issuers/{issuer}"
  private static let answer = Schema.named("TrustedIssuer")

  var operations: [Operation<AdminContext>] {
    [
      Operation(
        .post, Self.list, id: "createTrustedIssuer", "Trust an issuer.", scope: .clientsWrite,
        body: [.required("issuer", .string(length: 1...2048), "The exact iss.")]
          + TrustedIssuer.metadataMembers,
        answers: [.init(.created, "The issuer.", Self.answer)], refusals: [.notFound, .conflict],
        handle: create),
      Operation(
        .get, Self.list, id: "listTrustedIssuers", "List the trusted issuers.",
        scope: .clientsRead, query: [.limit, .cursor],
        answers: [.init(.ok, "A page.", .page("trusted_issuers", of: Self.answer))],
        refusals: [.badRequest, .notFound], handle: list),
      Operation(
        .get, Self.one, id: "getTrustedIssuer", "Show a trusted issuer.", scope: .clientsRead,
        answers: [.init(.ok, "The issuer.", Self.answer)], refusals: [.notFound], handle: get),
      Operation(
        .put, Self.one, id: "replaceTrustedIssuer",
        "Replace what is believed of an issuer; what is left out goes back to its default.",
        scope: .clientsWrite, headers: [.ifMatch], body: TrustedIssuer.metadataMembers,
        answers: [.init(.ok, "The issuer as it is now.", Self.answer)],
        refusals: [.notFound, .preconditionFailed], handle: replace),
      Operation(
        .delete, Self.one, id: "deleteTrustedIssuer", "Trust an issuer no longer.",
        scope: .clientsWrite, answers: [.init(.noContent, "The issuer is gone.")],
        refusals: [.notFound], handle: delete),
    ]
  }

  func create(_ request: Request, _ context: AdminContext) async throws -> JSONResponse {
    let tenant = try await organizations.tenant(context.parameter("organization"))
    var fields = try Fields(await AdminBody.read(request))
    let issuer = fields.string("issuer", length: 1...2048)
    let metadata = try Self.metadata(&fields)
    do {
      let created = try await issuers.create(
        issuer, metadata, in: tenant, origin: context.origin)
      var answer = answer(created, .created)
      answer.headers[.location] =
        "/admin/v1/organizations/\(tenant.id)/trusted-issuers/\(created.id)"
      return answer
    } catch TrustedIssuerError.duplicate {
      throw Problem.conflict(
        "This issuer is trusted already.", errors: [FieldError("issuer", "is there already.")])
    }
  }

  func list(_ request: Request, _ context: AdminContext) async throws -> JSONResponse {
    let tenant = try await organizations.tenant(context.parameter("organization"))
    let paging = try AdminQuery(request, allowed: AdminQuery.paging).paging()
    let rows = try await issuers.list(
      after: try paging.position(ID<TrustedIssuer>.self), limit: paging.limit + 1, in: tenant)
    return paging.answer("trusted_issuers", rows, position: \.id.description, \.json)
  }

  func get(_ request: Request, _ context: AdminContext) async throws -> JSONResponse {
    let tenant = try await organizations.tenant(context.parameter("organization"))
    return answer(try await find(context, in: tenant), .ok)
  }

  func replace(_ request: Request, _ context: AdminContext) async throws -> JSONResponse {
    let tenant = try await organizations.tenant(context.parameter("organization"))
    var fields = try Fields(await AdminBody.read(request))
    let metadata = try Self.metadata(&fields)
    let issuer = try await find(context, in: tenant)
    try IfMatch(request).require(issuer.etag)
    do {
      return answer(
        try await issuers.replace(issuer, by: metadata, in: tenant, origin: context.origin), .ok)
    } catch TrustedIssuerError.versionMismatch {
      throw Problem.preconditionFailed
    }
  }

  func delete(_ request: Request, _ context: AdminContext) async throws -> EmptyResponse {
    let tenant = try await organizations.tenant(context.parameter("organization"))
    guard let id = ID<TrustedIssuer>(try context.parameter("issuer")),
      try await issuers.delete(id, in: tenant, origin: context.origin)
    else { throw Self.notFound }
    return EmptyResponse()
  }

  private static let notFound = Problem.notFound("There is no such trusted issuer.")

  private func find(_ context: AdminContext, in tenant: Tenant) async throws -> TrustedIssuer {
    guard let id = ID<TrustedIssuer>(try context.parameter("issuer")),
      let issuer = try await issuers.find(id, in: tenant)
    else { throw Self.notFound }
    return issuer
  }

  private func answer(_ issuer: TrustedIssuer, _ status: HTTPResponse.Status) -> JSONResponse {
    JSONResponse(status, .object(issuer.json), etag: issuer.etag)
  }

  /// The members that are left are metadata.
  private static func metadata(_ fields: inout Fields) throws -> TrustedIssuerMetadata {
    do {
      let metadata = try TrustedIssuerMetadata(validating: fields.takeRest())
      try fields.finish()
      return metadata
    } catch let errors as ClaimErrors {
      fields.refuse(errors)
      try fields.finish()
      throw errors.problem
    }
  }
}

extension TrustedIssuer {
  var etag: ETag { ETag(version: version) }

  static let metadataMembers: [SchemaMember] = [
    .required(
      "uses", .array(.string(oneOf: TrustedIssuerUse.allCases.map(\.rawValue))),
      "What it is trusted for."),
    .optional("jwks", .anyObject, "Its public keys."),
    .optional("jwks_uri", .string(format: "uri"), "Where they are instead."),
    .optional(
      "audiences", .array(.string()),
      "Values of aud that mean this organization, beside its issuer and token endpoint."),
    .optional(
      "subject", .string(oneOf: AssertionSubject.allCases.map(\.rawValue)),
      "Whom the sub of its assertions names."),
    .optional("client_ids", .array(.string()), "Who may present them; all clients if empty."),
    .optional("scope", .string(), "The most they are good for."),
  ]

  static let schema = Schema.object(
    [.required("id", .id), .required("issuer", .string())] + metadataMembers + [
      .required("created_at", .time), .required("updated_at", .time),
    ])
}
