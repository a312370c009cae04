import Database
import HTTPTypes
import Hummingbird
import Jobs
import Platform
import Tenancy
import Web

/// `/admin/v1/jobs`: the queue, read and steered (design section 8).
struct JobsEndpoint: DocumentedEndpoint {
  let organizations: Organizations
  let queue: JobQueue
  let audit: AuditRecorder

  typealias Context = AdminContext

  private static let answer = Schema.named("Job")

  var operations: [Operation<AdminContext>] {
    [
      Operation(
        .get, "jobs", id: "listJobs", "List jobs, newest first.", scope: .jobsRead,
        query: [
          .limit, .cursor, .optional("state", .string(oneOf: JobState.allCases.map(\.rawValue))),
          .optional("kind", .string()),
          .optional("organization", .string(), "Only of this organization: its id or slug."),
        ],
        answers: [.init(.ok, "A page.", .page("jobs", of: Self.answer))],
        refusals: [.badRequest, .notFound], handle: list),
      Operation(
        .get, "jobs/{job}", id: "getJob", "Show a job.", scope: .jobsRead,
        answers: [.init(.ok, "The job.", Self.answer)], refusals: [.notFound], handle: get),
      Operation(
        .post, "jobs/{job}/cancel", id: "cancelJob",
        "Cancel a waiting job, or ask the worker of a running one to stop.", scope: .jobsWrite,
        answers: [.init(.ok, "The job as it is now.", Self.answer)],
        refusals: [.notFound, .conflict], handle: cancel),
      Operation(
        .post, "jobs/{job}/retry", id: "retryJob", "Give a dead job all its attempts again.",
        scope: .jobsWrite, answers: [.init(.ok, "The job as it is now.", Self.answer)],
        refusals: [.notFound, .conflict], handle: retry),
    ]
  }

  func list(_ request: Request, _ context: AdminContext) async throws -> JSONResponse {
    let query = try AdminQuery(
      request, allowed: AdminQuery.paging.union(["state", "kind", "organization"]))
    let paging = try query.paging()
    let organization: TenantID? =
      if let text = try query.text("organization") {
        if let id = TenantID(text) { id } else { try await organizations.find(text).id }
      } else {
        nil
      }
    let rows = try await queue.list(
      JobFilter(
        state: try query.choice("state", JobState.self), kind: try query.text("kind"),
        organization: organization?.uuid),
      before: try paging.position(ID<JobRecord>.self), limit: paging.limit + 1)
    return paging.answer("jobs", rows, position: \.id.description, \.json)
  }

  func get(_ request: Request, _ context: AdminContext) async throws -> JSONResponse {
    JSONResponse(.ok, .object(try await find(context).json))
  }

  func cancel(_ request: Request, _ context: AdminContext) async throws -> JSONResponse {
    try await AdminBody.readNothing(request)
    let job = try await find(context)
    let cancelled = try await queue.cancel(job.id) { tx in
      try await record(.jobCancelled, job, context, in: tx)
    }
    guard cancelled else { throw Problem.conflict("The job is \(job.state.rawValue).") }
    return try await get(request, context)
  }

  func retry(_ request: Request, _ context: AdminContext) async throws -> JSONResponse {
    try await AdminBody.readNothing(request)
    let job = try await find(context)
    let redriven = try await queue.retry(job.id) { tx in
      try await record(.jobRetried, job, context, in: tx)
    }
    guard redriven else {
      throw Problem.conflict(
        job.state == .dead
          ? "Another job does the same already." : "The job is \(job.state.rawValue).")
    }
    return try await get(request, context)
  }

  private func find(_ context: AdminContext) async throws -> JobRecord {
    guard let id = ID<JobRecord>(try context.parameter("job")), let job = try await queue.find(id)
    else { throw Problem.notFound("There is no such job.") }
    return job
  }

  private func record(
    _ action: AuditAction, _ job: JobRecord, _ context: AdminContext, in tx: Transaction
  ) async throws {
    try await audit.record(
      AuditEvent(
        action, origin: context.origin, subject: nil,
        detail: ["job_id": .string(job.id.description), "kind": .string(job.kind)]),
      in: tx, tenant: context.system)
  }
}

extension AuditAction {
  static let jobCancelled = AuditAction("job.cancelled")
  static let jobRetried = AuditAction("job.retried")
}

extension JobRecord {
  var json: JSONObject {
    [
      "id": .string(id.description), "kind": .string(kind), "state": .string(state.rawValue),
      "attempt": .integer(attempt), "progress": progress?.json ?? .null, "error": .optional(error),
      "organization": .optional(organization.map { TenantID($0).description }),
      "run_at": .optional(runAt?.rfc3339), "created_at": .string(createdAt.rfc3339),
      "started_at": .optional(startedAt?.rfc3339), "finished_at": .optional(finishedAt?.rfc3339),
    ]
  }

  static let schema = Schema.object([
    .required("id", .id), .required("kind", .string()),
    .required("state", .string(oneOf: JobState.allCases.map(\.rawValue))),
    .required("attempt", .integer(0...Int(Int32.max))),
    .required(
      "progress",
      .nullable(.object([.required("done", .integer()), .required("total", .integer())]))),
    .required("error", .nullable(.string())), .required("organization", .nullable(.id)),
    .required("run_at", .nullable(.time)), .required("created_at", .time),
    .required("started_at", .nullable(.time)), .required("finished_at", .nullable(.time)),
  ])
}

extension JobProgress {
  fileprivate var json: JSON { ["done": .integer(done), "total": .integer(total)] }
}
