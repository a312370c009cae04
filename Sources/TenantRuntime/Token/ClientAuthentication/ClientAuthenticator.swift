import HTTPTypes
import JOSE
import Platform
import Tenancy
import Web

/// One way a client can prove who it is (OAuth 2.1 section 2.4).
protocol ClientAuthenticationMethod: Sendable {
  static var name: ClientAuthenticationMethodName { get }
  /// What the request presents by this method; nil if it does not use it.
  func credentials(_ headers: HTTPFields, _ form: Form) throws(OAuthError) -> ClientCredentials?
}

/// A claim to be a client, and the proof.
struct ClientCredentials: Sendable {
  enum Proof: Sendable {
    /// A public client only says who it is.
    case none
    case secret(Secret<String>)
    case assertion(ClientAssertion)
  }

  let clientID: String
  let proof: Proof
}

/// Finds out which client sends a request to the token, introspection or revocation endpoint.
///
/// A client that does not exist is refused by the same bytes and after the same work as a wrong proof.
struct ClientAuthenticator: Sendable {
  let methods: [any ClientAuthenticationMethod]
  let clients: ClientStore
  let assertions: ClientAssertions

  var names: [String] { methods.map { type(of: $0).name.rawValue } }

  /// The client, once it has proved who it is and has requests left.
  func callAsFunction(_ headers: HTTPFields, _ form: Form, in context: TenantContext)
    async throws -> Client
  {
    let tenant = context.tenant
    let client = try await authenticated(headers, form, context)
    // Counted only now: a client's name is public, and nobody may use up its permits for it.
    try await context.charge(context.limits.charge(.client, .name(client.id.text), in: tenant))
    return client
  }

  private func authenticated(_ headers: HTTPFields, _ form: Form, _ context: TenantContext)
    async throws -> Client
  {
    let tenant = context.tenant
    let credentials = try presented(headers, form)
    guard let id = ClientID(credentials.clientID) else {
      throw OAuthError.invalidClient("malformed client_id")
    }
    var claims: JWTClaims?
    let client = try await clients.find(id, in: tenant) { candidate in
      let isProven: Bool
      switch credentials.proof {
      case .none:
        isProven = candidate?.isPublic ?? false
      case .secret(let secret):
        let isRight = candidate.map { $0.accepts(secret) } ?? Client.rejects(secret)
        // Our policy: the two ways to send a secret are equally good, so a client may use either.
        isProven = isRight && (candidate?.metadata.authenticationMethod.sendsSecret ?? false)
      case .assertion(let assertion):
        claims = try await assertions.claims(assertion, by: candidate, in: tenant)
        isProven = claims != nil
      }
      return isProven && (candidate?.isActive ?? false)
    }
    guard let client else { throw OAuthError.invalidClient("unknown client or wrong proof") }
    // Only now: that a browser may read the answer would tell that the client exists.
    context.allowOrigins(client.metadata.origins, for: headers)
    if let claims { try await assertions.use(claims, of: client, in: tenant) }
    return client
  }

  /// RFC 6749 section 2.3: not more than one method in a request.
  private func presented(_ headers: HTTPFields, _ form: Form) throws(OAuthError)
    -> ClientCredentials
  {
    var found: [ClientCredentials] = []
    for method in methods {
      if let credentials = try method.credentials(headers, form) { found.append(credentials) }
    }
    guard let credentials = found.first else { throw .invalidClient("no client authentication") }
    guard found.count == 1 else {
      throw .invalidRequest("The client authenticates in more than one way.")
    }
    if let named = try form.optional("client_id"), named != credentials.clientID {
      throw .invalidRequest("client_id is not the client that authenticates.")
    }
    return credentials
  }
}
