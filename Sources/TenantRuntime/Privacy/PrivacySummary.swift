import Compliance
import FoundationEssentials
import Platform
import Tenancy
import Web

/// What the privacy page says.
struct PrivacySummary: Sendable {
  private static let requestsMax = 20

  let users: UserStore
  let clients: ClientStore
  let choices: PurposeChoices
  let requests: PrivacyRequests
  let packages: ExportPackages

  func data(of user: UserID, csrf: String, notice: PrivacyNotice?, in tenant: Tenant)
    async throws -> JSON
  {
    let account = try await users.find(user, in: tenant)
    let applications = try await applications(of: user, in: tenant)
    let purposes = try await choices.all(for: user, in: tenant).map(Self.row)
    let requests = try await requests.list(
      DataRequestFilter(subject: user, kind: nil, state: nil), before: nil,
      limit: Self.requestsMax, in: tenant
    ).map { row($0, in: tenant) }
    return [
      "organization": .string(tenant.name), "csrf": .string(csrf),
      "user": .string(account?.claims.displayName ?? "You"),
      "notice": notice?.notice.json ?? .null,
      "sessions": .string(tenant.path("account/sessions")),
      "logout": .string(tenant.path("oidc/logout")),
      "withdrawApplication": .string(tenant.path("privacy/applications/withdraw")),
      "consents": .string(tenant.path("privacy/consents")),
      "export": .string(tenant.path("privacy/export")),
      "erasure": .string(tenant.path("privacy/erasure")),
      "facts": .array(account.map(PersonFacts.rows) ?? []),
      "hasApplications": .bool(!applications.isEmpty), "applications": .array(applications),
      "hasPurposes": .bool(!purposes.isEmpty), "purposes": .array(purposes),
      "hasRequests": .bool(!requests.isEmpty), "requests": .array(requests),
    ]
  }

  private func applications(of user: UserID, in tenant: Tenant) async throws -> [JSON] {
    var rows: [JSON] = []
    for state in try await choices.consents.state(of: user, in: tenant) where state.isGranted {
      guard let text = state.client, let id = ClientID(text) else { continue }
      let client = try await clients.find(id, in: tenant)
      let scope = OAuthScope(stored: state.scope ?? "") ?? .none
      rows.append([
        "client": .string(text),
        "name": .string(client?.displayName ?? "An application that no longer exists"),
        "scopes": .string(ScopeWords.summary(scope)), "since": .string(state.decidedAt.pageDay),
        "sinceISO": .string(state.decidedAt.rfc3339),
      ])
    }
    return rows
  }

  private static func row(_ choice: PurposeChoice) -> JSON {
    [
      "id": .string(choice.purpose.id), "name": .string(choice.purpose.name),
      "description": .string(choice.text), "version": .integer(choice.purpose.noticeVersion),
      "granted": .bool(choice.state?.isGranted ?? false),
      "since": .optional(choice.state?.decidedAt.pageDay),
    ]
  }

  private func row(_ request: DataRequest, in tenant: Tenant) -> JSON {
    let link = request.package.flatMap { packages.link(to: $0, in: tenant) }
    return [
      "kind": request.kind == .export ? "Copy of your data" : "Deletion",
      "received": .string(request.receivedAt.pageDay),
      "receivedISO": .string(request.receivedAt.rfc3339), "due": .string(request.dueAt.pageDay),
      "dueISO": .string(request.dueAt.rfc3339), "state": .string(request.state.words),
      "tone": .string(request.state.tone), "download": .optional(link?.url),
      "until": .optional(request.package?.expiresAt.pageDay),
      "result": .string(request.resultWords),
    ]
  }
}

extension DataRequestState {
  var words: String {
    switch self {
    case .received: "Received"
    case .verified: "Accepted"
    case .running: "In progress"
    case .fulfilled: "Done"
    case .refused: "Refused"
    case .failed: "Delayed"
    }
  }

  /// The colour of the badge.
  var tone: String {
    switch self {
    case .received, .verified, .running: "info"
    case .fulfilled: "success"
    case .refused, .failed: "warning"
    }
  }
}

extension DataRequest {
  /// What there is to say when there is nothing to download.
  var resultWords: String {
    switch state {
    case .received, .verified, .running: "We are working on it"
    case .fulfilled: kind == .export ? "Fetched or expired" : "Erased"
    case .refused: error ?? "Refused"
    case .failed: "We are looking into it"
    }
  }
}

extension Date {
  /// A day as pages show it, in UTC: “21 November 2026”.
  var pageDay: String {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = .gmt
    let parts = calendar.dateComponents([.year, .month, .day], from: self)
    let months = [
      "January", "February", "March", "April", "May", "June", "July", "August", "September",
      "October", "November", "December",
    ]
    guard let year = parts.year, let month = parts.month, let day = parts.day else { return "" }
    return "\(day) \(months[month - 1]) \(year)"
  }
}
