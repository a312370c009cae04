/// Documents that are the same for everybody, against a bare hello.
struct PublishedRow: Row {
  enum Document: String, Sendable {
    case discovery = ".well-known/openid-configuration"
    case keys = ".well-known/jwks.json"
  }

  let document: Document

  init(_ document: Document) { self.document = document }

  var name: String { document == .discovery ? "discovery" : "jwks" }
  var work: String { document == .discovery ? "discovery" : "JWKS" }
  var isMixed: Bool { true }
  let bars = [
    Bar("rate", "requests/s"), Bar("ratio", "of hello", .atLeast(0.85)),
    Bar("hello", "requests/s, bare Hummingbird"), Bar("cpu", "µs of processor each"),
    Bar("hello-cpu", "µs of processor each, bare Hummingbird"),
  ]

  func measure(_ bench: Bench, tenants: Int) async throws -> Figures {
    let port = bench.product.port
    let requests = try await bench.organizations(tenants).map {
      HTTPRequest.get($0.path(document.rawValue))
    }
    try await HTTP.send(requests[0], at: port).require(200)
    let hello = try await bench.hello()
    let (load, cost) = try await bench.accounting {
      try await Load.run(
        Load.replay(requests, port: port), seconds: bench.plan.seconds, connections: 32,
        port: port)
    }
    return [
      "rate": load.requestsPerSecond, "ratio": load.requestsPerSecond / hello.rate,
      "hello": hello.rate, "hello-cpu": hello.cpu,
      "cpu": cost.product / load.requests * 1e6,
    ]
  }
}
