import Platform

/// The shape of a JSON value, as far as documentation needs it (JSON Schema 2020-12).
package indirect enum Schema: Sendable {
  case string(length: ClosedRange<Int>? = nil, format: String? = nil, oneOf: [String] = [])
  case integer(ClosedRange<Int>? = nil)
  case boolean
  case array(Schema)
  case object([SchemaMember])
  /// An object whose members are described elsewhere, for example claims.
  case anyObject
  case nullable(Schema)
  /// A schema of the document's components.
  case named(String)

  package static let id = Schema.string(format: "uuid")
  package static let time = Schema.string(format: "date-time")

  var json: JSON {
    switch self {
    case .string(let length, let format, let choices):
      var object: JSONObject = ["type": "string"]
      if let length {
        object["minLength"] = .integer(length.lowerBound)
        object["maxLength"] = .integer(length.upperBound)
      }
      if let format { object["format"] = .string(format) }
      if !choices.isEmpty { object["enum"] = .strings(choices) }
      return .object(object)
    case .integer(let range):
      var object: JSONObject = ["type": "integer"]
      if let range {
        object["minimum"] = .integer(range.lowerBound)
        object["maximum"] = .integer(range.upperBound)
      }
      return .object(object)
    case .boolean: return ["type": "boolean"]
    case .array(let item): return ["type": "array", "items": item.json]
    case .object(let members):
      let required = members.filter(\.isRequired).map(\.name)
      var object: JSONObject = [
        "type": "object",
        "properties": .object(JSONObject(members.map { ($0.name, $0.json) })),
      ]
      if !required.isEmpty { object["required"] = .strings(required) }
      return .object(object)
    case .anyObject: return ["type": "object"]
    case .nullable(let schema): return ["oneOf": [schema.json, ["type": "null"]]]
    case .named(let name): return ["$ref": .string("#/components/schemas/\(name)")]
    }
  }
}

/// A member of an object, or a parameter of a query.
package struct SchemaMember: Sendable {
  let name: String
  let schema: Schema
  let meaning: String?
  let isRequired: Bool

  package static func required(_ name: String, _ schema: Schema, _ meaning: String? = nil) -> Self {
    SchemaMember(name: name, schema: schema, meaning: meaning, isRequired: true)
  }

  package static func optional(_ name: String, _ schema: Schema, _ meaning: String? = nil) -> Self {
    SchemaMember(name: name, schema: schema, meaning: meaning, isRequired: false)
  }

  var json: JSON {
    guard let meaning, var object = schema.json.objectValue else { return schema.json }
    object["description"] = .string(meaning)
    return .object(object)
  }
}
