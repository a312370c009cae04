import HTTPTypes
import Tenancy
import Web

/// `none`: a public client only says who it is (OAuth 2.1 section 2.4).
struct NoClientAuthentication: ClientAuthenticationMethod {
  static let name = ClientAuthenticationMethodName.none

  func credentials(_ headers: HTTPFields, _ form: Form) throws(OAuthError) -> ClientCredentials? {
    guard try form.optional("client_secret") == nil, !headers.contains(.authorization),
      try form.optional("client_assertion") == nil,
      let id = try form.optional("client_id")
    else { return nil }
    return ClientCredentials(clientID: id, proof: .none)
  }
}
