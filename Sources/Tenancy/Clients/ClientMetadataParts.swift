package import Platform

/// The keys a client signs with (RFC 7591 section 2): as a document, or where to fetch it.
package struct ClientKeys: Sendable, Hashable {
  /// A JWK set with public halves only.
  package var document: JSON?
  package var uri: String?

  init() {}

  init(_ read: inout ObjectReader) {
    document = read.value("jwks")
    uri = read.string("jwks_uri", bytesMax: 2048)
  }

  package var isEmpty: Bool { document == nil && uri == nil }

  func write(to object: inout JSONObject) {
    object["jwks"] = document
    object["jwks_uri"] = uri.map(JSON.string)
  }
}

/// By which identifier a client knows its users (OpenID Connect Core section 8).
package struct ClientSubject: Sendable, Hashable {
  package var type: SubjectType = .public
  /// Lists the redirect URIs of all clients of one sector.
  package var sectorIdentifierURI: String?

  init() {}

  init(_ read: inout ObjectReader) {
    type = read.choice("subject_type") ?? .public
    sectorIdentifierURI = read.string("sector_identifier_uri", bytesMax: 2048)
  }

  func write(to object: inout JSONObject) {
    object["subject_type"] = .string(type.rawValue)
    object["sector_identifier_uri"] = sectorIdentifierURI.map(JSON.string)
  }
}

/// What a client's authorization requests may look like, and what they mean when they leave
/// something out.
package struct ClientRequests: Sendable, Hashable {
  /// The only algorithm its request objects may have; nil for any signature.
  package var objectAlgorithm: RequestObjectAlgorithm?
  /// Where its request objects lie (OpenID Connect Core section 6.2).
  package var uris: [String] = []
  package var defaultMaxAgeSeconds: Int?
  package var requiresAuthenticationTime = false
  package var defaultACRValues: [String] = []
  /// Our extension, `pkce_waiver_reason`: why this confidential client need not send a code
  /// challenge; nil for everybody else (OAuth 2.1 section 7.6 asks for PKCE).
  package var proofKeyWaiver: String?
  /// Our extension, `resources`: what the client may have tokens for besides the issuer itself (RFC
  /// 8707).
  package var resources: [String] = []

  init() {}

  init(_ read: inout ObjectReader) {
    objectAlgorithm = read.choice("request_object_signing_alg")
    uris = read.strings("request_uris", countMax: 20, bytesMax: 512) ?? []
    defaultMaxAgeSeconds = read.integer("default_max_age", in: 0...31_536_000)
    requiresAuthenticationTime = read.bool("require_auth_time") ?? false
    defaultACRValues = read.strings("default_acr_values", countMax: 10, bytesMax: 256) ?? []
    proofKeyWaiver = read.string("pkce_waiver_reason", bytesMax: 256)
    resources = read.strings("resources", countMax: 20, bytesMax: 2048) ?? []
  }

  func write(to object: inout JSONObject) {
    object["request_object_signing_alg"] = objectAlgorithm.map { .string($0.rawValue) }
    object["request_uris"] = .strings(uris)
    object["default_max_age"] = defaultMaxAgeSeconds.map { .integer($0) }
    object["require_auth_time"] = .bool(requiresAuthenticationTime)
    object["default_acr_values"] = .strings(defaultACRValues)
    object["pkce_waiver_reason"] = proofKeyWaiver.map(JSON.string)
    object["resources"] = .strings(resources)
  }
}

/// How a client learns that a session has ended (OpenID Connect Back-Channel Logout section 2.2,
/// Front-Channel Logout section 2).
package struct ClientLogout: Sendable, Hashable {
  package var backChannelURI: String?
  package var backChannelNeedsSession = false
  package var frontChannelURI: String?
  package var frontChannelNeedsSession = false

  init() {}

  init(_ read: inout ObjectReader) {
    backChannelURI = read.string("backchannel_logout_uri", bytesMax: 2048)
    backChannelNeedsSession = read.bool("backchannel_logout_session_required") ?? false
    frontChannelURI = read.string("frontchannel_logout_uri", bytesMax: 2048)
    frontChannelNeedsSession = read.bool("frontchannel_logout_session_required") ?? false
  }

  func write(to object: inout JSONObject) {
    object["backchannel_logout_uri"] = backChannelURI.map(JSON.string)
    object["backchannel_logout_session_required"] = .bool(backChannelNeedsSession)
    object["frontchannel_logout_uri"] = frontChannelURI.map(JSON.string)
    object["frontchannel_logout_session_required"] = .bool(frontChannelNeedsSession)
  }
}

/// Whose tokens a client may exchange, and for whom (RFC 8693 section 2; our extension).
package struct TokenExchangePolicy: Sendable, Hashable {
  package static let everyClient = "*"

  /// The clients whose tokens it may present, or `*`.
  package var subjectClients: [String] = []
  /// What `audience` and `resource` may name.
  package var audiences: [String] = []
  /// Whether it may become the subject itself; otherwise the token says who acts.
  package var allowsImpersonation = false

  package init() {}

  init?(_ read: inout ObjectReader) {
    let policy = read.object("token_exchange") { read in
      var policy = TokenExchangePolicy()
      policy.subjectClients =
        read.strings("subject_clients", countMax: 100, bytesMax: ClientID.bytesMax) ?? []
      policy.audiences = read.strings("audiences", countMax: 50, bytesMax: 2048) ?? []
      policy.allowsImpersonation = read.bool("impersonation") ?? false
      return policy
    }
    guard let policy else { return nil }
    self = policy
  }

  func write(to object: inout JSONObject) {
    object["token_exchange"] = [
      "subject_clients": .strings(subjectClients), "audiences": .strings(audiences),
      "impersonation": .bool(allowsImpersonation),
    ]
  }

  package func allows(subjectClient client: ClientID) -> Bool {
    subjectClients.contains(Self.everyClient) || subjectClients.contains(client.text)
  }
}
