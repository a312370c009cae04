import CPostgres
import Platform

/// Binary, for `PQsendQuery…`.
private let binary: Int32 = 1

extension Connection {
  /// One statement and what must come before it, in one round trip.
  func execute<S: Statement>(
    _ statement: S, schema: TenantSchema?, role: TenantSchema?, begin: String? = nil
  ) async throws {
    let sql = S.sql
    let planning = S.isPlannedOnce ? Planning.once : .automatic
    try await batch(S.self, role: role, begin: begin, planning: planning) {
      writer.reset()
      for binder in sql.binders {
        let offset = writer.begin()
        binder.write(statement, &writer)
        writer.end(offset)
      }
      try send(
        sql.template, key: StatementKey(type: ObjectIdentifier(S.self), schema: schema),
        label: S.self)
    }
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
    try Task.checkCancellation()
    let wanted = target.map(Role.tenant) ?? .platform
    guard !isBroken else { throw DatabaseError(.connectionLost, "the connection was lost before") }
    let (before, planningBefore) = (role, planning)
    let plannedBy = wantedPlanning ?? planning
    preparing = nil
    didPrepare = false
    commandsSent = 0
    roleIndex = nil
    defer { roleIndex = nil }
    do {
      if let begin { try send(utility: begin) }
      if before != wanted {
        role = .unknown
        if target != nil { roleIndex = commandsSent }
        try send(utility: target.map { "set role \($0.quoted)" } ?? "reset role")
        if let target { noteTenant(target) }
      }
      if planningBefore != plannedBy {
        planning = .unknown
        let mode = plannedBy == .once ? "force_generic_plan" : "auto"
        try send(utility: "set plan_cache_mode = \(mode)")
      }
      do {
        try sendStatement()
      } catch {
        // What was sent before it has no answer to wait for.
        if commandsSent > 0 { markBroken(cancel: false) }
        throw error
      }
      try await roundTrip(cancellable: true)
      role = wanted
      planning = plannedBy
    } catch let error as DatabaseError {
      if error.isStalePlan { prepared.forget() }
      if error.isUnknownMembership { markBroken(cancel: false) }
      if let preparing, !didPrepare { prepared.remove(preparing) }
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

  private func send(_ template: SQLTemplate, key: StatementKey, label: Any.Type) throws {
    let mayPrepare = preparesTenantStatements || key.schema == nil
    switch prepared.plan(for: key, label: label, mayPrepare: mayPrepare) {
    case .execute(let name):
      try sendPrepared(name)
    case .parse:
      try sendUnnamed(template, try template.rendered(for: key.schema))
    case .prepare(let name, let evicted):
      preparing = key
      let text = try template.rendered(for: key.schema)
      if let evicted { try send(utility: "deallocate \"\(evicted.text)\"") }
      let count = Int32(template.types.count)
      let sent = unsafe PQsendPrepare(handle, name.characters, text, count, template.types)
      guard sent == 1 else { throw sendFailure() }
      prepareIndex = commandsSent
      commandsSent += 1
      try sendPrepared(name)
    }
  }

  private func sendPrepared(_ name: StatementName) throws {
    let sent = unsafe writer.withParameters { count, values, lengths, formats in
      unsafe PQsendQueryPrepared(handle, name.characters, count, values, lengths, formats, binary)
    }
    guard sent == 1 else { throw sendFailure() }
  }

  private func sendUnnamed(_ template: SQLTemplate, _ text: String) throws {
    let sent = unsafe writer.withParameters { count, values, lengths, formats in
      unsafe PQsendQueryParams(
        handle, text, count, template.types, values, lengths, formats, binary)
    }
    guard sent == 1 else { throw sendFailure() }
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
