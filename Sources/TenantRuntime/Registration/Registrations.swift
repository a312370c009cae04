import Cache
import Cryptography
import Database
package import Platform
import Tenancy
import Web

/// How often clients may register from one address (our policy).
package struct RegistrationSettings: Sendable {
  let attemptsPerAddressMax: Int
  static let windowSeconds = 3600

  package init(_ read: inout SettingsReader) {
    attemptsPerAddressMax = read.value(
      "REGISTRATIONS_PER_ADDRESS_MAX", default: 60, in: 1...1_000_000,
      "Client registrations that may come from one client address in an hour.")
  }
}

/// Registers clients that ask for it, as far as their tenant lets them (RFC 7591, RFC 7592).
struct Registrations: Sendable {
  let clients: ClientStore
  let tokens: InitialAccessTokens
  let statements: SoftwareStatements
  let sectors: SectorIdentifiers
  let counters: any Counters
  let settings: RegistrationSettings
  let database: Database

  /// Whether this address may try: counted before any work is done.
  func mayTry(_ address: String, in tenant: Tenant) async -> Bool {
    let key = tenant.key.macKey(.throttle)
    let name = "register:" + Base64URL.encode(key.sha256("register\n\(address)"))
    let tries = await counters.increment(
      name, windowSeconds: RegistrationSettings.windowSeconds)
    return tries <= settings.attemptsPerAddressMax
  }

  /// Whether a registration may be looked at: the tenant is open, or the token is one it gave out.
  func admit(_ token: Secret<String>?, in tenant: Tenant) async throws {
    switch tenant.settings.registration.mode {
    case .closed:
      throw OAuthError(.accessDenied, "Clients can't register themselves here.")
    case .open: return
    case .initialAccessToken:
      guard let token else { throw BearerChallenge.missing }
      guard try await tokens.isUsable(token, in: tenant) else {
        throw BearerChallenge.invalidToken("initial access token unknown, expired or used up")
      }
    }
  }

  func register(
    _ request: RegistrationRequest, token: Secret<String>?, in tenant: Tenant,
    origin: AuditOrigin
  ) async throws -> IssuedClient {
    let policy = tenant.settings.registration
    let metadata = try await metadata(request, in: tenant)
    do {
      return try await database.transaction(in: tenant.schema) { tx in
        if policy.mode == .initialAccessToken {
          guard let token, try await tokens.use(token, in: tx) else {
            throw BearerChallenge.invalidToken("initial access token used up meanwhile")
          }
        }
        return try await clients.register(
          metadata, countMax: policy.clientsMax, in: tx, tenant: tenant, origin: origin)
      }
    } catch ClientError.tooMany {
      throw OAuthError(
        .accessDenied, "No more clients can register here.", detail: "registration_clients_max")
    }
  }

  /// RFC 7592 section 2.2: replaces everything the client may set.
  func update(
    _ client: Client, by request: RegistrationRequest, in tenant: Tenant, origin: AuditOrigin
  ) async throws -> IssuedClient {
    let metadata = try await metadata(request, in: tenant).keepingAdministered(of: client.metadata)
    do {
      return try await clients.update(
        client.id, registeredAs: metadata, expecting: client.version, in: tenant, origin: origin)
    } catch is ClientError {
      throw OAuthError.temporarilyUnavailable("the client changed meanwhile")
    }
  }

  /// The client whose registration access token this is.
  func client(_ id: String, _ token: Secret<String>, in tenant: Tenant) async throws -> Client {
    guard let id = ClientID(id) else { throw BearerChallenge.invalidToken("no such client") }
    let client = try await clients.find(id, in: tenant) { candidate in
      let isRight =
        candidate.map { $0.accepts(registrationToken: token) } ?? Client.rejects(token)
      return isRight && (candidate?.isActive ?? false)
    }
    // RFC 7592 section 2.1: the same answer for a client that is gone.
    guard let client else { throw BearerChallenge.invalidToken("registration access token") }
    return client
  }

  private func metadata(_ request: RegistrationRequest, in tenant: Tenant) async throws
    -> ClientMetadata
  {
    var request = request
    if let statement = request.members["software_statement"] {
      request = request.overruled(by: try await statements.members(statement, in: tenant))
    }
    let metadata = try request.metadata(tenant.settings.registration)
    try await sectors.check(metadata, in: tenant)
    return metadata
  }
}
