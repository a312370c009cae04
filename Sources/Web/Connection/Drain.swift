import NIOCore
import ServiceLifecycle
import Synchronization

/// Takes the server out of service without losing a request.
///
/// Run it as the last service: it is the first to hear of the shutdown. It tells (readiness turns
/// to 503, answers say `Connection: close`), waits until load balancers have noticed, lets no new
/// connection begin and takes those that have; only then does the server behind it stop.
package final class Drain: Service {
  /// Long enough for connections that were just accepted to be set up.
  private static let settling = Duration.milliseconds(100)
  /// How long connections may wait to be accepted when no more can begin.
  private static let acceptingMax = Duration.seconds(5)

  private let readiness: Readiness
  private let delaySeconds: Int
  private let listener = Mutex<(any Channel)?>(nil)

  package init(readiness: Readiness, delaySeconds: Int) {
    self.readiness = readiness
    self.delaySeconds = delaySeconds
  }

  /// Whether new work should go elsewhere.
  var isDraining: Bool { readiness.isDraining }

  func listens(on channel: any Channel) {
    listener.withLock { $0 = channel }
  }

  package func run() async throws {
    try await gracefulShutdown()
    readiness.drain()
    guard delaySeconds > 0 else { return }
    try await Task.sleep(for: .seconds(delaySeconds))
    guard let channel = listener.withLock({ $0 }) else { return }
    try? await SynFilter.attach(to: channel)
    let end = ContinuousClock.now + Self.acceptingMax
    while .now < end, (try? await SynFilter.waiting(on: channel)) ?? 0 > 0 {
      try await Task.sleep(for: .milliseconds(10))
    }
    try await Task.sleep(for: Self.settling)
  }
}
