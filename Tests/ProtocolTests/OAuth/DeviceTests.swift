import NIOHTTP1
import Foundation
import NIOHTTP1
import Platform
import Testing

@Suite("RFC 8628: devices without a browser")
struct DeviceTests {
  let harness: Harness

  init() async throws { harness = try await Harness.shared() }

  static let grantType = "urn:ietf:params:oauth:grant-type:device_code"

  /// A television that has begun.
  struct Device: Sendable {
    let tenant: TestTenant
    let application: TestApplication
    let answer: JSON

    var code: String { answer["device_code"]?.stringValue ?? "" }
    var userCode: String { answer["user_code"]?.stringValue ?? "" }

    func poll(as other: TestApplication? = nil, _ form: [(String, String)] = []) async throws
      -> Reply
    {
      try await tenant.post(
        "oauth2/token",
        [
          ("grant_type", DeviceTests.grantType), ("device_code", code),
          ("client_id", (other ?? application).id),
        ] + form)
    }

    /// What the person does; the page they see in the end.
    func decide(_ person: TestPerson, _ button: String, with browser: Browser = Browser())
      async throws -> Reply
    {
      let start = answer["verification_uri_complete"]?.stringValue ?? ""
      var (at, page) = try await browser.open(start)
      if page.text.contains("id=\"password\"") {
        (at, page) = try await browser.submit(
          page, at: at, fill: [("username", person.username), ("password", person.password)],
          press: "submit")
      }
      #expect(page.text.contains("value=\"\(userCode)\""))
      (at, page) = try await browser.submit(page, at: at, press: "submit")
      #expect(page.text.contains(userCode) && page.text.contains("Television"), "\(page)")
      #expect(page.text.contains(person.name), "The page says in whose account.")
      (at, page) = try await browser.submit(page, at: at, press: button)
      return page
    }
  }

  static let (api, files) = ("https://api.example.org/", "https://files.example.org/")

  func television(_ tenant: TestTenant) async throws -> TestApplication {
    try await tenant.application([
      "client_name": "Television", "grant_types": [.string(Self.grantType), "refresh_token"],
      "redirect_uris": [], "token_endpoint_auth_method": "none",
      "resources": [.string(Self.api), .string(Self.files)],
    ])
  }

  func begin(_ tenant: TestTenant, resources: [String] = []) async throws -> Device {
    let application = try await television(tenant)
    let reply = try await tenant.post(
      "oauth2/device",
      [("client_id", application.id), ("scope", "openid email")]
        + resources.map { ("resource", $0) })
    #expect(reply.status == 200 && reply.headers.first(name: "cache-control") == "no-store")
    return Device(tenant: tenant, application: application, answer: reply.json)
  }

