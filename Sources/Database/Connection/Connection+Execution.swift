import CPostgres
import Platform

/// Binary, for `PQsendQuery…`.
private let binary: Int32 = 1

extension Connection {
  /// One statement and what must come before it, in one round trip.
  func execute<S: Statement>(
    _ statement: S, schema: TenantSchema?, role: TenantSchema?, begin: String? = nil
  ) async throws {
    try await batch(S.self, role: role, begin: begin, planning: Self.planning(of: S.self)) {
      try send(statement, schema: schema)
    }
  }

  /// A statement for each of several tenants, under the tenant's role, all in one transaction and one round trip; how many
  /// rows each has affected.
  func execute<S: Statement>(
    together statements: [TenantStatement<S>], isolation: TenantIsolation, lockMilliseconds: Int
  ) async throws -> [Int] {
    func role(_ schema: TenantSchema?) -> TenantSchema? { isolation == .role ? schema : nil }
    var ends: [Int] = []
    do {
      try await batch(
        S.self, endingAs: role(statements.last?.schema), begin: nil,
        planning: Self.planning(of: S.self)
      ) {
        // Until the transaction ends; a `set local` warns outside of an explicit one.
        try send(utility: "select set_config('lock_timeout', '\(lockMilliseconds)ms', true)")
        ends.append(commandsSent)
        for statement in statements {
          try send(role: role(statement.schema))
          try send(statement.statement, schema: statement.schema)
          ends.append(commandsSent)
        }
      }
    } catch let error as DatabaseError {
      let culprit = failedCommand.flatMap { failed in ends.firstIndex { failed < $0 } }
      throw TogetherError(cause: error, culprit: culprit.flatMap { $0 == 0 ? nil : $0 - 1 })
    }
    defer { clearResults() }
    return ends.dropFirst().map { affectedRows(byCommand: $0 - 1) }
  }

  private static func planning(of statement: (some Statement).Type) -> Planning {
    statement.isPlannedOnce ? .once : .automatic
  }

  func execute(
    _ sql: ComposedSQL, schema: TenantSchema?, role: TenantSchema?, begin: String? = nil
  ) async throws {
    try await batch(ComposedSQL.self, role: role, begin: begin, planning: .automatic) {
      writer.reset()
      let template = sql.compiled(into: &writer)
      try sendUnnamed(template, try template.rendered(for: schema))
    }
  }

  /// A command without parameters and rows, such as `begin`.
  func execute(utility text: String, role: TenantSchema?, begin: String? = nil) async throws {
    try await batch(UtilityCommand.self, role: role, begin: begin) { try send(utility: text) }
  }

  func commit() async throws {
    do {
      try send(utility: "commit")
      try await roundTrip(cancellable: false)
    } catch let error as DatabaseError {
      guard error.sqlState.isConnectionTrouble else { throw error }
      markBroken(cancel: false)
      throw DatabaseError(
        .commitOutcomeUnknown, "the connection was lost while committing: \(error.debugDescription)"
      )
    }
    // A failed transaction answers COMMIT with ROLLBACK.
    guard let last = unsafe results.last, let tag = unsafe PQcmdStatus(last),
      unsafe String(cString: tag) == "COMMIT"
    else {
      throw DatabaseError(
        .inFailedTransaction, "the transaction was rolled back instead of committed")
    }
  }

  func rollBack() async {
    // What was set inside the transaction is undone with it.
    role = .unknown
    planning = .unknown
    guard !isBroken else { return }
    do {
      try send(utility: "rollback")
      try await roundTrip(cancellable: false)
    } catch {
      markBroken(cancel: true)
    }
  }

  /// Several statements by the simple protocol, which runs them in one implicit transaction.
  func runScript(_ sql: String, role target: TenantSchema?) async throws {
    try Task.checkCancellation()
    try await switchRole(to: target)
    clearResults()
    guard unsafe PQexitPipelineMode(handle) == 1 else { throw sendFailure() }
    isSimpleQuery = true
    defer { isSimpleQuery = false }
    guard unsafe PQsendQuery(handle, sql) == 1, flush() else { throw sendFailure() }
    try await answered(cancellable: true, patient: true)
    guard unsafe PQenterPipelineMode(handle) == 1 else { throw sendFailure() }
    try checkResults(label: "script")
  }

  private func switchRole(to target: TenantSchema?) async throws {
    let wanted = target.map(Role.tenant) ?? .platform
    guard role != wanted else { return }
    try await batch(UtilityCommand.self, role: target, begin: nil) {}
  }

  /// Parses a statement, asks what it takes and yields, and does not run it.
  func describe<S: Statement>(
    _ statement: S.Type, schema: TenantSchema?, role: TenantSchema?
  ) async throws -> StatementDescription {
    let template = S.sql.template
    try await batch(S.self, role: role, begin: nil) {
      let text = try template.rendered(for: schema)
      let count = Int32(template.types.count)
      let sent = unsafe PQsendPrepare(handle, "", text, count, template.types)
      guard sent == 1, unsafe PQsendDescribePrepared(handle, "") == 1 else { throw sendFailure() }
    }
    return try reading(S.self) { connection in connection.description() }
  }

  // MARK: One round trip

  private func batch(
    _ label: Any.Type, role target: TenantSchema?, begin: String?,
    planning wantedPlanning: Planning? = nil,
    _ sendStatement: () throws -> Void
  ) async throws {
    try await batch(label, endingAs: target, begin: begin, planning: wantedPlanning) {
      try send(role: target)
      try sendStatement()
    }
  }

