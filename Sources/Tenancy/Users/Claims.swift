package import Platform

/// What a tenant knows about a user: the standard claims of OpenID Connect Core section 5.1, and
/// the name they sign in with.
///
/// One JSON document, sealed as a whole under the subject key.
package struct Claims: Sendable, Hashable {
  /// In the order of the specification, which is the order of the export.
  package let members: JSONObject

  package static let none = Claims(stored: [:])

  /// Claims as the admin API gets them: a flat object; collects every problem.
  package init(validating object: JSONObject) throws(ClaimErrors) {
    var read = ObjectReader(object)
    var members: JSONObject = [:]
    for rule in ClaimRule.all {
      if let value = rule.read(&read) { members[rule.name] = value }
    }
    for claim in ["email", "phone_number"] where members["\(claim)_verified"] != nil {
      if object[claim] == nil || object[claim] == .null {
        read.refuse("\(claim)_verified", "needs \(claim)")
      }
    }
    try read.finish()
    self.members = members
  }

  /// Claims that were validated when they were stored.
  package init(stored members: JSONObject) {
    self.members = members
  }

  /// A merge patch (RFC 7396): `null` removes.
  ///
  /// A changed address or number is no longer verified unless the patch says so.
  package func applying(_ patch: JSONObject) throws(ClaimErrors) -> Claims {
    var merged = members
    for name in patch.names {
      if name == "address", let old = merged[name]?.objectValue, let new = patch[name]?.objectValue
      {
        merged[name] = .object(Claims.merge(old, new))
      } else {
        merged[name] = patch[name]
      }
    }
    for claim in ["email", "phone_number"] where patch["\(claim)_verified"] == nil {
      if merged[claim] != members[claim] { merged["\(claim)_verified"] = nil }
    }
    return try Claims(validating: merged)
  }

  private static func merge(_ old: JSONObject, _ new: JSONObject) -> JSONObject {
    var merged = old
    for name in new.names { merged[name] = new[name] == .null ? nil : new[name] }
    return merged
  }

  package subscript(_ name: String) -> JSON? { members[name] }

  package var username: String? { members["username"]?.stringValue }
  package var email: String? { members["email"]?.stringValue }
  package var emailVerified: Bool { members["email_verified"]?.boolValue ?? false }
  package var phoneNumber: String? { members["phone_number"]?.stringValue }
  package var locale: String? { members["locale"]?.stringValue }

  /// What to call the person on a page.
  package var displayName: String? {
    for claim in ["name", "nickname", "given_name", "preferred_username", "username", "email"] {
      if let text = members[claim]?.stringValue { return text }
    }
    return nil
  }

  /// The claims a scope asks for (OpenID Connect Core section 5.4).
  package func released(for scope: OAuthScope) -> JSONObject {
    var released: JSONObject = [:]
    for rule in ClaimRule.all {
      guard let owner = rule.scope, scope.contains(owner) else { continue }
      if let value = members[rule.name] {
        released[rule.name] = value
      } else if rule.name == "preferred_username" {
        released[rule.name] = members["username"]
      }
    }
    return released
  }

  /// The claims that are asked for one by one (OpenID Connect Core section 5.5).
  package func released(named names: [String]) -> JSONObject {
    var released: JSONObject = [:]
    for rule in ClaimRule.all where rule.scope != nil && names.contains(rule.name) {
      released[rule.name] =
        members[rule.name] ?? (rule.name == "preferred_username" ? members["username"] : nil)
    }
    return released
  }

  /// The scope that a claim belongs to; nil for one we do not have.
  package static func scope(of name: String) -> String? {
    name == "updated_at" ? "profile" : ClaimRule.all.first { $0.name == name }?.scope
  }

  /// The names that differ: what an audit event may say in public about a change.
  package func differences(from other: Claims) -> [String] {
    ClaimRule.all.map(\.name).filter { members[$0] != other.members[$0] }
  }

  /// Every claim we keep, in the order of the export, with its category of personal data.
  package static var catalogue: [(name: String, category: DataCategory)] {
    ClaimRule.all.map { ($0.name, $0.category) }
  }

  /// The values of discovery's `claims_supported`, without `sub` and the like.
  package static var names: [String] { ClaimRule.all.map(\.name).filter { $0 != "username" } }
}
