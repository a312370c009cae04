/// SQL put together from fragments, for the engines that are driven by declarations.
///
/// Names come from ``Identifier`` (literals only), values are bound; there is still no way to interpolate a string.
package struct ComposedSQL: ExpressibleByStringInterpolation, Sendable {
  enum Piece: Sendable { case text(String), tenant, value(any SQLBindable) }

  let pieces: [Piece]

  package init(stringLiteral value: String) { pieces = [.text(value)] }
  package init(stringInterpolation: StringInterpolation) { pieces = stringInterpolation.pieces }
  private init(pieces: [Piece]) { self.pieces = pieces }

  /// The fragments one after the other, with `separator` between them.
  package static func joined(_ fragments: [ComposedSQL], by separator: ComposedSQL) -> ComposedSQL {
    ComposedSQL(pieces: Array(fragments.map(\.pieces).joined(separator: separator.pieces)))
  }

  /// The names, quoted, with commas between them.
  package static func list(_ names: [Identifier]) -> ComposedSQL {
    joined(names.map { "\($0)" }, by: ", ")
  }

  package struct StringInterpolation: StringInterpolationProtocol {
    var pieces: [Piece] = []

    package init(literalCapacity: Int, interpolationCount: Int) {}

    // The protocol hands literal segments over as `String`; only the compiler calls this.
    package mutating func appendLiteral(_ literal: String) {
      if !literal.isEmpty { pieces.append(.text(literal)) }
    }

    package mutating func appendInterpolation(_ marker: TenantMarker) { pieces.append(.tenant) }
    package mutating func appendInterpolation(_ name: Identifier) {
      pieces.append(.text(name.quoted))
    }
    package mutating func appendInterpolation(bind value: some SQLBindable) {
      pieces.append(.value(value))
    }
    package mutating func appendInterpolation(_ fragment: ComposedSQL) {
      pieces += fragment.pieces
    }
  }

  /// The text with numbered parameters, and the values in their order.
  func compiled(into writer: inout ParameterWriter) -> SQLTemplate {
    var types: [SQLType] = []
    let template = pieces.map { piece -> SQLTemplate.Piece in
      switch piece {
      case .text(let text): return .text(text)
      case .tenant: return .tenant
      case .value(let value):
        types.append(type(of: value).sqlType)
        writer.append(value)
        return .parameter(types.count)
      }
    }
    return SQLTemplate(pieces: template, types: types)
  }
}
