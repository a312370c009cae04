import JOSE
import Platform
import Tenancy

/// What the metadata documents say, taken from what is wired (RFC 8414 section 2, OpenID Connect
/// Discovery section 3).
struct Metadata: Sendable {
  let grantTypes: [String]
  let clientAuthenticationMethods: [String]

  static let endpoints: [(name: String, path: String)] = [
    ("authorization_endpoint", "oauth2/authorize"), ("token_endpoint", "oauth2/token"),
    ("userinfo_endpoint", "oidc/userinfo"), ("jwks_uri", ".well-known/jwks.json"),
    ("introspection_endpoint", "oauth2/introspect"), ("revocation_endpoint", "oauth2/revoke"),
    ("end_session_endpoint", "oidc/logout"), ("check_session_iframe", CheckSessionEndpoint.path),
    ("device_authorization_endpoint", "oauth2/device"),
    ("global_token_revocation_endpoint", GlobalRevocationEndpoint.path),
  ]

  func document(for tenant: Tenant, keys: SigningKeys) -> JSON {
    var members: JSONObject = ["issuer": .string(tenant.issuer)]
    for endpoint in Self.endpoints {
      members[endpoint.name] = .string("\(tenant.issuer)/\(endpoint.path)")
    }
    if tenant.settings.registration.mode != .closed {
      members["registration_endpoint"] = .string(
        "\(tenant.issuer)/\(RegistrationEndpoint.path)")
    }
    let assertions = SignatureAlgorithm.allCases.map { JSON.string($0.rawValue) }
    for endpoint in ["token", "introspection", "revocation"] {
      members["\(endpoint)_endpoint_auth_signing_alg_values_supported"] = .array(assertions)
    }
    let confidential = clientAuthenticationMethods.filter { $0 != "none" }
    let signed = ClientSigningAlgorithm.allCases.filter { keys.algorithms.contains($0.algorithm) }
    let protocolMembers: JSONObject = [
      "response_types_supported": ["code"],
      "response_modes_supported": .strings(ResponseMode.allCases.map(\.rawValue)),
      "grant_types_supported": .strings(grantTypes),
      "code_challenge_methods_supported": ["S256"],
      "token_endpoint_auth_methods_supported": .strings(clientAuthenticationMethods),
      "introspection_endpoint_auth_methods_supported": .strings(confidential),
      "revocation_endpoint_auth_methods_supported": .strings(clientAuthenticationMethods),
      "scopes_supported": .strings(ScopePolicy.userDefault),
      "subject_types_supported": .strings(SubjectType.allCases.map(\.rawValue)),
      "id_token_signing_alg_values_supported": .strings(signed.map(\.rawValue)),
      "userinfo_signing_alg_values_supported": .strings(signed.map(\.rawValue)),
      "request_object_signing_alg_values_supported": .strings(
        RequestObjectAlgorithm.allCases.map(\.rawValue)),
      "claim_types_supported": ["normal"],
      "claims_supported": .strings(Self.tokenClaims + Claims.names + ["updated_at"]),
      "acr_values_supported": .strings(Session.contextClasses.sorted()),
      "display_values_supported": ["page"],
      "prompt_values_supported": .strings(Prompt.names.map(\.0)),
      "ui_locales_supported": ["en"],
      "backchannel_logout_supported": true, "backchannel_logout_session_supported": true,
      "frontchannel_logout_supported": true, "frontchannel_logout_session_supported": true,
      "authorization_response_iss_parameter_supported": true,
      "claims_parameter_supported": true,
      "request_parameter_supported": true,
      "request_uri_parameter_supported": true,
      "require_request_uri_registration": false,
    ]
    return .object(members.merging(protocolMembers))
  }

  /// Claims of the ID token that are not about the person.
  private static let tokenClaims = [
    "iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "at_hash", "sid",
  ]
}
