import Database
import FoundationEssentials
import TestSupport
import Testing

@Suite("Listener")
struct ListenerTests {
  @Test("it hears what commits, not what rolls back, and connects again when it is cut off")
  func hears() async throws {
    let test = try await TestDatabase.fresh(migrated: false)
    let events = Shared<[ListenerEvent]>([])
    let listener = test.database.listener(on: ["first_channel", "second_channel"]) { event in
      events.withLock { $0.append(event) }
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await listener.run() }
      try await happens(.connected, 1, in: events)
      try await test.database.transaction { tx in
        try await tx.run(Notify("first_channel", "one"))
        try await tx.run(Notify("third_channel", "nobody"))
      }
      _ = try await sqlState {
        try await test.database.transaction { tx in
          try await tx.run(Notify("first_channel", "lost"))
          try await tx.run(Fails())
        }
      }
      try await test.database.run(Notify("second_channel", "two"))
      try await happens(.notification(channel: "second_channel", payload: "two"), 1, in: events)
      #expect(
        events.withLock { $0 } == [
          .connected, .notification(channel: "first_channel", payload: "one"),
          .notification(channel: "second_channel", payload: "two"),
        ])
      let backend = try #require(try await test.database.first(Listeners()))
      try await test.database.run(Terminate(backend: backend))
      try await happens(.lost, 1, in: events)
      try await happens(.connected, 2, in: events)
      try await test.database.run(Notify("first_channel", "three"))
      try await happens(.notification(channel: "first_channel", payload: "three"), 1, in: events)
      group.cancelAll()
    }
  }

  private func happens(
    _ event: ListenerEvent, _ count: Int, in events: Shared<[ListenerEvent]>
  ) async throws {
    try await eventually { events.withLock { $0.count { $0 == event } } >= count ? true : nil }
  }
}

private struct Listeners: Statement {
  static let sql: SQL<Self> = """
    select pid from pg_stat_activity where datname = current_database() and query like 'listen%'
    """
  static func decode(_ row: inout RowReader) throws -> Int32 { try row.next() }
}
