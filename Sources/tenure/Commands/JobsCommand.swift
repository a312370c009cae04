import ArgumentParser
import NIOHTTP1
import Platform

/// `tenure jobs …`: the queue.
struct JobsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "jobs", abstract: "List, show, cancel and retry jobs.",
    subcommands: [List.self, Show.self, Cancel.self, Retry.self])

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the jobs, newest first.")
    @Option(help: "Only this state: available, running, completed, cancelled or dead.")
    var state: String?
    @Option(help: "Only this kind.") var kind: String?
    @Option(help: "Only of this organization: its id.") var organization: String?
    @OptionGroup var admin: AdminOptions

    func run() async throws {
      let jobs = try await admin.connect().pages(
        "jobs", member: "jobs",
        query: [("state", state), ("kind", kind), ("organization", organization)])
      Output.list(
        jobs, columns: ["id", "kind", "state", "attempt", "progress", "error"], json: admin.json)
    }
  }

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show a job.")
    @Argument(help: "Its id.") var job: String
    @OptionGroup var admin: AdminOptions

    func run() async throws {
      let path = "jobs/\(AdminClient.escape(job))"
      Output.document(try await admin.connect().call(.GET, path), json: admin.json)
    }
  }

  struct Cancel: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Cancel a job.")
    @Argument(help: "Its id.") var job: String
    @OptionGroup var admin: AdminOptions

    func run() async throws {
      let path = "jobs/\(AdminClient.escape(job))/cancel"
      Output.document(try await admin.connect().call(.POST, path), json: admin.json)
    }
  }

  struct Retry: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Run a dead job again.")
    @Argument(help: "Its id.") var job: String
    @OptionGroup var admin: AdminOptions

    func run() async throws {
      let path = "jobs/\(AdminClient.escape(job))/retry"
      Output.document(try await admin.connect().call(.POST, path), json: admin.json)
    }
  }
}
