import ArgumentParser
import Database
import Logging
import Web

/// `tenure routes`: everything the server answers, for whoever configures a proxy.
struct RoutesCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "routes", abstract: "List what 'tenure serve' answers: methods and paths.")

  @Option(help: "The duties of the server, with commas between: control, runtime, worker.")
  var roles = "control,runtime,worker"

  func run() async throws {
    let product = try Wiring(ServeSettings.load(), logger: Logger(label: "tenure"))
    for route in try product.routes(Role.parse(roles)) { Output.line(route) }
    await product.close()
  }
}
