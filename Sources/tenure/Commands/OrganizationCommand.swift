import ArgumentParser
import NIOHTTP1
import Platform

/// `tenure org …`: the life of organizations.
struct OrganizationCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "org", abstract: "Create, list, show, suspend, resume and delete organizations.",
    subcommands: [Create.self, List.self, Show.self, Suspend.self, Resume.self, Delete.self])

  struct Create: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Create an organization.")
    @Argument(help: "Its slug: 3 to 40 of a-z, 0-9 and '-'.") var slug: String
    @Option(help: "Its name; the slug where none is given.") var name: String?
    @OptionGroup var admin: AdminOptions

    func run() async throws {
      let organization = try await admin.connect().call(
        .POST, "organizations", body: ["slug": .string(slug), "name": .string(name ?? slug)])
      Output.document(organization, json: admin.json)
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the organizations.")
    @OptionGroup var admin: AdminOptions

    func run() async throws {
      let organizations = try await admin.connect().pages("organizations", member: "organizations")
      Output.list(organizations, columns: ["id", "slug", "name", "status"], json: admin.json)
    }
  }

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show an organization.")
    @Argument(help: "Its slug or id.") var organization: String
    @OptionGroup var admin: AdminOptions

    func run() async throws {
      let path = "organizations/\(AdminClient.escape(organization))"
      Output.document(try await admin.connect().call(.GET, path), json: admin.json)
    }
  }

  struct Suspend: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Suspend an organization: nobody signs in until it is resumed.")
    @Argument(help: "Its slug or id.") var organization: String
    @OptionGroup var admin: AdminOptions

    func run() async throws {
      let path = "organizations/\(AdminClient.escape(organization))/suspend"
      Output.document(try await admin.connect().call(.POST, path), json: admin.json)
    }
  }

  struct Resume: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Resume a suspended organization.")
    @Argument(help: "Its slug or id.") var organization: String
    @OptionGroup var admin: AdminOptions

    func run() async throws {
      let path = "organizations/\(AdminClient.escape(organization))/resume"
      Output.document(try await admin.connect().call(.POST, path), json: admin.json)
    }
  }

  struct Delete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Delete an organization with all its data.")
    @Argument(help: "Its slug or id.") var organization: String
    @Flag(help: "Delete without asking.") var yes = false
    @OptionGroup var admin: AdminOptions

    func run() async throws {
      try Confirmation.ask(
        "Delete \(organization) with all its users and data? Type its name to go on: ",
        expect: organization, given: yes)
      let path = "organizations/\(AdminClient.escape(organization))"
      Output.document(try await admin.connect().call(.DELETE, path), json: admin.json)
    }
  }
}

/// A question before what can't be undone.
enum Confirmation {
  static func ask(_ question: String, expect: String, given: Bool) throws {
    if given { return }
    Output.line(question)
    guard readLine() == expect else { throw CommandFailure("Nothing was changed.") }
  }
}
