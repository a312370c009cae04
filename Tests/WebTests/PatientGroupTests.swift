import Glibc
import Hummingbird
import Platform
import Synchronization
import Testing

@testable import Web

@Suite("Endpoints that can wait a moment")
struct PatientGroupTests {
  struct Found: DerivedContext {
    var base: BaseContext
  }

  /// Says how nice the thread is that answers.
  struct Niceness: Endpoint {
    func mount(on routes: some RouterMethods<Found>) {
      routes.get("niceness") { _, _ in
        await Task.yield()
        return String(getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0))
      }
    }
    typealias Context = Found
  }

  @Test("run on threads of their own, behind those of other endpoints")
  func threads() async throws {
    let groups = [
      EndpointGroup(at: "page", [Niceness()], on: PatientExecutor.shared) { Found(base: $1) },
      EndpointGroup(at: "token", [Niceness()]) { Found(base: $1) },
    ]
    try await TestServer.run(groups) { server in
      let own = try #require(Int(try await server.send("GET", "/token/niceness").body))
      let patient = try #require(Int(try await server.send("GET", "/page/niceness").body))
      #expect(patient > own)
    }
  }
}
