import JOSE
import Platform
import Tenancy
import Web

extension Client {
  /// Metadata as members of a body (RFC 7591 section 2, OpenID Connect Dynamic Client Registration
  /// section 2).
  static let metadataMembers: [SchemaMember] = [
    .optional("client_name", .string(length: 1...256)),
    .optional("redirect_uris", .array(.string(format: "uri"))),
    .optional("post_logout_redirect_uris", .array(.string(format: "uri"))),
    .optional("grant_types", .array(choice(ClientGrantType.self))),
    .optional("response_types", .array(choice(ClientResponseType.self))),
    .optional("token_endpoint_auth_method", choice(ClientAuthenticationMethodName.self)),
    .optional("token_endpoint_auth_signing_alg", choice(SignatureAlgorithm.self)),
    .optional("application_type", choice(ApplicationType.self)),
    .optional("scope", .string(), "What the client may ask for, with blanks between."),
    .optional("client_uri", .string(format: "uri")), .optional("logo_uri", .string(format: "uri")),
    .optional("policy_uri", .string(format: "uri")), .optional("tos_uri", .string(format: "uri")),
    .optional("initiate_login_uri", .string(format: "uri")),
    .optional("software_id", .string(length: 1...256)),
    .optional("software_version", .string(length: 1...64)),
    .optional("jwks", .anyObject, "The client's public keys."),
    .optional("jwks_uri", .string(format: "uri"), "Where they are instead."),
    .optional("subject_type", choice(SubjectType.self)),
    .optional("sector_identifier_uri", .string(format: "uri")),
    .optional("id_token_signed_response_alg", choice(ClientSigningAlgorithm.self)),
    .optional("userinfo_signed_response_alg", choice(ClientSigningAlgorithm.self)),
    .optional("access_token_signed_response_alg", choice(ClientSigningAlgorithm.self)),
    .optional("request_object_signing_alg", choice(RequestObjectAlgorithm.self)),
    .optional("request_uris", .array(.string(format: "uri"))),
    .optional("default_max_age", .integer(0...31_536_000)),
    .optional("require_auth_time", .boolean),
    .optional("default_acr_values", .array(.string(length: 1...256))),
    .optional(
      "pkce_waiver_reason", .string(length: 1...256),
      "Why this confidential client may leave out the code challenge."),
    .optional(
      "resources", .array(.string(format: "uri")),
      "What it may have access tokens for besides the issuer itself."),
    .optional("backchannel_logout_uri", .string(format: "uri")),
    .optional("backchannel_logout_session_required", .boolean),
    .optional("frontchannel_logout_uri", .string(format: "uri")),
    .optional("frontchannel_logout_session_required", .boolean),
    .optional(
      "allowed_origins", .array(.string()),
      "Origins of browser applications, beside those of the redirect URIs."),
    .optional(
      "token_exchange",
      .object([
        .optional("subject_clients", .array(.string()), "Whose tokens it may present; * for all."),
        .optional("audiences", .array(.string())),
        .optional("impersonation", .boolean, "Whether the new token hides who acts."),
      ]), "What this client may do by token exchange (RFC 8693); nothing without it."),
    .optional(
      "introspects_all_tokens", .boolean,
      "A protected resource that may ask about the tokens of other clients."),
    .optional("first_party", .boolean, "An application of the organization itself."),
  ]

  static let schema = Schema.object(
    [
      .required("client_id", .string()), .required("client_id_issued_at", .integer()),
      .required("status", choice(ClientStatus.self)),
    ]
      + metadataMembers + [
        .optional("client_secret", .string(), "Once, in the answer that made it."),
        .optional("client_secret_expires_at", .integer()),
      ])

  private static func choice<Value: RawRepresentable & CaseIterable>(_: Value.Type) -> Schema
  where Value.RawValue == String {
    .string(oneOf: Value.allCases.map(\.rawValue))
  }
}
