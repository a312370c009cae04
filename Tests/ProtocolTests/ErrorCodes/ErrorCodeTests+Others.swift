import NIOHTTP1
import Platform

extension ErrorCodeTests {
  static let others = [
    Provocation(.deviceAuthorization, "invalid_request") { scene in
      let id = ("client_id", scene.television.id)
      return try await scene.post("device", [id, ("scope", "openid"), ("scope", "email")])
    },
    Provocation(.deviceAuthorization, "invalid_client") { scene in
      try await scene.post("device", [("client_id", "nobody"), ("scope", "openid")])
    },
    Provocation(.deviceAuthorization, "unauthorized_client") { scene in
      try await scene.post("device", [("scope", "openid")], by: scene.party.application)
    },
    Provocation(.deviceAuthorization, "invalid_scope") { scene in
      try await scene.post("device", [("client_id", scene.television.id), ("scope", "flying")])
    },
    Provocation(.introspection, "invalid_request") { scene in
      try await scene.post("introspect", [], by: scene.service)
    },
    Provocation(.introspection, "invalid_client") { scene in
      try await scene.post("introspect", [("token", "x"), ("client_id", scene.television.id)])
    },
    Provocation(.revocation, "invalid_request") { scene in
      try await scene.post("revoke", [], by: scene.service)
    },
    Provocation(.revocation, "invalid_client") { scene in
      try await scene.post("revoke", [("token", "x")])
    },
    Provocation(.revocation, "unsupported_token_type") { scene in
      try await scene.post(
        "revoke", [("token", scene.signIn.idToken)], by: scene.party.application)
    },
    Provocation(.userInfo, "invalid_request") { scene in
      try await HTTP.post(
        form: [("access_token", "x")], to: "\(scene.tenant.issuer)/oidc/userinfo",
        headers: [scene.bearer("x")])
    },
    Provocation(.userInfo, "invalid_token") { scene in try await scene.tenant.userinfo("x") },
    Provocation(.userInfo, "insufficient_scope") { scene in
      try await scene.tenant.userinfo(.string(scene.serviceToken(scope: "api:read")))
    },
    Provocation(.userInfo, "insufficient_user_authentication") { scene in
      let party = try await RelyingParty(scene.harness, .query)
      let signIn = try await party.signIn()
      try await party.outgrowSignIn()
      try await party.tenant.settings(["userinfo_authentication_max_age_seconds": 1])
      return try await party.tenant.userinfo(signIn.accessToken)
    },
    Provocation(.globalRevocation, "invalid_request") { scene in
      try await scene.revokeEverything(scene.serviceToken(scope: "global_token_revocation"))
    },
    Provocation(.globalRevocation, "invalid_token") { scene in
      try await scene.revokeEverything("x")
    },
    Provocation(.globalRevocation, "insufficient_scope") { scene in
      try await scene.revokeEverything(scene.serviceToken(scope: "api:read"))
    },
  ]

  static let registration = [
    Provocation(.registration, "access_denied") { scene in
      try await RegistrationTests().register(scene.tenant)
    },
    Provocation(.registration, "invalid_token") { scene in
      let tests = try await RegistrationTests()
      let tenant = try await tests.tenant(["registration": "initial_access_token"])
      return try await tests.register(tenant, token: "x")
    },
    registering("invalid_redirect_uri", ["redirect_uris": ["javascript:alert(1)"]]),
    registering("invalid_client_metadata", ["grant_types": ["implicit"]]),
    registering("invalid_software_statement", ["software_statement": "x"]),
    Provocation(.registration, "unapproved_software_statement") { _ in
      let statement = try TestKey().sign(["iss": "https://vendor.example"])
      let tests = try await RegistrationTests()
      return try await tests.register(
        tests.tenant(), ["software_statement": .string(statement)])
    },
    Provocation(.configuration, "invalid_token") { _ in
      try await replace([:], token: "x")
    },
    Provocation(.configuration, "invalid_client_metadata") { _ in
      try await replace(["client_secret": "mine"])
    },
    Provocation(.configuration, "invalid_redirect_uri") { _ in
      try await replace(["redirect_uris": ["http://app.example/"]])
    },
  ]

  private static func registering(_ code: String, _ changes: JSONObject) -> Provocation {
    Provocation(.registration, code) { _ in
      let tests = try await RegistrationTests()
      return try await tests.register(tests.tenant(), changes)
    }
  }

  /// A client that has registered itself changes its registration.
  private static func replace(_ changes: JSONObject, token: String? = nil) async throws -> Reply {
    let tests = try await RegistrationTests()
    let client = try await tests.register(tests.tenant()).json
    let body = RegistrationTests.metadata.merging(["client_id": client["client_id"] ?? .null])
    return try await tests.send(
      .PUT, client["registration_client_uri"]?.stringValue ?? "",
      .object(body.merging(changes)),
      token: token ?? client["registration_access_token"]?.stringValue)
  }
}

extension ErrorScene {
  func revokeEverything(_ token: String) async throws -> Reply {
    try await HTTP.send(
      .POST, "\(tenant.issuer)/oauth2/global-token-revocation",
      headers: [bearer(token), ("content-type", "application/json")], body: Array("{}".utf8))
  }
}
