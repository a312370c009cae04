import ArgumentParser
import NIOHTTP1
import Platform

/// `tenure client …`: the applications of an organization (RFC 7591 names).
struct ClientCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "client",
    abstract: "Create, list, show, disable, enable, revoke and delete applications.",
    subcommands: [
      Create.self, List.self, Show.self, Disable.self, Enable.self, Revoke.self, Delete.self,
      InitialAccessToken.self,
    ])

  struct Create: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Register an application; a secret is printed once.")
    @Argument(help: "The organization's slug or id.") var organization: String
    @Argument(help: "The application's name.") var name: String
    @Option(name: .customLong("redirect-uri"), help: "A redirect URI; repeat for more.")
    var redirectURIs: [String] = []
    @Flag(help: "A public client: no secret.") var `public` = false
    @Flag(help: "A service: client credentials only.") var service = false
    @Option(help: "The scopes it may ask for, with spaces between.") var scope: String?
    @OptionGroup var admin: AdminOptions

    func run() async throws {
      var body: JSONObject = ["client_name": .string(name)]
      if service {
        body["grant_types"] = ["client_credentials"]
        body["response_types"] = []
      } else {
        body["grant_types"] = ["authorization_code", "refresh_token"]
        body["redirect_uris"] = .array(redirectURIs.map { .string($0) })
      }
      if `public` { body["token_endpoint_auth_method"] = "none" }
      if let scope { body["scope"] = .string(scope) }
      let path = "organizations/\(AdminClient.escape(organization))/clients"
      let client = try await admin.connect().call(.POST, path, body: .object(body))
      Output.document(client, json: admin.json)
    }
  }

  struct InitialAccessToken: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "initial-access-token",
      abstract: "Let somebody register applications; the token is printed once.")
    @Argument(help: "The organization's slug or id.") var organization: String
    @Option(help: "How many applications it is good for.") var uses = 1
    @Option(name: .customLong("expires-in"), help: "Seconds until it expires.")
    var expiresIn = 86_400
    @OptionGroup var admin: AdminOptions

    func run() async throws {
      let path = "organizations/\(AdminClient.escape(organization))/initial-access-tokens"
      let token = try await admin.connect().call(
        .POST, path, body: ["uses": .integer(uses), "expires_in": .integer(expiresIn)])
      Output.document(token, json: admin.json)
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the applications.")
    @Argument(help: "The organization's slug or id.") var organization: String
    @OptionGroup var admin: AdminOptions

    func run() async throws {
      let clients = try await admin.connect().pages(
        "organizations/\(AdminClient.escape(organization))/clients", member: "clients")
      Output.list(
        clients, columns: ["client_id", "client_name", "token_endpoint_auth_method", "status"],
        json: admin.json)
    }
  }

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show an application.")
    @Argument(help: "The organization's slug or id.") var organization: String
    @Argument(help: "The client id.") var client: String
    @OptionGroup var admin: AdminOptions

    func run() async throws {
      let path =
        "organizations/\(AdminClient.escape(organization))/clients/\(AdminClient.escape(client))"
      Output.document(try await admin.connect().call(.GET, path), json: admin.json)
    }
  }

  struct Disable: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Refuse an application and the tokens it has, until it is enabled again.")
    @Argument(help: "The organization's slug or id.") var organization: String
    @Argument(help: "The client id.") var client: String
    @OptionGroup var admin: AdminOptions

    func run() async throws { try await admin.post("disable", of: client, in: organization) }
  }

  struct Enable: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Let a disabled application in again.")
    @Argument(help: "The organization's slug or id.") var organization: String
    @Argument(help: "The client id.") var client: String
    @OptionGroup var admin: AdminOptions

    func run() async throws { try await admin.post("enable", of: client, in: organization) }
  }

  struct Revoke: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Revoke everything people granted to an application; it stays.")
    @Argument(help: "The organization's slug or id.") var organization: String
    @Argument(help: "The client's id.") var client: String
    @OptionGroup var admin: AdminOptions

    func run() async throws {
      try await admin.connect().call(
        .DELETE,
        "organizations/\(AdminClient.escape(organization))/clients/\(AdminClient.escape(client))/grants"
      )
    }
  }

  struct Delete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Delete an application and every token it holds.")
    @Argument(help: "The organization's slug or id.") var organization: String
    @Argument(help: "The client id.") var client: String
    @Flag(help: "Delete without asking.") var yes = false
    @OptionGroup var admin: AdminOptions

    func run() async throws {
      try Confirmation.ask(
        "Delete \(client)? Type its id to go on: ", expect: client, given: yes)
      try await admin.connect().call(
        .DELETE,
        "organizations/\(AdminClient.escape(organization))/clients/\(AdminClient.escape(client))")
    }
  }
}

extension AdminOptions {
  /// An action on a client that is answered with the client.
  fileprivate func post(_ action: String, of client: String, in organization: String) async throws {
    let path =
      "organizations/\(AdminClient.escape(organization))/clients/\(AdminClient.escape(client))"
    Output.document(try await connect().call(.POST, "\(path)/\(action)"), json: json)
  }
}
