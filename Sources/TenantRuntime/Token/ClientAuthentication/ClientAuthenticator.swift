import HTTPTypes
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
  let clientID: String
  let secret: Secret<String>?
}

/// Finds out which client sends a request to the token, introspection or revocation endpoint.
struct ClientAuthenticator: Sendable {
  let methods: [any ClientAuthenticationMethod]
  let clients: ClientStore

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
    guard let id = ClientID(credentials.clientID),
      let client = try await clients.find(id, in: tenant), client.isActive
    else { throw OAuthError.invalidClient("unknown client") }
    context.allowOrigins(client.metadata.origins, for: headers)
    guard let secret = credentials.secret else {
      guard client.isPublic else {
        throw OAuthError.invalidClient("confidential client without secret")
      }
      return client
    }
    // Our policy: the two ways to send a secret are equally good, so a client may use either.
    guard client.metadata.authenticationMethod.sendsSecret, client.accepts(secret) else {
      throw OAuthError.invalidClient("wrong secret")
    }
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
