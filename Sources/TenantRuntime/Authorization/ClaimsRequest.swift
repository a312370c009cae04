import Platform
import Tenancy
import Web

/// The `claims` parameter of an authorization request (OpenID Connect Core section 5.5).
///
/// Claims we do not have, and members we do not know, are left out: section 5.5 asks for it.
struct ClaimsRequest: Sendable, Equatable {
  static let bytesMax = 4096
  static let depthMax = 6
  static let countMax = 50

  /// What is asked of the ID token about the sign-in, not the person.
  var subject: [String] = []
  var contextClasses: ContextClassRequest?
  /// Claims about the person, by where they are wanted.
  var released = ReleasedClaims()

  init(_ parameters: AuthorizationParameters) throws(OAuthError) {
    guard let text = try parameters.optional("claims") else { return }
    let document: JSON
    do throws(JSONError) {
      document = try JSON.parse(
        Array(text.utf8), limits: JSONLimits(depth: Self.depthMax, bytes: Self.bytesMax))
    } catch {
      throw Self.malformed
    }
    guard document.objectValue != nil else { throw Self.malformed }
    let userInfo = try Self.members(document["userinfo"])
    let idToken = try Self.members(document["id_token"])
    subject = idToken.first { $0.name == "sub" }?.values ?? []
    contextClasses = idToken.first { $0.name == "acr" }.flatMap { claim in
      claim.values.isEmpty
        ? nil : ContextClassRequest(values: claim.values, isEssential: claim.isEssential)
    }
    released = ReleasedClaims(
      userInfo: userInfo.map(\.name).filter { Claims.scope(of: $0) != nil },
      idToken: idToken.map(\.name).filter { Claims.scope(of: $0) != nil })
  }

  private static let malformed = OAuthError.invalidRequest(
    "claims must be a JSON object as OpenID Connect Core section 5.5 describes.")

  /// One claim that is asked for (section 5.5.1); `values` that are not texts are none of ours.
  private struct Member {
    let name: String
    let isEssential: Bool
    let values: [String]
  }

  private static func members(_ value: JSON?) throws(OAuthError) -> [Member] {
    guard let value, !value.isNull else { return [] }
    guard let object = value.objectValue, object.count <= countMax else { throw malformed }
    var members: [Member] = []
    for (name, request) in object {
      members.append(try member(name, request))
    }
    return members
  }

  private static func member(_ name: String, _ request: JSON) throws(OAuthError) -> Member {
    if request.isNull { return Member(name: name, isEssential: false, values: []) }
    guard let request = request.objectValue else { throw malformed }
    guard let isEssential = (request["essential"] ?? false).boolValue else { throw malformed }
    var values: [JSON] = []
    if let list = request["values"] {
      guard let elements = list.arrayValue, !elements.isEmpty else { throw malformed }
      values = elements
    }
    if let value = request["value"] {
      guard request["values"] == nil else { throw malformed }
      values = [value]
    }
    let texts = values.compactMap(\.stringValue)
    // Left out, it would be a request for whoever is there.
    guard name != "sub" || texts.count == values.count else { throw malformed }
    return Member(name: name, isEssential: isEssential, values: texts)
  }
}

/// Which authentication context classes a client would like, or insists on (section 5.5.1.1).
struct ContextClassRequest: Sendable, Equatable {
  let values: [String]
  let isEssential: Bool
}

/// The claims about a person that a request asks for one by one; kept with the grant.
struct ReleasedClaims: Sendable, Equatable {
  var userInfo: [String] = []
  var idToken: [String] = []

  var isEmpty: Bool { userInfo.isEmpty && idToken.isEmpty }
  /// Each once.
  var names: [String] { userInfo + idToken.filter { !userInfo.contains($0) } }

  init(userInfo: [String] = [], idToken: [String] = []) {
    self.userInfo = userInfo
    self.idToken = idToken
  }

  /// As it is stored.
  init(stored document: JSON?) {
    userInfo = document?["userinfo"]?.arrayValue?.compactMap(\.stringValue) ?? []
    idToken = document?["id_token"]?.arrayValue?.compactMap(\.stringValue) ?? []
  }

  var document: JSON? {
    isEmpty ? nil : ["userinfo": .strings(userInfo), "id_token": .strings(idToken)]
  }

  /// Those whose scope the client may ask for: a claim is no way around its registration (our policy).
  func allowed(registered: OAuthScope) -> ReleasedClaims {
    let isAllowed: (String) -> Bool = { name in
      Claims.scope(of: name).map { ScopePolicy.isAllowed($0, registered: registered) } ?? false
    }
    return ReleasedClaims(
      userInfo: userInfo.filter(isAllowed), idToken: idToken.filter(isAllowed))
  }
}
