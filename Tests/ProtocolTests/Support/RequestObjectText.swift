import Platform

/// The claims of a request object, in compact form (OpenID Connect Core section 6.1).
struct RequestObjectText {
  let claims: JSONObject

  init(_ claims: JSONObject) { self.claims = claims }

  var unsigned: String {
    get throws {
      "\(Base64URL.encode(Array(#"{"alg":"none"}"#.utf8))).\(Base64URL.encode(JSON.object(claims).encoded()))."
    }
  }

  func signed(_ key: TestKey, type: String? = "oauth-authz-req+jwt") throws -> String {
    try key.sign(claims, type: type)
  }
}
