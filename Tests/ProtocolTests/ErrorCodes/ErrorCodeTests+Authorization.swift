import Platform

extension ErrorCodeTests {
  static let authorization = [
    Provocation(.authorization, "invalid_request") { scene in
      try await scene.authorize(["prompt": "magic"])
    },
    Provocation(.authorization, "unauthorized_client") { scene in
      let client = try await scene.tenant.application([
        "grant_types": ["client_credentials"], "response_types": [],
      ])
      return try await scene.authorize(["client_id": client.id])
    },
    Provocation(.authorization, "access_denied") { scene in
      let browser = scene.party.browser
      let (at, page) = try await browser.open(scene.party.url(["prompt": "consent"]))
      return try await browser.submit(page, at: at, press: "deny").reply
    },
    Provocation(.authorization, "unsupported_response_type") { scene in
      try await scene.authorize(["response_type": "token"])
    },
    Provocation(.authorization, "invalid_scope") { scene in
      try await scene.authorize(["scope": "openid flying"])
    },
    Provocation(.authorization, "login_required") { scene in
      try await HTTP.get(scene.party.url(["prompt": "none"]))
    },
    Provocation(.authorization, "consent_required") { scene in
      try await scene.authorize(["prompt": "none", "scope": "openid address"])
    },
    Provocation(.authorization, "invalid_request_uri") { scene in
      try await scene.authorize(["request_uri": "https://10.0.0.1/request"])
    },
    Provocation(.authorization, "invalid_request_object") { scene in
      try await scene.authorize(["request": "x"])
    },
    // The endpoint understands them; a page they were smuggled to does not.
    Provocation(.authorization, "request_not_supported") { scene in
      try await scene.consent(["request": "x"])
    },
    Provocation(.authorization, "request_uri_not_supported") { scene in
      try await scene.consent(["request_uri": "x"])
    },
    Provocation(.authorization, "registration_not_supported") { scene in
      try await scene.authorize(["registration": "{}"])
    },
    Provocation(.authorization, "unmet_authentication_requirements") { scene in
      try await scene.authorize([
        "claims": #"{"id_token":{"acr":{"essential":true,"value":"urn:gold"}}}"#
      ])
    },
    Provocation(.authorization, "invalid_target") { scene in
      try await HTTP.get(scene.party.url([:]) + "&resource=https://other.example/")
    },
  ]
}
