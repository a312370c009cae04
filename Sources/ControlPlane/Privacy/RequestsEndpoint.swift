import Compliance
import HTTPTypes
import Hummingbird
import Platform
import Tenancy
import Web

/// `/admin/v1/organizations/{id}/privacy/requests`: data-subject requests (GDPR articles 12 to 22).
struct RequestsEndpoint: DocumentedEndpoint {
  let organizations: Organizations
  let users: UserStore
  let requests: PrivacyRequests
  let packages: ExportPackages

  typealias Context = AdminContext

  private static let list = "organizations/{organization}/privacy/requests"
  private static let answer = Schema.named("PrivacyRequest")
  private static let unknownSubject = Problem.notFound("There is no such person.")

  var operations: [Operation<AdminContext>] {
    [
      Operation(
        .post, Self.list, id: "openPrivacyRequest",
        "Export or erase what is held about a person; a dry run only counts.",
        scope: .privacyWrite,
        query: [.optional("dry_run", .boolean, "Answer the plan, change nothing.")],
        body: [
          .required("kind", .string(oneOf: DataRequestKind.allCases.map(\.rawValue))),
          .required(
            "subject",
            .object([
              .optional("id", .id), .optional("email", .string()), .optional("username", .string()),
            ]), "One of them."),
        ],
        answers: [
          .init(.accepted, "The request; a job carries it out.", Self.answer),
          .init(.ok, "The plan of a dry run.", .named("PrivacyPlan")),
        ], refusals: [.notFound, .conflict], handle: open),
      Operation(
        .get, Self.list, id: "listPrivacyRequests", "List requests, newest first.",
        scope: .privacyRead,
        query: [
          .limit, .cursor,
          .optional("kind", .string(oneOf: DataRequestKind.allCases.map(\.rawValue))),
          .optional("state", .string(oneOf: DataRequestState.allCases.map(\.rawValue))),
          .optional("subject", .id, "Only about this user."),
        ],
        answers: [.init(.ok, "A page.", .page("requests", of: Self.answer))],
        refusals: [.badRequest, .notFound], handle: list),
      Operation(
        .get, "\(Self.list)/{request}", id: "getPrivacyRequest",
        "Show a request: an export's package, an erasure's report.", scope: .privacyRead,
        answers: [.init(.ok, "The request.", Self.answer)], refusals: [.notFound], handle: get),
    ]
  }

  func open(_ request: Request, _ context: AdminContext) async throws -> JSONResponse {
    let tenant = try await organizations.tenant(context.parameter("organization"))
    let isDryRun = try AdminQuery(request, allowed: ["dry_run"]).flag("dry_run")
    let body = try RequestBody(await AdminBody.read(request))
    let subject = try await find(body.subject, in: tenant)
    if isDryRun { return try await plan(body.kind, subject, tenant) }
    do {
      let opened = try await requests.open(
        body.kind, subject: subject, channel: .adminAPI, in: tenant, origin: context.origin)
      return JSONResponse(
        .accepted, .object(json(opened, tenant)),
        headers: [
          .location: "/admin/v1/organizations/\(tenant.id)/privacy/requests/\(opened.id)"
        ])
    } catch DataRequestError.unknownSubject {
      throw Self.unknownSubject
    } catch DataRequestError.erasing {
      throw Problem.conflict("The account is being erased.")
    }
  }

  func list(_ request: Request, _ context: AdminContext) async throws -> JSONResponse {
    let tenant = try await organizations.tenant(context.parameter("organization"))
    let query = try AdminQuery(
      request, allowed: AdminQuery.paging.union(["kind", "state", "subject"]))
    let paging = try query.paging()
    let filter = DataRequestFilter(
      subject: try query.id("subject", User.self),
      kind: try query.choice("kind", DataRequestKind.self),
      state: try query.choice("state", DataRequestState.self))
    let rows = try await requests.list(
      filter, before: try paging.position(ID<DataRequest>.self), limit: paging.limit + 1,
      in: tenant)
    return paging.answer("requests", rows, position: \.id.description) { json($0, tenant) }
  }

