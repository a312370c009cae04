import NIOHTTP1
import Platform

extension ErrorCodeTests {
  private static let verifier = ("code_verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")

  static let token = [
    Provocation(.token, "invalid_request") { scene in try await scene.token([]) },
    Provocation(.token, "invalid_client") { scene in
      try await scene.post(
        "token", [("grant_type", "client_credentials"), ("client_id", "nobody")])
    },
    Provocation(.token, "invalid_grant") { scene in
      try await scene.token([("grant_type", "authorization_code"), ("code", "x"), verifier])
    },
    Provocation(.token, "unauthorized_client") { scene in
      try await scene.token([("grant_type", "client_credentials")])
    },
    Provocation(.token, "unsupported_grant_type") { scene in
      try await scene.token([("grant_type", "password")])
    },
    Provocation(.token, "invalid_scope") { scene in
      try await scene.post(
        "token", [("grant_type", "client_credentials"), ("scope", "api:write")],
        by: scene.service)
    },
    Provocation(.token, "invalid_target") { scene in
      try await scene.post(
        "token",
        [("grant_type", "client_credentials"), ("resource", "https://other.example/")],
        by: scene.service)
    },
    Provocation(.token, "authorization_pending") { scene in
      try await DeviceTests().begin(scene.tenant).poll()
    },
    Provocation(.token, "slow_down") { scene in
      let device = try await DeviceTests().begin(scene.tenant)
      _ = try await device.poll()
      return try await device.poll()
    },
    Provocation(.token, "access_denied") { scene in
      let device = try await DeviceTests().begin(scene.tenant)
      _ = try await device.decide(try await scene.tenant.person(), "deny")
      return try await device.poll()
    },
    Provocation(.token, "expired_token") { scene in
      // In an organization of its own: those of the others must go on.
      let tenant = try await scene.harness.tenant()
      let device = try await DeviceTests().begin(tenant)
      let schema = try scene.sql(
        "select schema_name from control.organization where id = '\(tenant.id)'")
      try scene.sql(
        "update \(schema).one_time_token set expires_at = now() where kind = 'device_code'")
      return try await device.poll()
    },
    Provocation(.token, "server_error") { scene in
      // A row that no version of ours has written.
      let broken = try await scene.tenant.service()
      try scene.sql("update \(scene.schema()).client set metadata = '[]' where id = '\(broken.id)'")
      return try await scene.post("token", [("grant_type", "client_credentials")], by: broken)
    },
    Provocation(.token, "temporarily_unavailable") { scene in
      let tenant = try await scene.harness.tenant()
      try await scene.harness.admin.document(.POST, "\(tenant.path)/suspend")
      return try await tenant.post("oauth2/token", [])
    },
  ]
}
