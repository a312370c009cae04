import Hummingbird
import HummingbirdCore
package import Logging
import NIOCore
package import Platform
import ServiceLifecycle

/// The internal listener: is the process alive, does it want requests, what does it count (design section 5).
///
/// It has its own address, so that nobody outside reaches it, and nothing it answers waits for the database longer than
/// ``Readiness`` allows.
package struct InternalServer: Service {
  private let settings: InternalSettings
  private let responder: RouterResponder<BasicRequestContext>
  private let logger: Logger
  private let onListening: @Sendable (Int) async -> Void

  package init(
    settings: InternalSettings, readiness: Readiness, metrics: MetricsRegistry, logger: Logger,
    onListening: @escaping @Sendable (Int) async -> Void
  ) {
    self.settings = settings
    self.logger = logger
    self.onListening = onListening
    let router = Router(context: BasicRequestContext.self, options: .autoGenerateHeadEndpoints)
    router.get("healthz") { _, _ in
      Self.answer(.ok, "text/plain; charset=utf-8", Array("ok\n".utf8))
    }
    router.get("readyz") { _, _ in
      let report = await readiness.report()
      return Self.answer(
        report.isReady ? .ok : .serviceUnavailable, "application/json", report.json.encoded())
    }
    router.get("metrics") { _, _ in
      Self.answer(.ok, MetricsRegistry.mediaType, metrics.exposition())
    }
    responder = router.buildResponder()
  }

  package func run() async throws {
    let application = Application(
      responder: responder,
      server: .http1(configuration: .init(idleTimeout: .seconds(60))),
      configuration: ApplicationConfiguration(
        address: .hostname(settings.address, port: settings.port),
        availableConnectionsDelegate: MaximumAvailableConnections(Self.connectionsMax)),
      onServerRunning: { [onListening, settings] channel in
        await onListening(channel.localAddress?.port ?? settings.port)
      }, logger: logger)
    do {
      try await application.run()
    } catch let error as IOError {
      throw ListenError(address: settings.address, port: settings.port, errno: error.errnoCode)
    }
  }

  private static let connectionsMax = 100

  private static func answer(
    _ status: HTTPResponse.Status, _ type: String, _ bytes: [UInt8]
  ) -> Response {
    Response(
      status: status, headers: [.contentType: type, .cacheControl: "no-store"],
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
  }
}

/// Where the internal listener is.
package struct InternalSettings: Sendable {
  package var address: String
  package var port: Int

  package init(_ read: inout SettingsReader) {
    address = read.value(
      "INTERNAL_ADDRESS", default: "127.0.0.1",
      "Address of the internal listener: /healthz, /readyz and /metrics.")
    port = read.value(
      "INTERNAL_PORT", default: 9090, in: 0...65535,
      "Port of the internal listener; 0 picks a free one.")
  }
}
