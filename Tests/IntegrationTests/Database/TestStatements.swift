import Database
import FoundationEssentials
import Synchronization

struct InsertPurpose: Statement {
  let id: String
  var status = "active"
  var now = Date(timeIntervalSince1970: 1_795_000_000)
  static let isPlannedOnce = true
  static let sql: SQL<Self> = """
    insert into \(tenant).consent_purpose
      (id, name, description, notice_version, status, created_at, updated_at)
    values (\(\.id), \(\.id), '', 1, \(\.status), \(\.now), \(\.now))
    """
}

struct PurposeNames: Statement {
  static let sql: SQL<Self> = "select id from \(tenant).consent_purpose order by id"
  static func decode(_ row: inout RowReader) throws -> String { try row.next() }
}

struct Sleep: Statement {
  let seconds: Double
  static let sql: SQL<Self> = "select pg_sleep(\(\.seconds))"
}

struct BackendID: Statement {
  static let sql: SQL<Self> = "select pg_backend_pid()"
  static func decode(_ row: inout RowReader) throws -> Int { try row.next() }
}

struct CurrentRole: Statement {
  static let sql: SQL<Self> = "select current_user::text"
  static func decode(_ row: inout RowReader) throws -> String { try row.next() }
}

struct Terminate: Statement {
  let backend: Int32
  static let sql: SQL<Self> = "select pg_terminate_backend(\(\.backend))"
}

struct Echo: Statement {
  let value: Int
  static let sql: SQL<Self> = "select \(\.value)"
  static func decode(_ row: inout RowReader) throws -> Int { try row.next() }
}

/// The backends of this database that run a text containing `fragment` right now.
struct BackendsRunning: Statement {
  let fragment: String
  static let sql: SQL<Self> = """
    select pid from pg_stat_activity
     where datname = current_database() and state = 'active' and pid <> pg_backend_pid()
       and position(\(\.fragment) in query) > 0
    """
  static func decode(_ row: inout RowReader) throws -> Int32 { try row.next() }
}

struct Backends: Statement {
  static let sql: SQL<Self> = """
    select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
    """
  static func decode(_ row: inout RowReader) throws -> Int32 { try row.next() }
}

struct PreparedCount: Statement {
  static let sql: SQL<Self> = "select count(*) from pg_prepared_statements"
  static func decode(_ row: inout RowReader) throws -> Int { try row.next() }
}

/// Asks again until the answer is there; for a minute at most.
@discardableResult
func eventually<Value>(_ question: () async throws -> Value?) async throws -> Value {
  let end = ContinuousClock.now + .seconds(60)
  while ContinuousClock.now < end {
    if let value = try await question() { return value }
    try await Task.sleep(for: .milliseconds(5))
  }
  throw NeverHappened()
}

struct NeverHappened: Error {}

/// The SQLSTATE a piece of work fails with; nil when it succeeds.
func sqlState(_ work: () async throws -> Void) async throws -> SQLState? {
  do {
    try await work()
    return nil
  } catch let error as DatabaseError {
    return error.sqlState
  }
}

/// A value that several tasks of a test change.
final class Shared<Value: Sendable>: Sendable {
  private let value: Mutex<Value>
  init(_ value: Value) { self.value = Mutex(value) }
  func withLock<R: Sendable>(_ body: (inout Value) -> R) -> R { value.withLock { body(&$0) } }
}

extension Shared<Int> {
  func increment() -> Int {
    withLock { value in
      value += 1
      return value
    }
  }
}
