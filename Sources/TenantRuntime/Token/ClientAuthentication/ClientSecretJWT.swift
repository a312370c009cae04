import HTTPTypes
import JOSE
import Tenancy
import Web

/// `client_secret_jwt`: an assertion by HS256 with the client's secret (OpenID Connect Core section 9).
struct ClientSecretJWT: ClientAuthenticationMethod {
  static let name = ClientAuthenticationMethodName.clientSecretJWT

  func credentials(_ headers: HTTPFields, _ form: Form) throws(OAuthError) -> ClientCredentials? {
    guard let assertion = try ClientAssertion(form), assertion.jws.header.algorithm == .hs256 else {
      return nil
    }
    return ClientCredentials(clientID: assertion.clientID, proof: .assertion(assertion))
  }
}
