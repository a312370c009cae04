import JOSE
import Platform
import Web

/// What a verified request object says, as parameters (OpenID Connect Core section 6.1).
struct RequestObject: Sendable, Equatable {
  let values: [String: String]
  /// Nil if it says nothing about resources.
  let resources: [String]?
  private let responseType: String?

  /// Members that are no parameters of ours are ignored, as outside of an object.
  init(_ claims: JWTClaims) throws(OAuthError) {
    for name in ["request", "request_uri"] where claims[name] != nil {
      // Section 6.1: an object must not hold another.
      throw .invalidRequestObject("\(name) inside")
    }
    var values: [String: String] = [:]
    for name in AuthorizationParameters.names where name != InteractionTicket.parameterName {
      guard let member = claims[name], !member.isNull else { continue }
      values[name] = try Self.text(name, member)
    }
    self.values = values
    responseType = values["response_type"]
    resources = try claims[AuthorizationParameters.resource].map(Self.texts)
  }

  /// What is inside wins (section 6.1); `response_type` must be the same where it is in both places.
  func applied(to parameters: AuthorizationParameters) throws(OAuthError)
    -> AuthorizationParameters
  {
    if let responseType, let outer = parameters.values["response_type"], outer != responseType {
      throw .invalidRequestObject("response_type differs")
    }
    return parameters.superseded(by: values, resources: resources)
  }

  private static func text(_ name: String, _ member: JSON) throws(OAuthError) -> String {
    switch (name, member) {
    case (_, .string(let text)) where !text.isEmpty: return text
    case ("max_age", .integer(let seconds)): return "\(seconds)"
    case ("claims", .object), ("registration", .object): return member.text
    default: throw .invalidRequestObject("\(name) has the wrong type")
    }
  }

  private static func texts(_ member: JSON) throws(OAuthError) -> [String] {
    if let text = member.stringValue { return [text] }
    let texts = member.arrayValue?.compactMap(\.stringValue)
    guard let texts, texts.count == member.arrayValue?.count else {
      throw .invalidRequestObject("resource has the wrong type")
    }
    return texts
  }
}