  func get(_ request: Request, _ context: AdminContext) async throws -> JSONResponse {
    let tenant = try await organizations.tenant(context.parameter("organization"))
    guard let id = ID<DataRequest>(try context.parameter("request")),
      let found = try await requests.find(id, in: tenant)
    else { throw Problem.notFound("There is no such request.") }
    return JSONResponse(
      .ok, .object(json(found, tenant)), headers: [.cacheControl: "no-store"])
  }

  private func plan(_ kind: DataRequestKind, _ subject: UserID, _ tenant: Tenant) async throws
    -> JSONResponse
  {
    let steps =
      switch kind {
      case .export: try await requests.exportPlan(of: subject, in: tenant)
      case .erasure: try await requests.erasurePlan(of: subject, in: tenant)
      }
    return JSONResponse(
      .ok,
      [
        "kind": .string(kind.rawValue), "dry_run": true, "subject": .string(subject.description),
        "plan": .array(steps.map(\.json)), "rows": .integer(steps.reduce(0) { $0 + $1.rows }),
      ])
  }

  /// Somebody who was erased is as unknown as somebody who never was.
  private func find(_ name: SubjectName, in tenant: Tenant) async throws -> UserID {
    let user =
      switch name {
      case .id(let id): try await users.find(id, in: tenant)
      case .email(let email): try await users.find(email: email, in: tenant)
      case .username(let username): try await users.find(username: username, in: tenant)
      }
    guard let user else { throw Self.unknownSubject }
    return user.id
  }

  private func json(_ request: DataRequest, _ tenant: Tenant) -> JSONObject {
    var object: JSONObject = [
      "id": .string(request.id.description), "kind": .string(request.kind.rawValue),
      "state": .string(request.state.rawValue), "channel": .string(request.channel.rawValue),
      "subject": .optional(request.subject?.description),
      "received_at": .string(request.receivedAt.rfc3339),
      "verified_at": .optional(request.verifiedAt?.rfc3339),
      "due_at": .string(request.dueAt.rfc3339),
      "completed_at": .optional(request.completedAt?.rfc3339), "error": .optional(request.error),
    ]
    switch request.kind {
    case .export: object["package"] = request.package.map { json($0, tenant) } ?? .null
    case .erasure: object["report"] = request.report.map { .array($0.map(\.json)) } ?? .null
    }
    return object
  }

  /// Without a `url` once it has been fetched or has expired.
  private func json(_ package: ExportPackage, _ tenant: Tenant) -> JSON {
    let link = packages.link(to: package, in: tenant)
    return [
      "url": .optional(link?.url),
      "expires_at": .string((link?.expiresAt ?? package.expiresAt).rfc3339),
      "sha256": .string(Hex.encode(package.sha256)), "size": .integer(package.sizeBytes),
    ]
  }
}

extension DataRequest {
  private static let step = Schema.object([
    .required("table", .string()), .required("action", .string()), .required("rows", .integer()),
  ])

  static let schema = Schema.object([
    .required("id", .id),
    .required("kind", .string(oneOf: DataRequestKind.allCases.map(\.rawValue))),
    .required("state", .string(oneOf: DataRequestState.allCases.map(\.rawValue))),
    .required("channel", .string()), .required("subject", .nullable(.id)),
    .required("received_at", .time), .required("verified_at", .nullable(.time)),
    .required("due_at", .time), .required("completed_at", .nullable(.time)),
    .required("error", .nullable(.string())),
    .optional(
      "package",
      .nullable(
        .object([
          .required("url", .nullable(.string(format: "uri"))), .required("expires_at", .time),
          .required("sha256", .string()), .required("size", .integer()),
        ]))),
    .optional("report", .nullable(.array(step))),
  ])

  static let planSchema = Schema.object([
    .required("kind", .string()), .required("dry_run", .boolean), .required("subject", .id),
    .required("plan", .array(step)), .required("rows", .integer()),
  ])
}
