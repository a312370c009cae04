import Foundation
import JOSE
import Platform
import Testing

/// `oidcc-config-certification-test-plan`; the Dynamic plan has the same module.
@Suite("Conformance: Config and Dynamic")
struct ConfigTests {
  let harness: Harness

  init() async throws { harness = try await Harness.shared() }

  @Test("oidcc-discovery-endpoint-verification")
  func discovery() async throws {
    let tenant = try await DynamicParty.tenant(harness)
    let reply = try await HTTP.get("\(tenant.issuer)/.well-known/openid-configuration")
    #expect(reply.status == 200 && reply.contentType == "application/json")
    let document = reply.json
    let names = try #require(document.objectValue?.names)
    #expect(document["issuer"]?.stringValue == tenant.issuer)
    for name in names where name.hasSuffix("_endpoint") || name.hasSuffix("_uri") {
      #expect(URL(string: document[name]?.stringValue ?? "")?.host != nil, "\(name)")
    }
    for name in ["authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"] {
      #expect(document[name] != nil, "\(name)")
    }
    for name in names where name.hasSuffix("_supported") && !Self.flags.contains(name) {
      let values = document[name]?.arrayValue?.compactMap(\.stringValue) ?? []
      #expect(!values.isEmpty && Set(values).count == values.count, "\(name)")
    }
    for flag in Self.flags { #expect(document[flag]?.boolValue != nil, "\(flag)") }
    func lists(_ name: String, _ value: JSON) -> Bool {
      document[name]?.arrayValue?.contains(value) == true
    }
    #expect(lists("response_types_supported", "code"))
    #expect(lists("scopes_supported", "openid"))
    #expect(lists("id_token_signing_alg_values_supported", "RS256"))
    #expect(lists("subject_types_supported", "public"))
    #expect(lists("response_modes_supported", "form_post"))
    #expect(lists("claims_supported", "sub"))
    #expect(lists("code_challenge_methods_supported", "S256"))
    // BCP 47 section 2.1.1: language in lower case.
    for locale in document["ui_locales_supported"]?.arrayValue ?? [] {
      #expect(locale.stringValue == locale.stringValue?.lowercased())
    }
    let unknown = Set(names).subtracting(Self.registered)
    #expect(unknown.isEmpty, "\(unknown)")
    let set = try await HTTP.get(document["jwks_uri"]?.stringValue ?? "")
    let keys = set.json["keys"]?.arrayValue ?? []
    #expect(set.status == 200 && !keys.isEmpty)
    #expect(Set(keys.compactMap { $0["kid"]?.stringValue }).count == keys.count)
    for key in keys {
      #expect(throws: Never.self) { try JWK(key) }
      for secret in ["d", "p", "q", "dp", "dq", "qi", "k"] { #expect(key[secret] == nil) }
    }
  }

  static let flags: Set = [
    "claims_parameter_supported", "request_parameter_supported", "request_uri_parameter_supported",
    "require_request_uri_registration", "authorization_response_iss_parameter_supported",
    "backchannel_logout_supported", "backchannel_logout_session_supported",
    "frontchannel_logout_supported", "frontchannel_logout_session_supported",
  ]

  /// The IANA registry of authorization server metadata, as far as it concerns us.
  static let registered: Set = flags.union([
    "issuer", "authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri",
    "registration_endpoint", "introspection_endpoint", "revocation_endpoint",
    "end_session_endpoint", "check_session_iframe", "device_authorization_endpoint",
    "global_token_revocation_endpoint", "global_token_revocation_endpoint_auth_methods_supported",
    "scopes_supported", "response_types_supported", "response_modes_supported",
    "grant_types_supported", "acr_values_supported", "subject_types_supported",
    "id_token_signing_alg_values_supported", "userinfo_signing_alg_values_supported",
    "request_object_signing_alg_values_supported", "token_endpoint_auth_methods_supported",
    "token_endpoint_auth_signing_alg_values_supported",
    "introspection_endpoint_auth_methods_supported",
    "introspection_endpoint_auth_signing_alg_values_supported",
    "revocation_endpoint_auth_methods_supported",
    "revocation_endpoint_auth_signing_alg_values_supported", "display_values_supported",
    "claim_types_supported", "claims_supported", "ui_locales_supported",
    "code_challenge_methods_supported", "prompt_values_supported",
  ])
}