  private func batch(
    _ label: Any.Type, endingAs target: TenantSchema?, begin: String?, planning wanted: Planning?,
    _ sendStatements: () throws -> Void
  ) async throws {
    try Task.checkCancellation()
    guard !isBroken else { throw DatabaseError(.connectionLost, "the connection was lost before") }
    let planningBefore = planning
    let plannedBy = wanted ?? planning
    preparing = []
    commandsSent = 0
    failedCommand = nil
    roleChanges = []
    defer { roleChanges = [] }
    do {
      if let begin { try send(utility: begin) }
      if planningBefore != plannedBy {
        planning = .unknown
        for command in plannedBy.commands { try send(utility: command) }
      }
      do {
        try sendStatements()
      } catch {
        // What was sent before it has no answer to wait for.
        if commandsSent > 0 { markBroken(cancel: false) }
        throw error
      }
      try await roundTrip(cancellable: true)
      role = target.map(Role.tenant) ?? .platform
      planning = plannedBy
    } catch let error as DatabaseError {
      if error.isStalePlan { prepared.forget() }
      if error.isUnknownMembership { markBroken(cancel: false) }
      for statement in preparing where failedCommand.map({ $0 <= statement.index }) ?? true {
        prepared.remove(statement.key)
      }
      throw error.labelled(String(describing: label))
    }
  }

  private func roundTrip(cancellable: Bool) async throws {
    clearResults()
    syncsPending += 1
    guard unsafe PQpipelineSync(handle) == 1, flush() else { throw sendFailure() }
    try await answered(cancellable: cancellable, patient: isPatient)
    try checkResults(label: nil)
  }

  private func answered(cancellable: Bool, patient: Bool) async throws {
    reactor.roundTrips.add()
    switch await wait(cancellable: cancellable, patient: patient) {
    case .finished, .again: return
    case .cancelled:
      markBroken(cancel: true)
      throw CancellationError()
    case .timedOut:
      markBroken(cancel: true)
      throw DatabaseError(.connectionLost, "the server did not answer in time")
    case .lost:
      markBroken(cancel: false)
      // The server's own words, if it had any, say more than the broken pipe.
      try checkResults(label: nil)
      throw DatabaseError(.connectionLost, lastMessage)
    }
  }

  private func sendFailure() -> DatabaseError {
    markBroken(cancel: false)
    return DatabaseError(.connectionLost, lastMessage)
  }

  private var lastMessage: String {
    guard let text = unsafe PQerrorMessage(handle) else { return "the connection was lost" }
    let message = unsafe String(cString: text)
    return message.isEmpty ? "the connection was lost" : message.trimmingLineBreaks()
  }

  // MARK: Sending

  private func send(utility text: String) throws {
    let sent = unsafe PQsendQueryParams(handle, text, 0, nil, nil, nil, nil, binary)
    guard sent == 1 else { throw sendFailure() }
    commandsSent += 1
  }

  /// Changes the role, unless it is this one.
  private func send(role target: TenantSchema?) throws {
    guard role != target.map(Role.tenant) ?? .platform else { return }
    role = .unknown
    if target != nil { roleChanges.append(commandsSent) }
    try send(utility: target.map { "set role \($0.quoted)" } ?? "reset role")
    if let target { wear.serve(target, now: Monotonic.now()) }
  }

  private func send<S: Statement>(_ statement: S, schema: TenantSchema?) throws {
    let sql = S.sql
    writer.reset()
    for binder in sql.binders {
      let offset = writer.begin()
      binder.write(statement, &writer)
      writer.end(offset)
    }
    try send(
      sql.template, key: StatementKey(type: ObjectIdentifier(S.self), schema: schema),
      label: S.self,
      mayPrepare: schema == nil || S.isPlannedOnce && preparesTenantStatements)
  }

  private func send(
    _ template: SQLTemplate, key: StatementKey, label: Any.Type, mayPrepare: Bool
  ) throws {
    switch prepared.plan(for: key, label: label, mayPrepare: mayPrepare) {
    case .execute(let name):
      try sendPrepared(name)
    case .parse:
      try sendUnnamed(template, try template.rendered(for: key.schema))
    case .prepare(let name, let evicted):
      preparing.append((key, commandsSent + (evicted == nil ? 0 : 1)))
      let text = try template.rendered(for: key.schema)
      if let evicted { try send(utility: "deallocate \"\(evicted.text)\"") }
      let count = Int32(template.types.count)
      let sent = unsafe PQsendPrepare(handle, name.characters, text, count, template.types)
      guard sent == 1 else { throw sendFailure() }
      commandsSent += 1
      try sendPrepared(name)
    }
  }

  private func sendPrepared(_ name: StatementName) throws {
    let sent = unsafe writer.withParameters { count, values, lengths, formats in
      unsafe PQsendQueryPrepared(handle, name.characters, count, values, lengths, formats, binary)
    }
    guard sent == 1 else { throw sendFailure() }
    commandsSent += 1
  }

  private func sendUnnamed(_ template: SQLTemplate, _ text: String) throws {
    let sent = unsafe writer.withParameters { count, values, lengths, formats in
      unsafe PQsendQueryParams(
        handle, text, count, template.types, values, lengths, formats, binary)
    }
    guard sent == 1 else { throw sendFailure() }
    commandsSent += 1
  }
}

/// The label of commands that are not anybody's statement.
private enum UtilityCommand {}

extension SQLState {
  /// Whether the fate of what was sent is unknown.
  var isConnectionTrouble: Bool {
    rawValue.hasPrefix("08") || rawValue.hasPrefix("57P")
  }
}

extension String {
  fileprivate func trimmingLineBreaks() -> String {
    var text = Substring(self)
    while text.last?.isNewline == true { text.removeLast() }
    return String(text)
  }
}
