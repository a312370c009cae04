import HTTPTypes
import Hummingbird
import Platform
import Tracing

/// The outermost middleware: gives the request its id and its place in a trace, and tells log, metrics and traces of it.
///
/// All three name the route's template, never the path or the query: both can carry codes and e-mails.
struct AccessLog: RouterMiddleware {
  let proxies: TrustedProxies
  let metrics: RequestMetrics
  /// Nil where requests are not logged.
  let lines: AccessLines?
  /// Nil where nobody collects traces.
  let tracer: SpanRecorder?

  func handle(
    _ request: Request, context: BaseContext,
    next: (Request, BaseContext) async throws -> Response
  ) async throws -> Response {
    let visit = begin(request.head)
    metrics.inFlight.add(1)
    defer { metrics.inFlight.add(-1) }
    var context = context
    context.requestID = visit.requestID
    if let peer = context.clientAddress {
      context.clientAddress = proxies.client(behind: peer, request.headers)
    }
    do {
      var response = try await ServiceContext.withValue(
        visit.span?.context ?? ServiceContext(visit.trace)
      ) {
        try await next(request, context)
      }
      response.headers[.requestID] = visit.requestID
      let (route, notes) = (metrics.template(context.endpointPath), context.notes.current)
      if PublishedAnswers.isPublic(response.headers) {
        context.connection?.noteAnswer(AnswerOrigin(route: route, tenant: notes.tenant))
      }
      tell(
        visit, route: route, tenant: notes.tenant, status: response.status.code, notes.fields)
      return response
    } catch {
      let notes = context.notes.current
      tell(
        visit, route: metrics.template(context.endpointPath), tenant: notes.tenant, status: 500,
        notes.fields)
      throw error
    }
  }

  /// A request that has just come.
  func begin(_ head: HTTPRequest) -> Visit {
    let watch = Stopwatch()
    let incoming = head.headerFields[.traceparent].flatMap(TraceContext.init(traceparent:))
    let span = tracer?.startSpan(
      "request", context: incoming.map { ServiceContext($0) } ?? .topLevel, ofKind: .server)
    let trace = span?.trace ?? incoming?.child ?? .begin(isSampled: false)
    let traceID = trace.traceIDText
    return Visit(
      method: MethodLabel(head.method),
      requestID: RequestIdentifier.of(head, in: traceID, isNew: incoming == nil), trace: trace,
      traceID: traceID, span: span, watch: watch)
  }

  /// Its answer begins.
  func tell(
    _ visit: Visit, route: String, tenant: String?, status: Int,
    _ fields: [(name: String, value: String)] = []
  ) {
    let nanoseconds = visit.watch.nanoseconds
    metrics.record(
      visit.method, route: route, tenant: tenant, status: status, nanoseconds: nanoseconds)
    if let lines {
      var line = lines.begin()
      line.add("request_id", visit.requestID)
      line.add("trace_id", visit.traceID)
      line.add("method", visit.method.rawValue)
      line.add("route", route)
      line.add("status", status)
      line.add("duration_us", nanoseconds / 1000)
      if let tenant { line.add("tenant", tenant) }
      for (name, value) in fields { line.add(name, value) }
      lines.write(line)
    }
    guard let span = visit.span, span.isRecording else { return }
    span.operationName = "\(visit.method.rawValue) \(route)"
    span.updateAttributes { attributes in
      attributes["http.request.method"] = visit.method.rawValue
      attributes["http.route"] = route
      attributes["http.response.status_code"] = status
      if let tenant { attributes["tenure.tenant"] = tenant }
    }
    if status >= 500 { span.setStatus(SpanStatus(code: .error)) }
    span.end()
  }
}

/// A request as log, metrics and traces see it.
struct Visit: Sendable {
  let method: MethodLabel
  let requestID: String
  let trace: TraceContext
  /// As logs show it.
  let traceID: String
  /// Nil where nobody collects traces.
  let span: RecordedSpan?
  let watch: Stopwatch
}

/// The method of a request as a label: whatever a client invents is `other`.
enum MethodLabel: String, CaseIterable {
  case get = "GET"
  case head = "HEAD"
  case post = "POST"
  case put = "PUT"
  case patch = "PATCH"
  case delete = "DELETE"
  case options = "OPTIONS"
  case other

  init(_ method: HTTPRequest.Method) { self = Self(rawValue: method.rawValue) ?? .other }

  var index: Int {
    switch self {
    case .get: 0
    case .head: 1
    case .post: 2
    case .put: 3
    case .patch: 4
    case .delete: 5
    case .options: 6
    case .other: 7
    }
  }
}
