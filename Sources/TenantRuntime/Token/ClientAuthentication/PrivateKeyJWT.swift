import HTTPTypes
import JOSE
import Tenancy
import Web

/// `private_key_jwt`: an assertion signed with a key the client has registered, or publishes
/// (OpenID Connect Core section 9).
struct PrivateKeyJWT: ClientAuthenticationMethod {
  static let name = ClientAuthenticationMethodName.privateKeyJWT

  func credentials(_ headers: HTTPFields, _ form: Form) throws(OAuthError) -> ClientCredentials? {
    guard let assertion = try ClientAssertion(form), assertion.jws.header.algorithm != .hs256 else {
      return nil
    }
    return ClientCredentials(clientID: assertion.clientID, proof: .assertion(assertion))
  }
}
