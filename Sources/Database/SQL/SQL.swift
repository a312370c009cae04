/// Marks the place of the tenant's quoted schema in SQL text; see ``tenant``.
package struct TenantMarker: Sendable {}

/// What `\(tenant)` in SQL text names: the schema of the tenant the statement runs for.
package let tenant = TenantMarker()

/// The text of a statement with its binds: `\(tenant)` and `\(\.keyPath)` are the only interpolations.
///
/// Interpolating a run-time string is a type error, so injection does not compile; and the text exists without an
/// instance, so that a test can prepare every statement.
package struct SQL<Parameters>: ExpressibleByStringInterpolation, Sendable {
  let template: SQLTemplate
  let binders: [Binder<Parameters>]

  package init(stringLiteral value: String) {
    template = SQLTemplate(pieces: [.text(value)], types: [])
    binders = []
  }

  package init(stringInterpolation: StringInterpolation) {
    template = SQLTemplate(
      pieces: stringInterpolation.pieces, types: stringInterpolation.binders.map(\.type))
    binders = stringInterpolation.binders
  }

  package struct StringInterpolation: StringInterpolationProtocol {
    var pieces: [SQLTemplate.Piece] = []
    var binders: [Binder<Parameters>] = []
    private var paths: [PartialKeyPath<Parameters>] = []

    package init(literalCapacity: Int, interpolationCount: Int) {}

    package mutating func appendLiteral(_ literal: String) {
      if !literal.isEmpty { pieces.append(.text(literal)) }
    }

    package mutating func appendInterpolation(_ marker: TenantMarker) { pieces.append(.tenant) }

    package mutating func appendInterpolation<Value: SQLBindable>(
      _ path: any KeyPath<Parameters, Value> & Sendable
    ) {
      if let known = paths.firstIndex(of: path) {
        pieces.append(.parameter(known + 1))
        return
      }
      paths.append(path)
      binders.append(Binder(path))
      pieces.append(.parameter(binders.count))
    }
  }
}

/// Writes one field of the parameters as a bound value.
struct Binder<Parameters>: Sendable {
  let type: SQLType
  let write: @Sendable (borrowing Parameters, inout ParameterWriter) -> Void

  init<Value: SQLBindable>(_ path: any KeyPath<Parameters, Value> & Sendable) {
    type = Value.sqlType
    guard let offset = MemoryLayout<Parameters>.offset(of: path) else {
      write = { $0[keyPath: path].bind(to: &$1) }
      return
    }
    // A stored property of a struct: read it in place, an order of magnitude cheaper than the key path.
    write = { parameters, writer in
      unsafe withUnsafeBytes(of: parameters) { bytes in
        guard let base = bytes.baseAddress else { return }
        unsafe (base + offset).assumingMemoryBound(to: Value.self).pointee.bind(to: &writer)
      }
    }
  }
}

/// The text of a statement before the schema is known.
final class SQLTemplate: Sendable {
  enum Piece: Sendable { case text(String), tenant, parameter(Int) }

  let pieces: [Piece]
  let types: [UInt32]
  let needsTenant: Bool

  init(pieces: [Piece], types: [SQLType]) {
    self.pieces = pieces
    self.types = types.map(\.rawValue)
    needsTenant = pieces.contains { if case .tenant = $0 { true } else { false } }
  }

  func rendered(for schema: TenantSchema?) throws -> String {
    var text = ""
    for piece in pieces {
      switch piece {
      case .text(let literal): text += literal
      case .parameter(let number): text += "$\(number)"
      case .tenant:
        guard let schema else {
          throw DatabaseError(.undefinedSchema, "the statement needs a tenant")
        }
        text += schema.quoted
      }
    }
    return text
  }
}
