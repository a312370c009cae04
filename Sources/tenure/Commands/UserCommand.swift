import ArgumentParser
import Foundation
import NIOHTTP1
import Platform

/// `tenure user …`: the users of an organization.
struct UserCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "user",
    abstract: "Create, list, show, sign out and delete users of an organization.",
    subcommands: [
      Create.self, List.self, Show.self, Sessions.self, SignOut.self, Delete.self,
    ])

  struct Create: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Create a user.")
    @Argument(help: "The organization's slug or id.") var organization: String
    @Argument(help: "The user name.") var username: String
    @Option(help: "The e-mail address.") var email: String?
    @Option(help: "The full name.") var name: String?
    @Flag(help: "Read a password from standard input.") var passwordStdin = false
    @OptionGroup var admin: AdminOptions

    func run() async throws {
      var body: JSONObject = ["username": .string(username)]
      if let email { body["email"] = .string(email) }
      if let name { body["name"] = .string(name) }
      if passwordStdin {
        guard let password = readLine(), !password.isEmpty else {
          throw CommandFailure("There is no password on standard input.")
        }
        body["password"] = .string(password)
      }
      let path = "organizations/\(AdminClient.escape(organization))/users"
      let user = try await admin.connect().call(.POST, path, body: .object(body))
      Output.document(user, json: admin.json)
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the users.")
    @Argument(help: "The organization's slug or id.") var organization: String
    @Option(help: "Only the user with this e-mail address.") var email: String?
    @OptionGroup var admin: AdminOptions

    func run() async throws {
      let users = try await admin.connect().pages(
        "organizations/\(AdminClient.escape(organization))/users", member: "users",
        query: [("email", email)])
      Output.list(users, columns: ["id", "username", "email", "status"], json: admin.json)
    }
  }

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show a user.")
    @Argument(help: "The organization's slug or id.") var organization: String
    @Argument(help: "The user's id.") var user: String
    @OptionGroup var admin: AdminOptions

    func run() async throws {
      let path =
        "organizations/\(AdminClient.escape(organization))/users/\(AdminClient.escape(user))"
      Output.document(try await admin.connect().call(.GET, path), json: admin.json)
    }
  }

  struct Sessions: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List where a user is signed in.")
    @Argument(help: "The organization's slug or id.") var organization: String
    @Argument(help: "The user's id.") var user: String
    @OptionGroup var admin: AdminOptions

    func run() async throws {
      let answer = try await admin.connect().call(.GET, sessionsPath(organization, user))
      Output.list(
        answer["sessions"]?.arrayValue ?? [],
        columns: ["id", "auth_time", "expires_at", "ip_address", "user_agent"], json: admin.json)
    }
  }

  struct SignOut: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "End a user's sessions and revoke every grant; or those of one session.")
    @Argument(help: "The organization's slug or id.") var organization: String
    @Argument(help: "The user's id.") var user: String
    @Option(help: "Only this session: its id.") var session: String?
    @OptionGroup var admin: AdminOptions

    func run() async throws {
      let one = session.map { "/\(AdminClient.escape($0))" } ?? ""
      try await admin.connect().call(.DELETE, sessionsPath(organization, user) + one)
    }
  }

  private static func sessionsPath(_ organization: String, _ user: String) -> String {
    "organizations/\(AdminClient.escape(organization))/users/\(AdminClient.escape(user))/sessions"
  }

  struct Delete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Delete a user, who is erased by the same rules as on request.")
    @Argument(help: "The organization's slug or id.") var organization: String
    @Argument(help: "The user's id.") var user: String
    @Flag(help: "Delete without asking.") var yes = false
    @OptionGroup var admin: AdminOptions

    func run() async throws {
      try Confirmation.ask(
        "Erase \(user) for good? Type the id to go on: ", expect: user, given: yes)
      try await admin.connect().call(
        .DELETE,
        "organizations/\(AdminClient.escape(organization))/users/\(AdminClient.escape(user))")
    }
  }
}
