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
    let watch = Stopwatch()
    metrics.inFlight.add(1)
    defer { metrics.inFlight.add(-1) }
    let incoming = request.headers[.traceparent].flatMap(TraceContext.init(traceparent:))
    let span = tracer?.startSpan(
      "request", context: incoming.map { ServiceContext($0) } ?? .topLevel, ofKind: .server)
    let trace = span?.trace ?? incoming?.child ?? .begin(isSampled: false)
    var context = context
    context.identify(request, in: trace, isNew: incoming == nil)
    if let peer = context.clientAddress {
      context.clientAddress = proxies.client(behind: peer, request.headers)
    }
    let visit = Visit(request: request, context: context, trace: trace, watch: watch)
    do {
      var response = try await ServiceContext.withValue(span?.context ?? ServiceContext(trace)) {
        try await next(request, context)
      }
      response.headers[.requestID] = context.requestID
      tell(visit, status: response.status.code, span)
      return response
    } catch {
      tell(visit, status: 500, span)
      throw error
    }
  }

  private struct Visit {
    let request: Request
    let context: BaseContext
    let trace: TraceContext
    let watch: Stopwatch
  }

  private func tell(_ visit: Visit, status: Int, _ span: RecordedSpan?) {
    let nanoseconds = visit.watch.nanoseconds
    let method = MethodLabel(visit.request.method)
    let route = metrics.template(visit.context.endpointPath)
    let notes = visit.context.notes.current
    metrics.record(
      method, route: route, tenant: notes.tenant, status: status, nanoseconds: nanoseconds)
    if let lines {
      var line = lines.begin()
      line.add("request_id", visit.context.requestID)
      line.add("trace_id", visit.trace.traceIDText)
      line.add("method", method.rawValue)
      line.add("route", route)
      line.add("status", status)
      line.add("duration_us", nanoseconds / 1000)
      if let tenant = notes.tenant { line.add("tenant", tenant) }
      for (name, value) in notes.fields { line.add(name, value) }
      lines.write(line)
    }
    guard let span, span.isRecording else { return }
    span.operationName = "\(method.rawValue) \(route)"
    span.updateAttributes { attributes in
      attributes["http.request.method"] = method.rawValue
      attributes["http.route"] = route
      attributes["http.response.status_code"] = status
      if let tenant = notes.tenant { attributes["tenure.tenant"] = tenant }
    }
    if status >= 500 { span.setStatus(SpanStatus(code: .error)) }
    span.end()
  }
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
