import Database
import FoundationEssentials
import Platform
import TestSupport
import Testing

@testable import Jobs

@Suite("Design section 8: the queue")
struct JobQueueTests {
  struct Cancelled: Error {}

  @Test("a job exists only if its transaction commits, for a tenant's role too")
  func transactional() async throws {
    let harness = try await JobsHarness.fresh()
    let tenant = try await harness.test.freshTenant()
    let handler = CountHandler()
    try await harness.serving([harness.wakeUp, harness.worker([handler], pollSeconds: 30)]) {
      await #expect(throws: Cancelled.self) {
        try await harness.database.transaction(in: tenant.schema) { tx in
          try await harness.queue.enqueue(
            Count(number: 1), organization: tenant.organization, uniqueKey: nil, in: tx)
          throw Cancelled()
        }
      }
      let id = try await harness.database.transaction(in: tenant.schema) { tx in
        try await harness.queue.enqueue(
          Count(number: 2), organization: tenant.organization, uniqueKey: nil, in: tx)
      }
      try await eventually { try await harness.state(id) == .completed }
    }
    #expect(handler.numbers == [2])
  }

  @Test("a command wakes the workers before it ends")
  func command() async throws {
    let harness = try await JobsHarness.fresh()
    let handler = CountHandler()
    @Sendable func add(_ number: Int) async throws {
      try await harness.queue.enqueue(
        Count(number: number), organization: nil, runAt: nil, uniqueKey: nil)
    }
    try await add(1)
    try await harness.serving([harness.worker([handler], pollSeconds: 30)]) {
      // From here on the worker waits for a ring.
      try await eventually { handler.numbers == [1] }
      try await add(2)
      await harness.wakeUp.flush()
      try await eventually { handler.numbers == [1, 2] }
    }
  }

  @Test("two workers: every job runs once")
  func twoWorkers() async throws {
    let harness = try await JobsHarness.fresh()
    let first = CountHandler()
    let second = CountHandler()
    let organizations = (0..<20).map { _ in UUID() }
    try await harness.queue.enqueue(
      each: (0..<2000).map { (organizations[$0 % 20], Count(number: $0)) })
    try await harness.serving([harness.worker([first]), harness.worker([second])]) {
      try await eventually { first.numbers.count + second.numbers.count >= 2000 }
    }
    #expect((first.numbers + second.numbers).sorted() == Array(0..<2000))
    #expect((first.attempts + second.attempts).allSatisfy { $0 == 1 })
    let all = JobFilter(state: .completed, kind: nil, organization: organizations[3])
    #expect(try await harness.queue.list(all, before: nil, limit: 500).count == 100)
  }

  @Test("one of a unique key at a time; the dead do not count")
  func unique() async throws {
    let harness = try await JobsHarness.fresh()
    let queue = harness.queue
    let add = { (key: String) in
      try await queue.enqueue(
        Fail(isPermanent: true), organization: nil, runAt: nil, uniqueKey: key)
    }
    let first = try await add("a")
    #expect(first != nil)
    #expect(try await add("a") == nil)
    #expect(try await add("b") != nil)
    try await harness.serving([harness.worker([FailHandler()])]) {
      try await eventually { try await harness.state(first) == .dead }
    }
    let second = try await add("a")
    #expect(second != nil)
    // The dead one cannot come back while the new one is there.
    #expect(try await queue.retry(#require(first)) == false)
    #expect(try await queue.cancel(#require(second)))
    #expect(try await queue.retry(#require(first)))
  }

  @Test("pages of the list, newest first")
  func list() async throws {
    let harness = try await JobsHarness.fresh()
    let organization = UUID()
    var ids: [ID<JobRecord>] = []
    for number in 0..<5 {
      harness.clock.advance(bySeconds: 1)
      ids.append(
        try #require(
          try await harness.queue.enqueue(
            Count(number: number), organization: number == 2 ? nil : organization, runAt: nil,
            uniqueKey: nil)))
    }
    #expect(try await harness.queue.cancel(ids[4]))
    let any = JobFilter(state: nil, kind: nil, organization: nil)
    let page = try await harness.queue.list(any, before: nil, limit: 2)
    #expect(page.map(\.id) == [ids[4], ids[3]])
    #expect(page.map(\.state) == [.cancelled, .available])
    let rest = try await harness.queue.list(any, before: page.last?.id, limit: 10)
    #expect(rest.map(\.id) == [ids[2], ids[1], ids[0]])
    let own = JobFilter(state: .available, kind: "test.count", organization: organization)
    #expect(
      try await harness.queue.list(own, before: nil, limit: 10).map(\.id) == [
        ids[3], ids[1], ids[0],
      ])
    let other = JobFilter(state: nil, kind: "test.other", organization: nil)
    #expect(try await harness.queue.list(other, before: nil, limit: 10).isEmpty)
  }

  @Test("cancelling ends a waiting job at once, and a running one at the next heartbeat")
  func cancel() async throws {
    let harness = try await JobsHarness.fresh()
    let waiting = try await harness.queue.enqueue(
      Wait(), organization: nil, runAt: harness.clock.clock.now().addingTimeInterval(60),
      uniqueKey: nil)
    #expect(try await harness.queue.cancel(#require(waiting)))
    #expect(try await harness.state(waiting) == .cancelled)
    #expect(try await harness.queue.cancel(#require(waiting)) == false)

    let started = TestSignal<Void>.armed()
    let running = try await harness.queue.enqueue(
      Wait(), organization: nil, runAt: nil, uniqueKey: nil)
    let worker = harness.worker([WaitHandler(started: started)], heartbeatSeconds: 60)
    try await harness.serving([harness.wakeUp, worker]) {
      try await started.wait()
      #expect(try await harness.queue.cancel(#require(running)))
      try await eventually { try await harness.state(running) == .cancelled }
    }
  }

  @Test("progress is written")
  func progress() async throws {
    let harness = try await JobsHarness.fresh()
    let started = TestSignal<Void>.armed()
    let id = try #require(
      try await harness.queue.enqueue(Wait(), organization: nil, runAt: nil, uniqueKey: nil))
    try await harness.serving([harness.worker([WaitHandler(started: started)])]) {
      try await started.wait()
      try await eventually {
        try await harness.queue.find(id)?.progress == JobProgress(done: 1, total: 3)
      }
    }
    // The shutdown has handed it back as if it had never been claimed.
    let job = try await harness.queue.find(id)
    #expect(job?.state == .available)
    #expect(job?.attempt == 0)
  }
}
