import Platform
import Tenancy
import Web

/// A new user as it was asked for: the flat claims of OpenID Connect Core section 5.1, `username` and
/// `password`.
struct UserDraft: Sendable {
  let claims: Claims
  let password: Secret<String>?

  /// The body of `POST …/users`.
  init(_ body: JSON) throws(Problem) {
    var fields = try Fields(body)
    let password = fields.password()
    var claims = Claims.none
    do {
      claims = try Claims(validating: fields.takeRest())
      // Our policy: what people sign in with.
      if claims.username == nil, claims.email == nil {
        fields.refuse("username", "is required unless there is an email.")
      }
    } catch {
      fields.refuse(error)
    }
    try fields.finish()
    self.claims = claims
    self.password = password
  }

  init(claims: Claims, password: Secret<String>?) {
    self.claims = claims
    self.password = password
  }
}

/// A change of a user (RFC 7396): claims merge, `null` removes them.
struct UserPatch: Sendable {
  let password: Secret<String>?
  let status: UserStatus?
  let claims: JSONObject

  /// What an administrator may set; erasure has a way of its own.
  enum SettableStatus: String, CaseIterable {
    case active, disabled
  }

  /// The body of `PATCH …/users/{id}`.
  init(_ body: JSON) throws(Problem) {
    var fields = try Fields(body)
    password = fields.password()
    status = fields.choice("status", SettableStatus.self).map {
      $0 == .active ? .active : .disabled
    }
    claims = fields.takeRest()
    try fields.finish()
  }

  /// The claims after the change, with every mistake at once.
  func applied(to current: Claims) throws(Problem) -> Claims {
    do {
      return try current.applying(claims)
    } catch {
      throw error.problem
    }
  }
}

extension Fields {
  /// A password under the policy of Tenancy; its value is never repeated.
  fileprivate mutating func password() -> Secret<String>? {
    guard let value = take("password"), value != .null else { return nil }
    guard let text = value.stringValue else {
      refuse("password", "must be a string.")
      return nil
    }
    let password = Secret(text)
    guard let problem = Passwords.problem(password) else { return password }
    refuse(ClaimErrors([problem]))
    return nil
  }
}

extension User {
  /// The user as the interface shows them; never with the password.
  var adminJSON: JSONObject {
    JSONObject([("id", .string(id.description))]).merging(claims.members).merging([
      "status": .string(status.rawValue), "created_at": .string(createdAt.rfc3339),
      "updated_at": .string(updatedAt.rfc3339),
      "last_sign_in_at": .optional(lastSignInAt?.rfc3339),
    ])
  }

  static let schema = Schema.object(
    [.required("id", .id)] + claimMembers + [
      .required("status", .string(oneOf: settableNames)), .required("created_at", .time),
      .required("updated_at", .time), .required("last_sign_in_at", .nullable(.time)),
    ])

  private static let settableNames = UserPatch.SettableStatus.allCases.map(\.rawValue)

  /// The claims as members of a body.
  static let claimMembers: [SchemaMember] = Claims.catalogue.map { claim in
    switch claim.name {
    case "email_verified", "phone_number_verified": .optional(claim.name, .boolean)
    case "address":
      .optional(
        claim.name,
        .object(
          ["formatted", "street_address", "locality", "region", "postal_code", "country"].map {
            .optional($0, .string())
          }))
    default: .optional(claim.name, .string())
    }
  }
}

extension UserError {
  /// What the interface answers.
  var problem: Problem {
    switch self {
    case .invalid(let errors): errors.problem
    case .duplicate(let error):
      .conflict(
        "Another user has this \(error.field).",
        errors: ClaimErrors([error]).fieldErrors())
    case .notFound, .erasing: Users.notFound
    case .versionMismatch: .preconditionFailed
    }
  }
}
