import ArgumentParser
import ControlPlane
import Database
import Jobs
import Logging
import Platform
import Tenancy
import Web

/// `tenure serve`: one process of a deployment, with some or all duties (design section 1).
struct ServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve", abstract: "Serve; settings come from the environment.",
    discussion: "Lists its settings: tenure settings")

  @Option(help: "Its duties, with commas between: control, runtime, worker.")
  var roles = "control,runtime,worker"

  func run() async throws {
    let roles = try Role.parse(roles)
    let product = try Product.load()
    try await product.requireUsableDatabase()
    let logger = product.logger
    try await product.serve(roles) { internalURL in
      logger.info(
        "listening",
        metadata: [
          "base_url": "\(product.settings.web.baseURL)", "internal_url": "\(internalURL)",
        ])
    }
  }
}

/// `tenure bootstrap`: makes the `system` tenant and the first administrator.
struct BootstrapCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bootstrap",
    abstract: "Make the first administrator and print its credentials, once, as JSON.")

  @Flag(help: "Replace the secret of an administrator who is there already.")
  var replaceSecret = false

  func run() async throws {
    let product = try Product.load()
    try await product.requireUsableDatabase()
    let access = try await product.controlPlane.bootstrap.run(replaceSecret ? .replace : .keep)
    await product.close()
    guard let secret = access.clientSecret else {
      throw CommandFailure(
        "There is an administrator already: \(access.clientID). Its secret is kept only as a "
          + "digest; --replace-secret makes a new one.")
    }
    let document: JSON = [
      "token_endpoint": .string(access.tokenEndpoint), "client_id": .string(access.clientID),
      "client_secret": .string(secret.reveal()), "scope": .string(access.scope),
    ]
    Output.line(document.text)
  }
}

/// The product by the settings of the environment.
enum Product {
  static func load(overriding overrides: [String: String] = [:]) throws -> Wiring {
    let settings = try ServeSettings.load(overriding: overrides)
    LogBootstrap.start(settings.logFormat, level: settings.logLevel, clock: .system)
    return try Wiring(settings, logger: Logger(label: "tenure"))
  }
}
