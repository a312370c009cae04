import Compliance
import HTTPTypes
import Hummingbird
import Platform
import Tenancy
import Web

/// `/admin/v1/organizations/{id}/consent/purposes` (GDPR article 7; our policy).
struct PurposesEndpoint: DocumentedEndpoint {
  let organizations: Organizations
  let purposes: Purposes

  typealias Context = AdminContext

  private static let list = "organizations/{organization}/consent/purposes"
  private static let one = "organizations/{organization}/consent/purposes/{purpose}"
  private static let answer = Schema.named("Purpose")
  private static let texts: [SchemaMember] = [
    .optional("notices", .anyObject, "What a person reads, by language tag."),
    .optional(
      "notice", .string(length: PurposeTexts.length),
      "The same in the organization's language alone."),
  ]

  var operations: [Operation<AdminContext>] {
    [
      Operation(
        .post, Self.list, id: "createPurpose", "Define something people can agree to.",
        scope: .privacyWrite,
        body: [
          .required("id", .string(length: 1...64)), .required("name", .string(length: 1...200)),
          .required("description", .string(length: 1...2000)),
        ] + Self.texts,
        answers: [.init(.created, "The purpose.", Self.answer)], refusals: [.notFound, .conflict],
        handle: create),
      Operation(
        .get, Self.list, id: "listPurposes", "List the purposes.", scope: .privacyRead,
        answers: [.init(.ok, "All of them.", .page("purposes", of: Self.answer))],
        refusals: [.notFound], handle: list),
      Operation(
        .get, Self.one, id: "getPurpose", "Show a purpose with its current texts.",
        scope: .privacyRead, answers: [.init(.ok, "The purpose.", Self.answer)],
        refusals: [.notFound], handle: get),
      Operation(
        .patch, Self.one, id: "updatePurpose",
        "Change a purpose; other texts are a new version of its notice.", scope: .privacyWrite,
        body: [
          .optional("name", .string(length: 1...200)),
          .optional("description", .string(length: 1...2000)),
          .optional("status", .string(oneOf: PurposePatch.Status.allCases.map(\.rawValue))),
        ] + Self.texts,
        answers: [.init(.ok, "The purpose as it is now.", Self.answer)],
        refusals: [.notFound, .conflict], handle: update),
    ]
  }

  func create(_ request: Request, _ context: AdminContext) async throws -> JSONResponse {
    let tenant = try await organizations.tenant(context.parameter("organization"))
    let definition = try PurposeDefinition(
      await AdminBody.read(request), language: tenant.settings.language)
    let purpose = try await purposes.create(definition, in: tenant, origin: context.origin)
    return JSONResponse(
      .created, .object(purpose.json(definition.notices)),
      headers: [
        .location: "/admin/v1/organizations/\(tenant.id)/consent/purposes/\(purpose.id)"
      ])
  }

  func list(_ request: Request, _ context: AdminContext) async throws -> JSONResponse {
    let tenant = try await organizations.tenant(context.parameter("organization"))
    _ = try AdminQuery(request, allowed: AdminQuery.paging).paging()
    let all = try await purposes.list(in: tenant)
    return JSONResponse(
      .ok,
      [
        "purposes": .array(all.map { purpose, texts in .object(purpose.json(texts)) }),
        "next_cursor": .null,
      ])
  }

  func get(_ request: Request, _ context: AdminContext) async throws -> JSONResponse {
    let tenant = try await organizations.tenant(context.parameter("organization"))
    let (purpose, texts) = try await purposes.find(context.parameter("purpose"), in: tenant)
    return JSONResponse(.ok, .object(purpose.json(texts)))
  }

  func update(_ request: Request, _ context: AdminContext) async throws -> JSONResponse {
    let tenant = try await organizations.tenant(context.parameter("organization"))
    let patch = try PurposePatch(
      await AdminBody.read(request), language: tenant.settings.language)
    let (purpose, texts) = try await purposes.update(
      context.parameter("purpose"), patch, in: tenant, origin: context.origin)
    return JSONResponse(.ok, .object(purpose.json(texts)))
  }
}
