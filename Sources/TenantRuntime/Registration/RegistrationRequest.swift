import Platform
import Tenancy
import Web

/// A registration as a client sends it (RFC 7591 section 3.1), measured by what the tenant allows.
struct RegistrationRequest: Sendable {
  let members: JSONObject

  init(_ body: JSON) throws(OAuthError) {
    guard let object = body.objectValue else {
      throw .invalidClientMetadata("The body must be a JSON object.")
    }
    members = object
  }

  private init(members: JSONObject) {
    self.members = members
  }

  /// Section 2.3: what the statement says wins over the members beside it.
  func overruled(by statement: JSONObject) -> RegistrationRequest {
    var members = members
    let notMetadata: Set = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "software_statement"]
    for (name, value) in statement where !notMetadata.contains(name) { members[name] = value }
    return RegistrationRequest(members: members)
  }

  /// The metadata, if the tenant allows all of it.
  func metadata(_ policy: RegistrationPolicy) throws(OAuthError) -> ClientMetadata {
    var metadata: ClientMetadata
    do throws(ClaimErrors) {
      metadata = try ClientMetadata(registering: members)
    } catch {
      throw Self.refusal(error)
    }
    // RFC 7591 section 3.2.1: the server may replace what was asked for, and answers what holds.
    if metadata.scope.isEmpty { metadata.scope = policy.scope }
    if let grant = metadata.grantTypes.first(where: { !policy.grantTypes.contains($0) }) {
      throw .invalidClientMetadata("grant_types: \(grant.rawValue) can't be registered here.")
    }
    guard metadata.scope.isSubset(of: policy.scope) else {
      throw .invalidClientMetadata("scope: more than can be registered here.")
    }
    guard metadata.redirectURIs.allSatisfy(policy.allows(redirectURI:)) else {
      throw OAuthError(
        .invalidRedirectURI, "redirect_uris: a host that can't be registered here.")
    }
    // Our policy: where people are sent after they sign out is as good a trap.
    guard metadata.postLogoutRedirectURIs.allSatisfy(policy.allows(redirectURI:)) else {
      throw .invalidClientMetadata(
        "post_logout_redirect_uris: a host that can't be registered here.")
    }
    return metadata
  }

  /// Section 3.2.2 has a code of its own for redirect URIs.
  private static func refusal(_ errors: ClaimErrors) -> OAuthError {
    let redirects = errors.errors.filter { $0.field == "redirect_uris" }
    let told = redirects.isEmpty ? errors.errors : redirects
    let text = told.map { "\($0.field) \($0.message)" }.joined(separator: "; ")
    return OAuthError(redirects.isEmpty ? .invalidClientMetadata : .invalidRedirectURI, text + ".")
  }
}

extension OAuthError {
  static func invalidClientMetadata(_ description: String, detail: String? = nil) -> OAuthError {
    OAuthError(.invalidClientMetadata, description, detail: detail)
  }
}
