/// The object identifier of a built-in Postgres type; these numbers are fixed for ever.
package struct SQLType: RawRepresentable, Hashable, Sendable {
  package let rawValue: UInt32
  package init(rawValue: UInt32) { self.rawValue = rawValue }

  package static let bool = SQLType(rawValue: 16)
  package static let bytea = SQLType(rawValue: 17)
  package static let name = SQLType(rawValue: 19)
  package static let int8 = SQLType(rawValue: 20)
  package static let int2 = SQLType(rawValue: 21)
  package static let int4 = SQLType(rawValue: 23)
  package static let text = SQLType(rawValue: 25)
  package static let oid = SQLType(rawValue: 26)
  package static let json = SQLType(rawValue: 114)
  package static let float4 = SQLType(rawValue: 700)
  package static let float8 = SQLType(rawValue: 701)
  package static let unknown = SQLType(rawValue: 705)
  package static let bpchar = SQLType(rawValue: 1042)
  package static let varchar = SQLType(rawValue: 1043)
  package static let timestamptz = SQLType(rawValue: 1184)
  package static let uuid = SQLType(rawValue: 2950)
  package static let jsonb = SQLType(rawValue: 3802)

  /// The type of a one-dimensional array of this type.
  package var array: SQLType {
    switch self {
    case .bool: SQLType(rawValue: 1000)
    case .bytea: SQLType(rawValue: 1001)
    case .name: SQLType(rawValue: 1003)
    case .int8: SQLType(rawValue: 1016)
    case .int2: SQLType(rawValue: 1005)
    case .int4: SQLType(rawValue: 1007)
    case .oid: SQLType(rawValue: 1028)
    case .json: SQLType(rawValue: 199)
    case .float4: SQLType(rawValue: 1021)
    case .float8: SQLType(rawValue: 1022)
    case .bpchar: SQLType(rawValue: 1014)
    case .varchar: SQLType(rawValue: 1015)
    case .timestamptz: SQLType(rawValue: 1185)
    case .uuid: SQLType(rawValue: 2951)
    case .jsonb: SQLType(rawValue: 3807)
    default: SQLType(rawValue: 1009)
    }
  }
}
