import Compliance
import HTTPTypes
import Hummingbird
import Platform
import Tenancy
import Web

/// `GET /admin/v1/organizations/{id}/audit/events`: the audit trail, newest first (design section 6).
struct AuditEndpoint: DocumentedEndpoint {
  let organizations: Organizations
  let trail: AuditQuery

  typealias Context = AdminContext

  var operations: [Operation<AdminContext>] {
    [
      Operation(
        .get, "organizations/{organization}/audit/events", id: "listAuditEvents",
        "List events, newest first.", scope: .auditRead,
        query: [
          .limit, .cursor,
          .optional("action", .string(), "Only this action, such as user.created."),
          .optional("subject", .id, "Only about this user."),
        ],
        answers: [.init(.ok, "A page.", .page("events", of: .named("AuditEvent")))],
        refusals: [.badRequest, .notFound], handle: list)
    ]
  }

  func list(_ request: Request, _ context: AdminContext) async throws -> JSONResponse {
    let tenant = try await organizations.tenant(context.parameter("organization"))
    let query = try AdminQuery(request, allowed: AdminQuery.paging.union(["action", "subject"]))
    let paging = try query.paging()
    let filter = AuditFilter(
      action: try query.text("action"), subject: try query.id("subject", User.self))
    let rows = try await trail.events(
      filter, before: try paging.position(Int.self), limit: paging.limit + 1, in: tenant)
    var answer = paging.answer("events", rows, position: { String($0.seq) }, \.json)
    answer.headers[.cacheControl] = "no-store"
    return answer
  }
}

extension AuditEntry {
  var json: JSONObject {
    [
      "seq": .integer(seq), "id": .string(id.description), "time": .string(time.rfc3339),
      "action": .string(action), "outcome": .string(outcome),
      "actor": ["kind": .string(actorKind), "id": .optional(actorID)],
      "subject": .optional(subject?.description), "request_id": .optional(requestID),
      "detail": detail, "personal": personal.map(JSON.object) ?? .null,
    ]
  }

  static let schema = Schema.object([
    .required("seq", .integer()), .required("id", .id), .required("time", .time),
    .required("action", .string()),
    .required("outcome", .string(oneOf: ["success", "failure"])),
    .required(
      "actor", .object([.required("kind", .string()), .required("id", .nullable(.string()))])),
    .required("subject", .nullable(.id), "Null once the person is erased."),
    .required("request_id", .nullable(.string())), .required("detail", .anyObject),
    .required("personal", .nullable(.anyObject), "Null once the person is erased."),
  ])
}
