import CPostgres
import Glibc
import Platform

/// Opens connections; blocking, so only the janitor calls it.
struct Connector: Sendable {
  let url: Secret<String>
  let settings: DatabaseSettings

  func open(on reactor: Reactor) throws(DatabaseError) -> Connection {
    guard let handle = unsafe startConnecting() else {
      throw DatabaseError(.cannotConnect, "no memory for a connection")
    }
    var isHandedOver = false
    defer { if !isHandedOver { unsafe PQfinish(handle) } }
    // The SQLSTATE of a refusal is only in the text, and only at this verbosity.
    unsafe PQsetErrorVerbosity(handle, PQERRORS_VERBOSE)
    try unsafe finishConnecting(handle)
    unsafe PQsetErrorVerbosity(handle, PQERRORS_DEFAULT)
    // Notices are addressed to people at a terminal.
    unsafe PQsetNoticeProcessor(handle, { _, _ in }, nil)
    try unsafe prepareSession(handle)
    guard unsafe PQsetnonblocking(handle, 1) == 0, unsafe PQenterPipelineMode(handle) == 1 else {
      throw unsafe failure(of: handle)
    }
    let connection = unsafe Connection(handle: handle, reactor: reactor, settings: settings)
    isHandedOver = true
    guard reactor.add(connection) else {
      connection.close()
      throw DatabaseError(.cannotConnect, "the kernel cannot watch another socket")
    }
    return connection
  }

  private func startConnecting() -> OpaquePointer? {
    let parameters = [
      ("fallback_application_name", "tenure"), ("client_encoding", "UTF8"),
      ("keepalives_idle", "30"), ("keepalives_interval", "10"), ("keepalives_count", "3"),
      ("tcp_user_timeout", "30000"), ("gssencmode", "disable"),
      // The address comes last: what it says about these wins.
      ("dbname", url.reveal()),
    ]
    let names = unsafe parameters.map { unsafe UnsafePointer(strdup($0.0)) } + [nil]
    let values = unsafe parameters.map { unsafe UnsafePointer(strdup($0.1)) } + [nil]
    defer { unsafe (names + values).forEach { unsafe free(UnsafeMutablePointer(mutating: $0)) } }
    return unsafe PQconnectStartParams(names, values, 1)
  }

  private func finishConnecting(_ handle: OpaquePointer) throws(DatabaseError) {
    let deadline = Monotonic.now() + UInt64(settings.connectSeconds) * 1_000_000_000
    var state = PGRES_POLLING_WRITING
    while unsafe (PQstatus(handle) != CONNECTION_BAD) {
      let now = Monotonic.now()
      guard now < deadline else {
        throw DatabaseError(.cannotConnect, "the server did not answer in time")
      }
      let events = state == PGRES_POLLING_READING ? Int16(POLLIN) : Int16(POLLOUT)
      let milliseconds = Int32((deadline - now) / 1_000_000) + 1
      guard Descriptor.poll(unsafe PQsocket(handle), for: events, milliseconds: milliseconds) else {
        continue
      }
      state = unsafe PQconnectPoll(handle)
      if state == PGRES_POLLING_OK { return }
      if state == PGRES_POLLING_FAILED { break }
    }
    throw unsafe failure(of: handle)
  }

  private func prepareSession(_ handle: OpaquePointer) throws(DatabaseError) {
    let milliseconds = settings.statementSeconds * 1000
    let result = unsafe PQexec(
      handle,
      """
      set statement_timeout = \(milliseconds);
      set idle_in_transaction_session_timeout = \(milliseconds + 30_000);
      set time zone 'UTC';
      set jit = off
      """)
    defer { unsafe PQclear(result) }
    guard unsafe PQresultStatus(result) == PGRES_COMMAND_OK else {
      throw unsafe failure(of: handle)
    }
  }

  private func failure(of handle: OpaquePointer) -> DatabaseError {
    let text = unsafe PQerrorMessage(handle).map { unsafe String(cString: $0) } ?? ""
    let state = Self.sqlState(in: text)
    // Only the first line: the rest names source files of the server.
    let line = text.prefix { !$0.isNewline }
    return DatabaseError(state ?? .cannotConnect, line.isEmpty ? "no connection" : String(line))
  }

  /// Finds `FATAL:  28P01: …`.
  private static func sqlState(in text: String) -> SQLState? {
    let words = text.split(whereSeparator: { $0 == " " || $0.isNewline })
    let code = words.first { word in
      word.utf8.count == 6 && word.hasSuffix(":")
        && word.dropLast().allSatisfy { $0.isASCII && ($0.isNumber || $0.isUppercase) }
        && word.contains { $0.isNumber }
    }
    return code.map { SQLState(rawValue: String($0.dropLast())) }
  }
}

extension DatabaseError {
  /// A refusal that waiting will not change: who we say we are, or what we ask for, is wrong.
  var isPermanentRefusal: Bool {
    sqlState.rawValue.hasPrefix("28") || sqlState == .invalidDatabase
      || sqlState == .insufficientPrivilege
  }
}
