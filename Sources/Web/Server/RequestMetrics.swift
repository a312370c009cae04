import Platform

/// Which requests came and what became of them, by route template.
///
/// Every route has its counters from the start: counting a request is one look-up in a table that never changes.
final class RequestMetrics: Sendable {
  let inFlight = Gauge()
  private let routes: [String: RouteCounts]
  private let unknown = RouteCounts()
  private let tenants: Series<StatusCounts>

  /// The route of a request that no endpoint is mounted for.
  static let noRoute = "none"

  /// - Parameters:
  ///   - routes: The templates of everything that is mounted.
  ///   - tenantsMax: How many organizations have series of their own.
  init(routes: [String], tenantsMax: Int) {
    self.routes = Dictionary(
      routes.map { ($0, RouteCounts()) }, uniquingKeysWith: { first, _ in first })
    tenants = Series(valuesMax: tenantsMax) { StatusCounts() }
  }

  /// The template as it is told to others: the router names one for requests without a route, too.
  func template(_ path: String?) -> String {
    path.flatMap { routes[$0] == nil ? nil : $0 } ?? Self.noRoute
  }

  func record(
    _ method: MethodLabel, route: String, tenant: String?, status: Int, nanoseconds: Int
  ) {
    let counts = routes[route] ?? unknown
    counts.requests[method.index].add(status)
    counts.durations.observe(nanoseconds: nanoseconds)
    if let tenant { tenants[tenant].add(status) }
  }

  private var all: [(route: String, counts: RouteCounts)] {
    routes.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } + [(Self.noRoute, unknown)]
  }

  var families: [MetricFamily] {
    [
      MetricFamily(
        "tenure_http_requests_total", "Requests answered, by route template and class of status.",
        .counter, by: ["method", "route", "status"]
      ) { [self] in
        all.flatMap { route, counts in
          MethodLabel.allCases.flatMap { method in
            counts.requests[method.index].used.map { status, count in
              MetricSample(count, method.rawValue, route, status)
            }
          }
        }
      },
      MetricFamily(
        "tenure_http_request_duration_seconds", "Time until the answer to a request began.",
        .histogram, by: ["route"]
      ) { [self] in
        all.compactMap { route, counts in
          let durations = counts.durations.snapshot
          return durations.count == 0 ? nil : MetricSample(.durations(durations), route)
        }
      },
      .gauge("tenure_http_requests_in_flight", "Requests whose answer has not begun.") {
        [inFlight] in inFlight.value
      },
      MetricFamily(
        "tenure_tenant_requests_total",
        "Requests to organizations; those beyond TENURE_METRICS_TENANTS share the tenant _other.",
        .counter, by: ["tenant", "status"]
      ) { [tenants] in
        tenants.all.flatMap { tenant, counts in
          counts.used.map { status, count in MetricSample(count, tenant, status) }
        }
      },
    ]
  }
}

/// The counters of one route.
private struct RouteCounts: Sendable {
  /// By the index of ``MethodLabel``.
  let requests = MethodLabel.allCases.map { _ in StatusCounts() }
  let durations = DurationHistogram(.interactive)
}

/// Counters by the class of a status code.
private struct StatusCounts: Sendable {
  private let counters = (1...5).map { _ in Counter() }

  func add(_ status: Int) {
    counters[min(max(status / 100, 1), 5) - 1].add()
  }

  /// The classes that have occurred.
  var used: [(status: String, count: Int)] {
    counters.enumerated().compactMap { index, counter in
      counter.value == 0 ? nil : ("\(index + 1)xx", counter.value)
    }
  }
}
