import ArgumentParser
import NIOHTTP1
import Platform

/// `tenure audit …`: who did what, when.
struct AuditCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit", abstract: "Read the audit trail of an organization.",
    subcommands: [List.self])

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the events.")
    @Argument(help: "The organization's slug or id.") var organization: String
    @Option(help: "Only this action.") var action: String?
    @Option(help: "Only events about this person: the user's id.") var subject: String?
    @OptionGroup var admin: AdminOptions

    func run() async throws {
      let events = try await admin.connect().pages(
        "organizations/\(AdminClient.escape(organization))/audit/events", member: "events",
        query: [("action", action), ("subject", subject)])
      Output.list(
        events, columns: ["seq", "time", "action", "outcome", "actor", "subject"], json: admin.json)
    }
  }
}
