import Compliance
import HTTPTypes
import Hummingbird
import Platform
import Tenancy
import Web

/// `/admin/v1/organizations/{id}/retention`: how long what is kept (GDPR article 5(1)(e)).
struct RetentionEndpoint: DocumentedEndpoint {
  let organizations: Organizations
  let retention: Retention

  typealias Context = AdminContext

  private static let rules = "organizations/{organization}/retention/rules"
  private static let runs = "organizations/{organization}/retention/runs"
  private static let rule = Schema.named("RetentionRule")
  private static let run = Schema.named("RetentionRun")
  private static let change: [SchemaMember] = [
    .optional("enabled", .boolean), .optional("keep_days", .integer(0...RuleChange.daysMax)),
  ]
  private static let unknownRule = Problem.notFound("There is no such rule.")

  var operations: [Operation<AdminContext>] { ruleOperations + runOperations }

  private var ruleOperations: [Operation<AdminContext>] {
    [
      Operation(
        .get, Self.rules, id: "listRetentionRules", "List the rules.", scope: .privacyRead,
        answers: [.init(.ok, "All of them.", .page("rules", of: Self.rule))],
        refusals: [.notFound], handle: listRules),
      Operation(
        .put, Self.rules, id: "setRetentionRules", "Change several rules.", scope: .privacyWrite,
        body: [.required("rules", .array(.object([.required("rule", .string())] + Self.change)))],
        answers: [.init(.ok, "All rules as they are now.", .page("rules", of: Self.rule))],
        refusals: [.notFound], handle: setRules),
      Operation(
        .get, "\(Self.rules)/{rule}", id: "getRetentionRule", "Show a rule.", scope: .privacyRead,
        answers: [.init(.ok, "The rule.", Self.rule)], refusals: [.notFound], handle: getRule),
      Operation(
        .put, "\(Self.rules)/{rule}", id: "setRetentionRule",
        "Switch a rule on or off, or change its days.", scope: .privacyWrite, body: Self.change,
        answers: [.init(.ok, "The rule as it is now.", Self.rule)], refusals: [.notFound],
        handle: setRule),
    ]
  }

  private var runOperations: [Operation<AdminContext>] {
    [
      Operation(
        .post, Self.runs, id: "runRetention", "Run the rules now; a dry run only counts.",
        scope: .privacyWrite, body: [.required("dry_run", .boolean)],
        answers: [
          .init(.accepted, "The run, with what it is going to take away.", Self.run),
          .init(.ok, "What a dry run counted.", Self.run),
        ], refusals: [.notFound], handle: startRun),
      Operation(
        .get, Self.runs, id: "listRetentionRuns", "List the runs, newest first.",
        scope: .privacyRead, query: [.limit, .cursor],
        answers: [.init(.ok, "A page.", .page("runs", of: Self.run))],
        refusals: [.badRequest, .notFound], handle: listRuns),
      Operation(
        .get, "\(Self.runs)/{run}", id: "getRetentionRun", "Show a run and its report.",
        scope: .privacyRead, answers: [.init(.ok, "The run.", Self.run)], refusals: [.notFound],
        handle: getRun),
    ]
  }

  func listRules(_ request: Request, _ context: AdminContext) async throws -> JSONResponse {
    let tenant = try await organizations.tenant(context.parameter("organization"))
    _ = try AdminQuery(request, allowed: AdminQuery.paging).paging()
    return try await answerRules(of: tenant)
  }

  func setRules(_ request: Request, _ context: AdminContext) async throws -> JSONResponse {
    let tenant = try await organizations.tenant(context.parameter("organization"))
    let known = try await retention.rules(in: tenant).map(\.id)
    let body = try RuleChanges(await AdminBody.read(request), known: Set(known))
    for (rule, change) in body.changes {
      _ = try await set(rule, change, tenant, context)
    }
    return try await answerRules(of: tenant)
  }

  func getRule(_ request: Request, _ context: AdminContext) async throws -> JSONResponse {
    let tenant = try await organizations.tenant(context.parameter("organization"))
    let id = try context.parameter("rule")
    guard let rule = try await retention.rules(in: tenant).first(where: { $0.id == id }) else {
      throw Self.unknownRule
    }
    return JSONResponse(.ok, .object(rule.json))
  }

  func setRule(_ request: Request, _ context: AdminContext) async throws -> JSONResponse {
    let tenant = try await organizations.tenant(context.parameter("organization"))
    let change = try RuleChange(await AdminBody.read(request))
    let rule = try await set(context.parameter("rule"), change, tenant, context)
    return JSONResponse(.ok, .object(rule.json))
  }

  func startRun(_ request: Request, _ context: AdminContext) async throws -> JSONResponse {
    let tenant = try await organizations.tenant(context.parameter("organization"))
    // Nobody deletes by having forgotten to say that they only want to look.
    _ = try AdminQuery(request, allowed: [])
    var fields = try Fields(await AdminBody.read(request))
    let isDryRun = fields.bool("dry_run")
    try fields.finish()
    guard isDryRun == false else {
      let run = try await retention.dryRun(.adminAPI, in: tenant, origin: context.origin)
      return JSONResponse(.ok, .object(run.json))
    }
    let run = try await retention.start(.adminAPI, in: tenant, origin: context.origin)
    return JSONResponse(
      .accepted, .object(run.json),
      headers: [.location: "/admin/v1/organizations/\(tenant.id)/retention/runs/\(run.id)"])
  }

  func listRuns(_ request: Request, _ context: AdminContext) async throws -> JSONResponse {
    let tenant = try await organizations.tenant(context.parameter("organization"))
    let paging = try AdminQuery(request, allowed: AdminQuery.paging).paging()
    let rows = try await retention.list(
      before: try paging.position(ID<RetentionRun>.self), limit: paging.limit + 1, in: tenant)
    return paging.answer("runs", rows, position: \.id.description, \.json)
  }

  func getRun(_ request: Request, _ context: AdminContext) async throws -> JSONResponse {
    let tenant = try await organizations.tenant(context.parameter("organization"))
    guard let id = ID<RetentionRun>(try context.parameter("run")),
      let run = try await retention.find(id, in: tenant)
    else { throw Problem.notFound("There is no such run.") }
    return JSONResponse(.ok, .object(run.json))
  }

  private func set(
    _ rule: String, _ change: RuleChange, _ tenant: Tenant, _ context: AdminContext
  ) async throws -> RetentionRule {
    do {
      return try await retention.setRule(
        rule, enabled: change.enabled, keepDays: change.keepDays, in: tenant,
        origin: context.origin)
    } catch RetentionError.unknownRule {
      throw Self.unknownRule
    }
  }

  private func answerRules(of tenant: Tenant) async throws -> JSONResponse {
    let rules = try await retention.rules(in: tenant)
    return JSONResponse(
      .ok, ["rules": .array(rules.map { .object($0.json) }), "next_cursor": .null])
  }
}
