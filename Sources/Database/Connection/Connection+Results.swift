import CPostgres

/// The field codes of an error report (`PG_DIAG_…`), which are characters in C.
private enum Diagnostic {
  static let sqlState = Int32(UInt8(ascii: "C"))
  static let message = Int32(UInt8(ascii: "M"))
  static let constraint = Int32(UInt8(ascii: "n"))
}

extension Connection {
  /// Throws the first error of the batch.
  func checkResults(label: String?) throws {
    for index in unsafe results.indices {
      let result = unsafe results[index]
      switch unsafe PQresultStatus(result) {
      case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: continue
      default:
        var failure = unsafe failure(of: result)
        // By its place: the words of the server are in its own language.
        failure.isUnknownMembership =
          index == roleIndex && failure.sqlState == .insufficientPrivilege
        didPrepare = index > prepareIndex
        if failure.sqlState.isConnectionTrouble { markBroken(cancel: false) }
        clearResults()
        throw label.map(failure.labelled) ?? failure
      }
    }
  }

  /// Reads the answer and lets go of its memory.
  func reading<R>(_ label: Any.Type, _ read: (Connection) throws -> R) throws -> R {
    defer { clearResults() }
    do {
      return try read(self)
    } catch let error as DatabaseError {
      throw error.labelled(String(describing: label))
    }
  }

  func firstRow<Row>(_ decode: (inout RowReader) throws -> Row) throws -> Row? {
    guard let result = unsafe results.last, unsafe PQntuples(result) > 0 else { return nil }
    var reader = unsafe RowReader(result: result, row: 0, columnCount: PQnfields(result))
    let row = try decode(&reader)
    try reader.checkConsumed()
    return row
  }

  func allRows<Row>(_ decode: (inout RowReader) throws -> Row) throws -> [Row] {
    guard let result = unsafe results.last else { return [] }
    let count = unsafe PQntuples(result)
    let columns = unsafe PQnfields(result)
    var rows: [Row] = []
    rows.reserveCapacity(Int(count))
    for index in 0..<count {
      var reader = unsafe RowReader(result: result, row: index, columnCount: columns)
      rows.append(try decode(&reader))
      try reader.checkConsumed()
    }
    return rows
  }

  /// Rows inserted, updated, deleted or selected by the last command.
  var affectedRows: Int {
    guard let result = unsafe results.last, let text = unsafe PQcmdTuples(result) else { return 0 }
    return unsafe Int(String(cString: text)) ?? 0
  }

  func description() -> StatementDescription {
    guard let result = unsafe results.last else {
      return StatementDescription(parameters: [], columns: [])
    }
    let parameters = unsafe (0..<PQnparams(result)).map {
      unsafe SQLType(rawValue: PQparamtype(result, $0))
    }
    let columns = unsafe (0..<PQnfields(result)).map { index in
      unsafe StatementDescription.Column(
        name: PQfname(result, index).map { unsafe String(cString: $0) } ?? "",
        type: SQLType(rawValue: PQftype(result, index)))
    }
    return StatementDescription(parameters: parameters, columns: columns)
  }

  private func failure(of result: OpaquePointer) -> DatabaseError {
    guard let code = unsafe field(Diagnostic.sqlState, of: result) else {
      return DatabaseError(.connectionLost, "the connection was lost")
    }
    let state = SQLState(rawValue: code)
    var message = unsafe field(Diagnostic.message, of: result) ?? "no message"
    if code.hasPrefix("22") {
      // Data exceptions quote the offending value.
      message = String(message.prefix { $0 != "\"" && $0 != ":" })
    }
    return DatabaseError(
      state, message, constraint: unsafe field(Diagnostic.constraint, of: result))
  }

  private func field(_ code: Int32, of result: OpaquePointer) -> String? {
    unsafe PQresultErrorField(result, code).map { unsafe String(cString: $0) }
  }
}
