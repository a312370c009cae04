import Compliance
import Platform
import Tenancy
import Web

/// The body of `POST …/privacy/requests`: what is asked for, and about whom.
struct RequestBody: Sendable {
  let kind: DataRequestKind
  let subject: SubjectName

  init(_ body: JSON) throws(Problem) {
    var fields = try Fields(body)
    let kind = fields.choice("kind", DataRequestKind.self)
    if kind == nil, !fields.has("kind"), body["kind"] == nil || body["kind"] == .null {
      fields.refuse("kind", "is required.")
    }
    var subject: SubjectName?
    let isGiven = fields.has("subject") && body["subject"] != .null
    if !isGiven { fields.refuse("subject", "is required.") }
    _ = fields.object("subject") { nested in subject = SubjectName(&nested) }
    try fields.finish()
    guard let kind, let subject else {
      throw .validation([FieldError("subject", "must name one person.")])
    }
    self.kind = kind
    self.subject = subject
  }
}

/// How a request names a person.
enum SubjectName: Sendable {
  case id(UserID)
  case email(String)
  case username(String)

  init?(_ fields: inout Fields) {
    let names = ["id", "email", "username"].filter { fields.has($0) }
    let id = fields.optionalValue("id", length: 1...36, "must be the id of a user.") { UserID($0) }
    let email = fields.optionalString("email", length: 1...254)
    let username = fields.optionalString("username", length: 1...254)
    guard names.count == 1 else {
      fields.refuse("id", "give exactly one of id, email and username.")
      return nil
    }
    switch (id, email, username) {
    case (let id?, _, _): self = .id(id)
    case (_, let email?, _): self = .email(email)
    case (_, _, let username?): self = .username(username)
    default: return nil
    }
  }
}
