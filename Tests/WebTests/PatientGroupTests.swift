import Dispatch
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

  /// Lets everything wait that is to run on it.
  final class SlowExecutor: TaskExecutor {
    func enqueue(_ job: consuming ExecutorJob) {
      let job = UnownedJob(job)
      DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(600)) {
        job.runSynchronously(on: self.asUnownedTaskExecutor())
      }
    }
  }

  @Test("are turned away when they wait too long there, and nobody else is")
  func shed() async throws {
    let groups = [
      EndpointGroup(at: "page", [Niceness()], on: SlowExecutor()) { Found(base: $1) },
      EndpointGroup(at: "token", [Niceness()]) { Found(base: $1) },
    ]
    try await TestServer.run(groups, settings: { $0.queueMilliseconds = .at(500) }) { server in
      var statuses: [Int] = []
      while statuses.count < 100, statuses.last != 503 {
        statuses.append(try await server.send("GET", "/page/niceness").status)
      }
      #expect(statuses.first == 200 && statuses.last == 503, "\(statuses)")
      #expect(try await server.send("GET", "/token/niceness").status == 200)
    }
  }
}
