import ArgumentParser
import NIOHTTP1
import Platform

/// `tenure key …`: the keys an organization signs with.
struct KeyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "key", abstract: "List and rotate the signing keys of an organization.",
    subcommands: [List.self, Rotate.self])

  private static let columns = ["kid", "algorithm", "state", "created_at", "activated_at"]

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the signing keys.")
    @Argument(help: "The organization's slug or id.") var organization: String
    @OptionGroup var admin: AdminOptions

    func run() async throws {
      let path = "organizations/\(AdminClient.escape(organization))/keys"
      let answer = try await admin.connect().call(.GET, path)
      Output.list(answer["keys"]?.arrayValue ?? [], columns: columns, json: admin.json)
    }
  }

  struct Rotate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Sign with the next key from now on; the one before stays published for a while.")
    @Argument(help: "The organization's slug or id.") var organization: String
    @Option(
      name: [.customLong("algorithm"), .customLong("alg")],
      help: "Only this algorithm, such as ES256.")
    var algorithm: String?
    @Flag(help: "Withdraw the old keys at once: whatever they have signed is void.")
    var compromised = false
    @Flag(help: "Withdraw without asking.") var yes = false
    @OptionGroup var admin: AdminOptions

    func run() async throws {
      if compromised {
        try Confirmation.ask(
          "Void everything \(organization) has signed? Type its name to go on: ",
          expect: organization, given: yes)
      }
      var body: JSONObject = ["compromised": .bool(compromised)]
      body["algorithm"] = algorithm.map { .string($0) }
      let path = "organizations/\(AdminClient.escape(organization))/keys/rotate"
      let answer = try await admin.connect().call(.POST, path, body: .object(body))
      Output.list(answer["keys"]?.arrayValue ?? [], columns: columns, json: admin.json)
    }
  }
}
