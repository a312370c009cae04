import Web

/// The parameters that operations share, as the documentation shows them.
extension SchemaMember {
  static let limit = optional("limit", .integer(1...200), "Items on a page; 50 unless given.")
  static let cursor = optional("cursor", .string(), "The next_cursor of the page before.")
  static let idempotencyKey = optional(
    "Idempotency-Key", .string(length: 1...255),
    "Repeating the request with the same key within 24 hours gives the same answer.")
  static let ifMatch = optional(
    "If-Match", .string(), "The ETag of the version the change is based on.")
}

extension Schema {
  /// A page of a list.
  static func page(_ member: String, of schema: Schema) -> Schema {
    .object([
      .required(member, .array(schema)), .required("next_cursor", .nullable(.string())),
    ])
  }
}
