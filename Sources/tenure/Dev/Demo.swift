import Compliance
import ControlPlane
import Foundation
import Platform
import Tenancy
import Web

/// The demo organization of `tenure dev`, and `dev.json`, which says how to use it.
enum Demo {
  private static let file = "dev.json"

  /// Makes the administrator, the organization and the file where they are missing.
  ///
  /// The file is written last: a start that was killed before it gives everybody new credentials,
  /// a later one keeps them.
  ///
  /// - Returns: what the file says.
  static func prepare(_ product: Wiring, in directory: DataDirectory) async throws -> JSON {
    let base = product.settings.web.baseURL.text
    if let bytes = try directory.read(file) {
      let document = moved(try JSON.parse(bytes, limits: .request), to: base)
        .without("internal_url")
      try write(document, in: directory)
      return document
    }
    let access = try await product.controlPlane.bootstrap.run(.replace)
    let password = Secret(Base64URL.encode(RandomSource.system.bytes(12)))
    let ready = try await product.controlPlane.setup.ensure(try organization(password))
    let document: JSON = [
      "base_url": .string(base),
      "admin": [
        "token_endpoint": .string(access.tokenEndpoint), "client_id": .string(access.clientID),
        "client_secret": .string(access.clientSecret?.reveal() ?? ""),
        "scope": .string(access.scope),
      ],
      "organizations": [describe(ready, password)],
    ]
    try write(document, in: directory)
    return document
  }

  /// Adds where the internal listener of this start is.
  static func publish(
    _ document: JSON, internalURL: String, in directory: DataDirectory
  ) -> JSON {
    guard var members = document.objectValue else { return document }
    members["internal_url"] = .string(internalURL)
    let whole = JSON.object(members)
    do {
      try write(whole, in: directory)
    } catch {
      Output.line("The address of the internal listener is not in \(file): \(error)")
    }
    return whole
  }

  private static func write(_ document: JSON, in directory: DataDirectory) throws {
    try directory.write(file, document.encoded() + [UInt8(ascii: "\n")])
  }

  /// The same document under another address: the port of this start may not be the last one's.
  private static func moved(_ document: JSON, to base: String) -> JSON {
    guard let old = document["base_url"]?.stringValue, old != base else { return document }
    func move(_ value: JSON) -> JSON {
      switch value {
      case .string(let text) where text == old || text.hasPrefix("\(old)/"):
        .string(base + text.dropFirst(old.count))
      case .array(let values): .array(values.map(move))
      case .object(let members):
        .object(members.reduce(into: JSONObject()) { $0[$1.0] = move($1.1) })
      default: value
      }
    }
    return move(document)
  }

  private static func organization(_ password: Secret<String>) throws -> WantedOrganization {
    var wanted = WantedOrganization(slug: "acme", name: "Acme Corporation")
    wanted.users = [
      WantedUser(
        claims: [
          "username": "alice", "email": "alice@acme.example", "email_verified": true,
          "name": "Alice Liddell", "given_name": "Alice", "family_name": "Liddell",
          "locale": "en-GB", "zoneinfo": "Europe/London",
          "address": [
            "street_address": "1 Rabbit Lane", "locality": "Oxford", "postal_code": "OX1 1AA",
            "country": "GB",
          ],
        ], password: password)
    ]
    wanted.clients = try [web, spa, service].map { try ClientMetadata(validating: $0) }
    wanted.purposes = [
      purpose(
        "newsletter", "Newsletter",
        "News about our products, about once a month.",
        "We send you news about our products by e-mail, about once a month. We use your name and "
          + "e-mail address for it, and nobody else gets them."),
      purpose(
        "product-analytics", "Product analytics",
        "How you use our products, so that we can improve them.",
        "We record which functions of our products you use, under a pseudonym, for at most twelve "
          + "months, to see what to improve."),
    ]
    wanted.retention = [(rule: "user.inactive", enabled: true, keepDays: 730)]
    return wanted
  }

  private static let scope: JSON = "openid profile email address phone offline_access"

  private static let web: JSONObject = [
    "client_name": "Acme Web", "redirect_uris": ["http://localhost:3000/callback"],
    "post_logout_redirect_uris": ["http://localhost:3000/"],
    "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
    "token_endpoint_auth_method": "client_secret_basic", "scope": scope,
  ]

  private static let spa: JSONObject = [
    "client_name": "Acme Single Page", "redirect_uris": ["http://localhost:3001/callback"],
    "post_logout_redirect_uris": ["http://localhost:3001/"],
    "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
    "token_endpoint_auth_method": "none", "scope": scope,
  ]

  private static let service: JSONObject = [
    "client_name": "Acme Service", "grant_types": ["client_credentials"], "response_types": [],
    "token_endpoint_auth_method": "client_secret_basic", "scope": "reports:read reports:write",
  ]

  private static func purpose(
    _ id: String, _ name: String, _ description: String, _ notice: String
  ) -> PurposeDefinition {
    PurposeDefinition(
      id: id, name: name, description: description, notices: ["en": notice], isActive: true)
  }

  private static func describe(_ ready: ReadyOrganization, _ password: Secret<String>) -> JSON {
    let clients = zip(["web", "spa", "service"], ready.clients).map { name, shown in
      var client: JSONObject = ["client_id": .string(shown.client.id.text)]
      if let secret = shown.secret { client["client_secret"] = .string(secret.reveal()) }
      let redirects = shown.client.metadata.redirectURIs
      if !redirects.isEmpty { client["redirect_uris"] = .array(redirects.map { .string($0) }) }
      return (name, JSON.object(client))
    }
    return [
      "id": .string(ready.tenant.id.description), "slug": .string(ready.tenant.slug),
      "issuer": .string(ready.tenant.issuer),
      "user": [
        "username": "alice", "email": "alice@acme.example",
        "password": .string(password.reveal()),
      ],
      "clients": .object(clients.reduce(into: JSONObject()) { $0[$1.0] = $1.1 }),
    ]
  }
}

extension JSON {
  /// The same object without one of its members.
  fileprivate func without(_ name: String) -> JSON {
    guard var members = objectValue else { return self }
    members[name] = nil
    return .object(members)
  }
}
