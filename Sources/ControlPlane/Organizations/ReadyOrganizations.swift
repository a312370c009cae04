import Logging
package import Platform
import ServiceLifecycle

/// Keeps a few organizations ready, so that a sign-up waits neither for RSA nor for tables (decision 0008).
///
/// They lie in the database as organizations that are `provisioning`: a process that ends leaves nothing half made and
/// nothing to clean up, each is given out once, and they take part in migrations like all others.
final class ReadyOrganizations: Service {
  private let provisioner: Provisioner
  private let settings: ReadyOrganizationSettings
  private let bell: ReadyBell
  private let logger: Logger

  init(
    provisioner: Provisioner, settings: ReadyOrganizationSettings, bell: ReadyBell, logger: Logger
  ) {
    self.provisioner = provisioner
    self.settings = settings
    self.bell = bell
    self.logger = logger
  }

  func run() async throws {
    bell.ring()
    await cancelWhenGracefulShutdown {
      for await _ in self.bell.rings { await self.fill() }
    }
  }

  /// Makes what is missing, one at a time: whoever signs up has the other processors.
  func fill() async {
    do {
      try await provisioner.publish()
      await refillSpares()
      while !Task.isCancelled, try await provisioner.readyCount < settings.count {
        guard try await provisioner.stock(upTo: settings.count) else { return }
        await refillSpares()
      }
    } catch  where !Task.isCancelled {
      logger.warning("no ready organization", metadata: ["error": "\(String(reflecting: error))"])
    } catch {}
  }

  /// Without any an organization makes its own.
  private func refillSpares() async {
    do {
      try await provisioner.refillSpares()
    } catch  where !Task.isCancelled {
      logger.warning("no spare schemas", metadata: ["error": "\(String(reflecting: error))"])
    } catch {}
  }
}

/// Says that an organization was taken; one waiting ring says all.
struct ReadyBell: Sendable {
  let rings: AsyncStream<Void>
  private let continuation: AsyncStream<Void>.Continuation

  init() {
    (rings, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  func ring() { continuation.yield() }
}

package struct ReadyOrganizationSettings: Sendable {
  let count: Int

  package init(count: Int) {
    self.count = count
  }

  package init(_ read: inout SettingsReader) {
    count = read.value(
      "READY_ORGANIZATIONS", default: 4, in: 0...10_000,
      "Organizations made ahead of time, with tables and keys, so that a sign-up waits for neither."
    )
  }
}
