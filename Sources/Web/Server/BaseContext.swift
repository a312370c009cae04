package import Hummingbird
import Logging
import NIOCore
import Platform
import Synchronization

/// What every request context of this server offers.
package protocol WebContext: RequestContext {
  var base: BaseContext { get set }
}

extension WebContext {
  /// The correlation id: from `X-Request-ID` when that is sane, otherwise generated.
  package var id: String { base.requestID }
  package var requestID: String { base.requestID }
  /// The address of the other end of the connection, without its port.
  package var peerAddress: String? { base.channel.remoteAddress?.ipAddress }

  /// Adds a field to this request's line in the access log: ids, never personal data.
  package func note(_ key: String, _ value: String) { base.notes.add(key, value) }
  /// Says whose request it is, by the organization's slug: for the log, the metrics and the trace.
  package func note(tenant: String) { base.notes.name(tenant) }
  /// Names the organization error pages of this request are headed with.
  package func brand(_ owner: PageOwner) { base.notes.brand(owner) }
}

/// A context made from ``BaseContext`` by the `resolve` of an ``EndpointGroup``.
///
/// Conforming is one stored property, `var base: BaseContext`, plus what the feature adds.
package protocol DerivedContext: WebContext where Source == Never {}

extension DerivedContext {
  package var coreContext: CoreRequestContextStorage {
    get { base.coreContext }
    set { base.coreContext = newValue }
  }

  package init(source: Never) { switch source {} }
}

/// What is known of any request: its id, its connection, and notes for the access log.
package struct BaseContext: WebContext {
  package var coreContext: CoreRequestContextStorage
  package internal(set) var requestID: String
  let channel: any Channel
  let notes = RequestNotes()

  package init(source: ApplicationRequestContextSource) {
    coreContext = CoreRequestContextStorage(source: source)
    channel = source.channel
    requestID = ""
  }

  package var base: BaseContext {
    get { self }
    set { self = newValue }
  }

  /// Takes over the caller's correlation id, or makes one, and stamps the logger with it.
  ///
  /// A trace that begins with the request lends it its own id.
  mutating func identify(_ request: Request, in trace: TraceContext, isNew: Bool) {
    requestID =
      if let given = request.headers[.requestID], RequestIdentifier.isSane(given) {
        given
      } else if isNew {
        trace.traceIDText
      } else {
        TraceContext.begin(isSampled: false).traceIDText
      }
    logger[metadataKey: "hb.request.id"] = nil
    logger[metadataKey: "request_id"] = .string(requestID)
  }
}

/// Correlation ids: not secrets, only unlikely to repeat.
enum RequestIdentifier {
  /// Whether a given id can go into logs and headers: 8 to 64 letters, digits, `.`, `_`, `-`.
  static func isSane(_ text: String) -> Bool {
    let bytes = text.utf8
    return (8...64).contains(bytes.count)
      && bytes.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
          UInt8(ascii: "."):
          true
        default: false
        }
      }
  }
}

/// What handlers tell the middleware outside them; shared by the copies of one request's context.
package final class RequestNotes: Sendable {
  struct State {
    var tenant: String?
    var fields: [(name: String, value: String)] = []
    var owner: PageOwner?
  }
  private let state = Mutex(State())

  func add(_ key: String, _ value: String) {
    state.withLock { $0.fields.append((key, value)) }
  }

  func name(_ tenant: String) {
    state.withLock { $0.tenant = tenant }
  }

  func brand(_ owner: PageOwner) {
    state.withLock { $0.owner = owner }
  }

  var current: State { state.withLock { $0 } }
}
