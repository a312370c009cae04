import Compliance
import Platform
import Tenancy
import Web

/// The texts of a purpose, one for each language tag (BCP 47).
enum PurposeTexts {
  static let languagesMax = 50
  static let length = 1...20_000

  /// Reads `notices`, an object of texts by language, or `notice`, one text in `language`.
  static func read(_ fields: inout Fields, language: String) -> [String: String]? {
    let single = fields.optionalString("notice", length: length)
    guard let value = fields.take("notices"), value != .null else {
      return single.map { [language: $0] }
    }
    guard single == nil else {
      fields.refuse("notices", "must not be given beside notice.")
      return nil
    }
    guard let object = value.objectValue, (1...languagesMax).contains(object.count) else {
      fields.refuse("notices", "must be an object with 1 to \(languagesMax) texts by language.")
      return nil
    }
    var texts: [String: String] = [:]
    for (name, value) in object {
      let field = "notices.\(name.prefix(64))"
      guard isLanguageTag(name) else {
        fields.refuse(field, "must be named by a language tag such as en or pt-BR.")
        continue
      }
      guard let text = value.stringValue, length.contains(text.unicodeScalars.count) else {
        fields.refuse(field, "must be a text of 1 to \(length.upperBound) characters.")
        continue
      }
      texts[name] = text
    }
    return texts
  }

  /// The shape of a tag, not its registration: letters, digits and hyphens, 2 to 35.
  private static func isLanguageTag(_ text: String) -> Bool {
    (2...35).contains(text.utf8.count) && text.first?.isLetter == true
      && text.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
          true
        default: false
        }
      }
  }
}

extension PurposeDefinition {
  private static let nameLength = 1...200
  private static let descriptionLength = 1...2000

  /// The body of `POST …/consent/purposes`.
  init(_ body: JSON, language: String) throws(Problem) {
    var fields = try Fields(body)
    let id = fields.purposeID()
    let name = fields.string("name", length: Self.nameLength)
    let description = fields.string("description", length: Self.descriptionLength)
    let texts = PurposeTexts.read(&fields, language: language)
    try fields.finish()
    // Without a text of its own, the description is what a person sees.
    self.init(
      id: id, name: name, description: description, notices: texts ?? [language: description],
      isActive: true)
  }
}

/// A change of a purpose (RFC 7396).
///
/// Other texts are a new version of the notice.
struct PurposePatch: Sendable {
  let name: String?
  let description: String?
  let texts: [String: String]?
  let isActive: Bool?

  enum Status: String, CaseIterable {
    case active, retired
  }

  init(_ body: JSON, language: String) throws(Problem) {
    var fields = try Fields(body)
    name = fields.optionalString("name", length: 1...200)
    description = fields.optionalString("description", length: 1...2000)
    texts = PurposeTexts.read(&fields, language: language)
    isActive = fields.choice("status", Status.self).map { $0 == .active }
    try fields.finish()
  }

  func applied(to purpose: ConsentPurpose, texts current: [String: String]) -> PurposeDefinition {
    PurposeDefinition(
      id: purpose.id, name: name ?? purpose.name, description: description ?? purpose.description,
      notices: texts ?? current, isActive: isActive ?? purpose.isActive)
  }
}

extension Fields {
  /// Our policy: lower case, digits, `_` and `-`; `application` is built in.
  fileprivate mutating func purposeID() -> String {
    let message = "may contain only a-z, 0-9, '_' and '-', and must begin with a letter."
    let id = value("id", length: 1...64, message) { text in
      let isPlain = text.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
          UInt8(ascii: "_"), UInt8(ascii: "-"):
          true
        default: false
        }
      }
      return isPlain && text.first?.isLetter == true ? text : nil
    }
    if id == ConsentPurpose.application { refuse("id", "is the name of the built-in purpose.") }
    return id ?? ""
  }
}

extension ConsentPurpose {
  func json(_ texts: [String: String]) -> JSONObject {
    [
      "id": .string(id), "name": .string(name), "description": .string(description),
      "status": .string((isActive ? PurposePatch.Status.active : .retired).rawValue),
      "notice_version": .integer(noticeVersion),
      "notices": .object(
        JSONObject(texts.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })),
      "updated_at": .string(updatedAt.rfc3339),
    ]
  }

  static let schema = Schema.object([
    .required("id", .string()), .required("name", .string()), .required("description", .string()),
    .required("status", .string(oneOf: PurposePatch.Status.allCases.map(\.rawValue))),
    .required("notice_version", .integer()), .required("notices", .anyObject),
    .required("updated_at", .time),
  ])
}
