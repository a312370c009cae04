import ArgumentParser
import NIOHTTP1
import Platform

/// `tenure privacy …`: data-subject requests and retention.
struct PrivacyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "privacy",
    abstract: "Export or erase a person's data, clean up by retention rules, show the data map.",
    subcommands: [Export.self, Erase.self, Requests.self, Retention.self, DataMap.self])

  struct Export: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Export everything an organization holds about a person, as a ZIP archive.")
    @Argument(help: "The organization's slug or id.") var organization: String
    @OptionGroup var subject: SubjectOptions
    @Option(
      name: .shortAndLong, help: "Where the archive goes; without it, only its address is printed.")
    var output: String?
    @Flag(help: "Do not wait for the job.") var noWait = false
    @OptionGroup var admin: AdminOptions

    func run() async throws {
      let requests = try await PrivacyRequestsClient(admin, organization)
      var request = try await requests.open(kind: "export", subject: try subject.document)
      if !noWait { request = try await requests.wait(for: request) }
      Output.document(request, json: admin.json)
      guard let output, let address = request["package"]?["url"]?.stringValue else { return }
      let count = try await AdminClient.download(address, to: output)
      if !admin.json { Output.line("Wrote \(count) bytes to \(output).") }
    }
  }

  struct Erase: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Erase a person; --dry-run shows what would go.")
    @Argument(help: "The organization's slug or id.") var organization: String
    @OptionGroup var subject: SubjectOptions
    @Flag(help: "Show the rows per table, change nothing.") var dryRun = false
    @Flag(help: "Erase without asking.") var yes = false
    @Flag(help: "Do not wait for the job.") var noWait = false
    @OptionGroup var admin: AdminOptions

    func run() async throws {
      let requests = try await PrivacyRequestsClient(admin, organization)
      if dryRun {
        let plan = try await requests.open(
          kind: "erasure", subject: try subject.document, dryRun: true)
        return Output.document(plan, json: admin.json)
      }
      try Confirmation.ask(
        "Erase this person for good? Type 'erase' to go on: ", expect: "erase", given: yes)
      var request = try await requests.open(kind: "erasure", subject: try subject.document)
      if !noWait { request = try await requests.wait(for: request) }
      Output.document(request, json: admin.json)
    }
  }

  struct Requests: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the requests.")
    @Argument(help: "The organization's slug or id.") var organization: String
    @OptionGroup var admin: AdminOptions

    func run() async throws {
      let requests = try await admin.connect().pages(
        "organizations/\(AdminClient.escape(organization))/privacy/requests", member: "requests")
      Output.list(
        requests, columns: ["id", "kind", "state", "received_at", "due_at"], json: admin.json)
    }
  }

  struct Retention: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Clean up by the retention rules; --dry-run only counts.")
    @Argument(help: "The organization's slug or id; without it, every organization.")
    var organization: String?
    @Flag(help: "Count the rows, change nothing.") var dryRun = false
    @OptionGroup var admin: AdminOptions

    func run() async throws {
      let client = try await admin.connect()
      let organizations =
        if let organization { [organization] } else {
          try await client.pages("organizations", member: "organizations")
            .compactMap { $0["slug"]?.stringValue }
        }
      for organization in organizations {
        let run = try await client.call(
          .POST, "organizations/\(AdminClient.escape(organization))/retention/runs",
          body: ["dry_run": .bool(dryRun)])
        if !admin.json { Output.line("\(organization): run \(Output.cell(run["id"] ?? .null))") }
        Output.list(
          run["rules"]?.arrayValue ?? [], columns: ["rule", "table", "rows"], json: admin.json)
      }
    }
  }

  struct DataMap: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Show what is held about people, why, and what erasure does with it.")
    @Argument(help: "The organization's slug or id.") var organization: String
    @OptionGroup var admin: AdminOptions

    func run() async throws {
      let path = "organizations/\(AdminClient.escape(organization))/privacy/data-map"
      Output.document(try await admin.connect().call(.GET, path), json: admin.json)
    }
  }
}

/// Whom a request is about.
struct SubjectOptions: ParsableArguments {
  @Option(help: "The person's e-mail address.") var email: String?
  @Option(help: "The person's user name.") var username: String?
  @Option(help: "The person's id.") var id: String?

  var document: JSON {
    get throws {
      switch (email, username, id) {
      case (let email?, nil, nil): ["email": .string(email)]
      case (nil, let username?, nil): ["username": .string(username)]
      case (nil, nil, let id?): ["id": .string(id)]
      default: throw CommandFailure("Name the person by one of --email, --username and --id.")
      }
    }
  }
}

/// Requests of one organization, over the admin API.
struct PrivacyRequestsClient {
  private let client: AdminClient
  private let path: String

  private static let finalStates: Set<String> = ["fulfilled", "refused", "failed"]

  init(_ admin: AdminOptions, _ organization: String) async throws {
    client = try await admin.connect()
    path = "organizations/\(AdminClient.escape(organization))/privacy/requests"
  }

  func open(kind: String, subject: JSON, dryRun: Bool = false) async throws -> JSON {
    try await client.call(
      .POST, dryRun ? "\(path)?dry_run=true" : path,
      body: ["kind": .string(kind), "subject": subject])
  }

  /// Waits until its job is through.
  ///
  /// - Throws: ``CommandFailure`` where it ends refused or failed.
  func wait(for request: JSON) async throws -> JSON {
    guard let id = request["id"]?.stringValue else { throw CommandFailure("The answer has no id.") }
    var request = request
    while !Self.finalStates.contains(request["state"]?.stringValue ?? "") {
      try await Task.sleep(for: .milliseconds(250))
      request = try await client.call(.GET, "\(path)/\(id)")
    }
    guard request["state"] == "fulfilled" else {
      throw CommandFailure(
        "Request \(id) ended \(Output.cell(request["state"] ?? .null)): \(Output.cell(request["error"] ?? .null))"
      )
    }
    return request
  }
}
