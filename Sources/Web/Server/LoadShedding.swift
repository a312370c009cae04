import HTTPTypes
import Hummingbird
import NIOCore
package import Platform
import Synchronization

/// Turns requests away while they wait too long before anybody looks at them (our policy; the idea of a
/// standing queue is that of CoDel, RFC 8289 section 3).
///
/// One late request is a hiccup. When for a tenth of a second none was in time, there is a queue that
/// does not drain, and whoever is at its end will have given up when their turn comes.
package final class LoadShedder: Sendable {
  package enum Priority: Sendable {
    /// The beginning of something.
    case first
    /// A form that was filled in, a code to redeem: turning it away loses work that is done already.
    case started
  }

  static let standing = TimeAmount.milliseconds(100)

  private let target: TimeAmount?
  /// Since when every request was late, in nanoseconds; 0 if the last one was in time.
  private let lateSince = Atomic<UInt64>(0)

  package init(targetMilliseconds: Cap) {
    target =
      switch targetMilliseconds {
      case .off: nil
      case .at(let value): .milliseconds(Int64(value))
      }
  }

  /// Whether a request that waited so long is served; started work may wait twice as long.
  func admits(_ queueTime: TimeAmount, _ priority: Priority, now: NIODeadline) -> Bool {
    guard let target else { return true }
    guard queueTime > target else {
      if lateSince.load(ordering: .relaxed) != 0 { lateSince.store(0, ordering: .relaxed) }
      return true
    }
    let since = lateSince.load(ordering: .relaxed)
    guard since != 0 else {
      lateSince.store(now.uptimeNanoseconds, ordering: .relaxed)
      return true
    }
    guard now - .uptimeNanoseconds(since) >= Self.standing else { return true }
    return priority == .started && queueTime <= target * 2
  }
}

/// Asks the shedder before any work is done.
struct LoadShedding: RouterMiddleware {
  let shedder: LoadShedder
  /// How long the request waits already elsewhere, for example those before it for the database.
  let backlog: @Sendable () -> Duration

  func handle(
    _ request: Request, context: BaseContext,
    next: (Request, BaseContext) async throws -> Response
  ) async throws -> Response {
    try check(request, context)
    return try await next(request, context)
  }

  /// - Throws: ``Problem`` for a request that has waited too long.
  func check(_ request: Request, _ context: BaseContext) throws {
    let now = NIODeadline.now()
    let waited = max(
      context.connection?.queueTime(now) ?? .zero, TimeAmount(backlog()))
    guard shedder.admits(waited, Self.priority(request), now: now) else {
      throw Problem.unavailable(
        "Too many requests are waiting right now. Try again in a moment.", reason: "shed")
    }
  }

  /// A browser that has a cookie of ours, and whoever sends something, is in the middle of a flow.
  static func priority(_ request: Request) -> LoadShedder.Priority {
    request.method == .post || request.headers.contains(.cookie) ? .started : .first
  }
}
