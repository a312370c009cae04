import HTTPTypes
import Platform
import Tenancy
import Web

/// `client_secret_post`: id and secret in the form (RFC 6749 section 2.3.1).
struct ClientSecretPost: ClientAuthenticationMethod {
  static let name = ClientAuthenticationMethodName.clientSecretPost

  func credentials(_ headers: HTTPFields, _ form: Form) throws(OAuthError) -> ClientCredentials? {
    guard let secret = try form.optional("client_secret") else { return nil }
    return ClientCredentials(
      clientID: try form.required("client_id"), proof: .secret(Secret(secret)))
  }
}
