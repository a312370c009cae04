import FoundationEssentials
import Platform
import Tenancy

/// The claims of an account as a person reads them.
enum PersonFacts {
  private static let labels = [
    "sub": "Account number", "email": "E-mail", "email_verified": "E-mail verified",
    "website": "Website", "zoneinfo": "Time zone",
    "locale": "Language", "username": "User name", "birthdate": "Date of birth",
  ]

  /// In the order of the specification; addresses as one line.
  static func rows(_ user: User) -> [JSON] {
    var rows: [JSON] = []
    for (name, value) in user.claims.members {
      guard let text = words(value) else { continue }
      rows.append(["label": .string(label(name)), "value": .string(text)])
    }
    rows.append(["label": "Account since", "value": .string(user.createdAt.pageDay)])
    if let last = user.lastSignInAt {
      rows.append(["label": "Last sign-in", "value": .string(last.pageDay)])
    }
    return rows
  }

  static func label(_ claim: String) -> String {
    if let label = labels[claim] { return label }
    let words = claim.split(separator: "_").joined(separator: " ")
    return words.prefix(1).uppercased() + words.dropFirst()
  }

  private static func words(_ value: JSON) -> String? {
    switch value {
    case .null: nil
    case .bool(let flag): flag ? "Yes" : "No"
    case .integer(let number): "\(number)"
    case .number(let number): "\(number)"
    case .string(let text): text
    case .array(let items): items.compactMap(words).joined(separator: ", ")
    case .object(let members):
      (members["formatted"].flatMap(words))
        ?? members.compactMap { words($0.value) }.joined(separator: ", ")
    }
  }
}