  @Test("Pending, then approved: tokens, consent and an audit event; the code works once")
  func approved() async throws {
    let tenant = try await harness.tenant()
    let (device, person) = (try await begin(tenant), try await tenant.person())
    #expect(
      device.userCode.wholeMatch(of: /[B-DF-HJ-NP-TV-XZ]{4}-[B-DF-HJ-NP-TV-XZ]{4}/) != nil)
    #expect(device.answer["interval"] == 5 && device.answer["expires_in"] == 600)
    #expect(try await device.poll().json["error"] == "authorization_pending")
    let browser = Browser()
    let page = try await device.decide(person, "accept", with: browser)
    #expect(page.status == 200 && page.text.contains("Your device is connected"))
    let tokens = try await device.poll()
    #expect(tokens.status == 200, "\(tokens)")
    #expect(tokens.json["scope"] == "openid email")
    #expect(
      try await tenant.userinfo(tokens.json["access_token"]).json["email"]?.stringValue
        == person.email)
    #expect(tokens.json["refresh_token"] != nil && tokens.json["id_token"] != nil)
    let again = try await device.poll()
    #expect(again.status == 400 && again.json["error"] == "invalid_grant")
    #expect(try await tenant.events("authorization.granted").count == 1)
    let consents = try await browser.open("\(tenant.issuer)/privacy")
    #expect(consents.reply.text.contains("Television"))
  }

  @Test("RFC 8707: tokens are for what was approved, narrowed at the token endpoint and at refresh")
  func resources() async throws {
    let tenant = try await harness.tenant()
    let device = try await begin(tenant, resources: [Self.api, Self.files])
    let person = try await tenant.person()
    let browser = Browser()
    _ = try await tenant.signIn(person, with: browser)
    var (at, page) = try await browser.open(
      device.answer["verification_uri_complete"]?.stringValue ?? "")
    (at, page) = try await browser.submit(page, at: at, press: "submit")
    #expect(page.text.contains(Self.api) && page.text.contains(Self.files))
    _ = try await browser.submit(page, at: at, press: "accept")
    let beyond = try await device.poll([("resource", tenant.issuer)])
    #expect(beyond.status == 400 && beyond.json["error"] == "invalid_target")
    let tokens = try await device.poll([("resource", Self.api)])
    func audience(_ reply: Reply) throws -> JSON? {
      try ReadToken(reply.json["access_token"]?.stringValue).claims["aud"]
    }
    #expect(try audience(tokens)?.stringValue == Self.api, "\(tokens)")
    #expect(try await tenant.userinfo(tokens.json["access_token"]).status == 401)
    let form = [
      ("grant_type", "refresh_token"), ("client_id", device.application.id),
      ("refresh_token", tokens.json["refresh_token"]?.stringValue ?? ""),
    ]
    let wider = try await tenant.post("oauth2/token", form + [("resource", tenant.issuer)])
    #expect(wider.json["error"] == "invalid_target")
    #expect(
      try audience(await tenant.post("oauth2/token", form)) == .strings([Self.api, Self.files]))
  }

  @Test("Denied: access_denied, with the status of the token endpoint's errors")
  func denied() async throws {
    let tenant = try await harness.tenant()
    let device = try await begin(tenant)
    let page = try await device.decide(tenant.person(), "deny")
    #expect(page.text.contains("Nothing was allowed"))
    let reply = try await device.poll()
    #expect(reply.status == 400 && reply.json["error"] == "access_denied")
    #expect(try await tenant.events("authorization.denied").count == 1)
  }

  @Test("A device in a hurry is told to slow down")
  func slowDown() async throws {
    let device = try await begin(harness.tenant())
    #expect(try await device.poll().json["error"] == "authorization_pending")
    let hurried = try await device.poll()
    #expect(hurried.status == 400 && hurried.json["error"] == "slow_down")
  }

  @Test("A code that nobody confirmed in time has expired, for the device and for the person")
  func expired() async throws {
    let tenant = try await harness.tenant()
    let (device, browser) = (try await begin(tenant), Browser())
    let url = harness.deployment.databaseURL
    let schema = try TestServices.psql(
      "select schema_name from control.organization where id = '\(tenant.id)'", at: url
    ).trimmingCharacters(in: .whitespacesAndNewlines)
    try TestServices.psql(
      "update \(schema).one_time_token set expires_at = now() where kind = 'device_code'", at: url)
    let reply = try await device.poll()
    #expect(reply.status == 400 && reply.json["error"] == "expired_token")
    _ = try await tenant.signIn(try await tenant.person(), with: browser)
    let page = try await browser.open("\(tenant.issuer)/device")
    let answer = try await browser.submit(
      page.reply, at: page.url, fill: [("user_code", device.userCode)], press: "submit")
    #expect(answer.reply.status == 400 && !answer.reply.text.contains("id=\"accept\""))
  }

  @Test("Refusals of the two endpoints")
  func refusals() async throws {
    let tenant = try await harness.tenant()
    let device = try await begin(tenant)
    let other = try await television(tenant)
    #expect(try await device.poll(as: other).json["error"] == "invalid_grant")
    for code in ["x", String(repeating: "A", count: 86)] {
      let reply = try await tenant.post(
        "oauth2/token",
        [
          ("grant_type", Self.grantType), ("device_code", code),
          ("client_id", device.application.id),
        ])
      #expect(reply.status == 400 && reply.json["error"] == "invalid_grant")
    }
    let missing = try await tenant.post(
      "oauth2/token", [("grant_type", Self.grantType), ("client_id", other.id)])
    #expect(missing.json["error"] == "invalid_request")
    let web = try await tenant.application(["token_endpoint_auth_method": "none"])
    for (form, error) in [
      ([("client_id", web.id), ("scope", "openid")], "unauthorized_client"),
      ([("client_id", other.id)], "invalid_scope"),
      ([("client_id", other.id), ("scope", "openid other")], "invalid_scope"),
      ([("client_id", other.id), ("client_id", other.id)], "invalid_request"),
      ([("client_id", "nobody"), ("scope", "openid")], "invalid_client"),
      (
        [("client_id", other.id), ("scope", "openid"), ("resource", "https://else.example/")],
        "invalid_target"
      ),
      ([("client_id", other.id), ("scope", "openid"), ("resource", "api")], "invalid_target"),
    ] {
      let reply = try await tenant.post("oauth2/device", form)
      #expect(reply.json["error"]?.stringValue == error, "\(form): \(reply)")
    }
  }

  @Test("Codes are read as people type them, and only so many wrong ones")
  func typing() async throws {
    let tenant = try await harness.tenant()
    let (device, person, browser) = (
      try await begin(tenant), try await tenant.person(), Browser()
    )
    _ = try await tenant.signIn(person, with: browser)
    var (at, page) = try await browser.open("\(tenant.issuer)/device")
    let typed = " \(device.userCode.lowercased().replacingOccurrences(of: "-", with: " ")) "
    (at, page) = try await browser.submit(
      page, at: at, fill: [("user_code", typed)], press: "submit")
    #expect(page.text.contains("id=\"accept\""))
    (at, page) = try await browser.open("\(tenant.issuer)/device")
    // The right one counted, too: nobody starts afresh with a device of their own.
    for _ in 0..<19 {
      (at, page) = try await browser.submit(
        page, at: at, fill: [("user_code", "BBBB-BBBB")], press: "submit")
      #expect(page.status == 400)
    }
    (at, page) = try await browser.submit(
      page, at: at, fill: [("user_code", device.userCode)], press: "submit")
    #expect(page.status == 429 && !page.text.contains("id=\"accept\""))
  }

  @Test("The form can't be sent from elsewhere")
  func crossSite() async throws {
    let tenant = try await harness.tenant()
    let (device, browser) = (try await begin(tenant), Browser())
    _ = try await tenant.signIn(try await tenant.person(), with: browser)
    let form = HTTP.encode([("user_code", device.userCode), ("decision", "accept")])
    let reply = try await browser.send(
      .POST, "\(tenant.issuer)/device",
      headers: [("content-type", "application/x-www-form-urlencoded")], body: Array(form.utf8))
    #expect(reply.status == 403)
    #expect(try await device.poll().json["error"] == "authorization_pending")
  }
}
