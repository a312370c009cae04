package import FoundationEssentials
package import Platform

/// What an issuer is trusted for.
package enum TrustedIssuerUse: String, Sendable, Hashable, CaseIterable {
  /// Its assertions are authorization grants (RFC 7523 section 2.1).
  case jwtBearer = "jwt_bearer"
  /// Its statements vouch for software (RFC 7591 section 2.3).
  case softwareStatement = "software_statement"
}

/// Whom the `sub` of an assertion names.
package enum AssertionSubject: String, Sendable, Hashable, CaseIterable {
  /// A user, by our own `sub`.
  case user = "sub"
  case username
  case email
  /// The client that presents the assertion.
  case client = "client_id"
}

/// Somebody outside whose signature the tenant believes.
package struct TrustedIssuer: Sendable {
  package let id: ID<TrustedIssuer>
  /// The exact `iss`.
  package let issuer: String
  package let metadata: TrustedIssuerMetadata
  /// Grows with every change; the ETag.
  package let version: Int
  package let createdAt: Date
  package let updatedAt: Date

  package var json: JSONObject {
    JSONObject([("id", .string(id.description)), ("issuer", .string(issuer))])
      .merging(metadata.json)
      .merging([
        "created_at": .string(createdAt.rfc3339), "updated_at": .string(updatedAt.rfc3339),
      ])
  }
}

/// What is believed of an issuer, and how its signatures are checked.
package struct TrustedIssuerMetadata: Sendable, Hashable {
  package var uses: [TrustedIssuerUse] = []
  package var keys = ClientKeys()
  /// Values of `aud` that mean us beside our issuer and token endpoint.
  package var audiences: [String] = []
  package var subject: AssertionSubject = .user
  /// The clients that may present its assertions; empty for every client with the grant.
  package var clients: [String] = []
  /// The most its assertions are good for; empty for what the client may ask for.
  package var scope: OAuthScope = .none

  /// As the admin API gets it, without `issuer`; collects every problem.
  package init(validating object: JSONObject) throws(ClaimErrors) {
    var read = ObjectReader(object)
    self.init(&read)
    if uses.isEmpty { read.refuse("uses", "must not be empty") }
    keys.check(&read)
    if keys.isEmpty { read.refuse("jwks", "is required unless there is a jwks_uri") }
    try read.finish()
  }

  init(stored object: JSONObject) throws(ClaimErrors) {
    var read = ObjectReader(object)
    self.init(&read)
    guard read.errors.isEmpty else { throw ClaimErrors(read.errors) }
  }

  private init(_ read: inout ObjectReader) {
    uses = read.choices("uses") ?? []
    keys = ClientKeys(&read)
    audiences = read.strings("audiences", countMax: 20, bytesMax: 2048) ?? []
    subject = read.choice("subject") ?? .user
    clients = read.strings("client_ids", countMax: 100, bytesMax: ClientID.bytesMax) ?? []
    if let text = read.text("scope") {
      if let scope = OAuthScope(stored: text) {
        self.scope = scope
      } else {
        read.refuse("scope", "must be scope tokens separated by single blanks")
      }
    }
  }

  package var json: JSONObject {
    var object: JSONObject = [
      "uses": .strings(uses.map(\.rawValue)), "audiences": .strings(audiences),
      "subject": .string(subject.rawValue), "client_ids": .strings(clients),
      "scope": .string(scope.description),
    ]
    keys.write(to: &object)
    return object
  }
}
