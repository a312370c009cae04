package import HTTPTypes
package import Hummingbird
package import Logging
import NIOCore
package import Platform
import Synchronization

/// What every request context of this server offers.
package protocol WebContext: RequestContext {
  var base: BaseContext { get set }
}

extension WebContext {
  /// The correlation id: from `X-Request-ID` when that is sane, otherwise generated.
  package var id: String { base.requestID }
  package var requestID: String { base.requestID }
  /// Who sent the request: the other end of the connection, or whom trusted proxies name; nil on a
  /// socket without addresses.
  package var clientAddress: IPAddress? { base.clientAddress }

  /// Where a handler logs: the lines carry the correlation id.
  ///
  /// Made of Hummingbird's `logger` when it is asked for, since most requests have nothing to say.
  package var log: Logger {
    var log = logger
    log[metadataKey: "hb.request.id"] = nil
    log[metadataKey: "request_id"] = .string(requestID)
    return log
  }

  /// Adds a field to this request's line in the access log: ids, never personal data.
  package func note(_ key: String, _ value: String) { base.notes.add(key, value) }
  /// Says whose request it is, by the organization's slug: for the log, the metrics and the trace.
  package func note(tenant: String) { base.notes.name(tenant) }
  /// Names the organization error pages of this request are headed with.
  package func brand(_ owner: PageOwner) { base.notes.brand(owner) }
  /// Opens the answer to the browser applications of the client it is for.
  package func allowOrigins(_ origins: @autoclosure () -> [String], for headers: HTTPFields) {
    if headers.contains(.origin) { base.notes.allow(origins()) }
  }
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
  let connection: Connection?
  var clientAddress: IPAddress?
  let notes = RequestNotes()

  package init(source: ApplicationRequestContextSource) {
    coreContext = CoreRequestContextStorage(source: source)
    channel = source.channel
    connection = Connection.current
    clientAddress = connection?.peer
    requestID = ""
  }

  package var base: BaseContext {
    get { self }
    set { self = newValue }
  }
}

/// Correlation ids: not secrets, only unlikely to repeat.
enum RequestIdentifier {
  /// The caller's, if it sent a sane one; a trace that begins with the request lends it its own.
  static func of(_ head: HTTPRequest, in traceID: String, isNew: Bool) -> String {
    if let given = head.headerFields[.requestID], isSane(given) { return given }
    return isNew ? traceID : TraceContext.begin(isSampled: false).traceIDText
  }

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
    var limits: [LimitState] = []
    var charges: [LimitCharge] = []
    var origins: [String] = []
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

  func allow(_ origins: [String]) {
    state.withLock { $0.origins = origins }
  }

  func note(_ limits: [LimitState]) {
    state.withLock { $0.limits += limits }
  }

  func charged(_ charges: [LimitCharge]) {
    state.withLock { $0.charges += charges }
  }

  /// What the request was charged so far; the next call finds nothing.
  func takeCharges() -> [LimitCharge] {
    state.withLock { state in
      defer { state.charges = [] }
      return state.charges
    }
  }

  var current: State { state.withLock { $0 } }
  var limits: [LimitState] { state.withLock { $0.limits } }
  var origins: [String] { state.withLock { $0.origins } }
}
