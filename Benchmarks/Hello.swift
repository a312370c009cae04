import ArgumentParser
import Hummingbird
import Logging

/// A bare Hummingbird that answers "hello": what everything over HTTP is compared with.
struct HelloCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "hello", abstract: "Serve a bare hello.", shouldDisplay: false)

  @Option(help: "The port to listen on.")
  var port: Int

  func run() async throws {
    let router = Router()
    router.get("/") { _, _ in "hello" }
    var logger = Logger(label: "hello")
    logger.logLevel = .warning
    try await Application(
      router: router, configuration: .init(address: .hostname("127.0.0.1", port: port)),
      logger: logger
    ).runService()
  }
}
