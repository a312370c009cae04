import Foundation
import Glibc
import NIOHTTP1
import Platform
import Testing

/// Traces as a collector receives them (OTLP/HTTP, W3C Trace Context).
@Suite("Traces")
struct TraceTests {
  private static let id = "0af7651916cd43dd8448eb211c80319c"

  @Test(
    "Requests, their statements and jobs arrive, also after refusals and at shutdown",
    .timeLimit(.minutes(10)))
  func traces() async throws {
    let deployment = try await Deployment()
    let collector = try await Collector(in: deployment.folder, refusing: 2)
    let server = try await deployment.serve(
      roles: "control,runtime,worker",
      environment: ["TENURE_TRACES_ENDPOINT": collector.endpoint])
    let tenant = try await TestTenant(deployment.admin)
    let traceparent = "00-\(Self.id)-b7ad6b7169203331-01"
    let reply = try await HTTP.get(
      "\(tenant.issuer)/.well-known/jwks.json", headers: [("traceparent", traceparent)])
    #expect(reply.status == 200)

    let root = try await collector.span { $0["parentSpanId"] == "b7ad6b7169203331" }
    #expect(root["name"] == "GET /t/{slug}/.well-known/jwks.json")
    #expect(root["traceId"]?.stringValue == Self.id && root["kind"] == 2)
    let statement = try await collector.span { $0["name"] == "TakeReadyOrganization" }
    let request = try await collector.span { $0["name"] == "POST /admin/v1/organizations" }
    #expect(statement["traceId"] == request["traceId"])
    #expect(statement["parentSpanId"] == request["spanId"] && statement["kind"] == 3)

    let path = "\(tenant.path)/retention/runs"
    #expect(try await deployment.admin.call(.POST, path, ["dry_run": false]).status == 202)
    let job = try await collector.span { $0["name"] == "job privacy.retention" }
    #expect(job["parentSpanId"] == nil && job["kind"] == 5)

    // Not recorded, as its caller has decided; and the very last before the end is.
    let unsampled = String(repeating: "a", count: 32)
    _ = try await HTTP.get(
      "\(tenant.issuer)/.well-known/jwks.json",
      headers: [("traceparent", "00-\(unsampled)-b7ad6b7169203331-00")])
    let last = String(repeating: "b", count: 32)
    _ = try await HTTP.get(
      "\(tenant.issuer)/.well-known/jwks.json",
      headers: [("traceparent", "00-\(last)-b7ad6b7169203331-01")])
    try await server.end(SIGTERM)
    #expect(collector.text.contains(last))
    #expect(!collector.text.contains(unsampled))
    try await collector.process.end(SIGTERM)
  }

  @Test("A collector that is away slows nobody down", .timeLimit(.minutes(10)))
  func away() async throws {
    let deployment = try await Deployment()
    let nobody = try Deployment.freePort()
    let server = try await deployment.serve(
      roles: "control,runtime",
      environment: ["TENURE_TRACES_ENDPOINT": "http://127.0.0.1:\(nobody)/v1/traces"])
    #expect(try await deployment.admin.call(.GET, "organizations").status == 200)
    try await server.end(SIGTERM)
    #expect(try await server.wait() == 0)
  }
}
