import Foundation
import NIOHTTP1
import Platform
import Testing

/// The forms of a signed-in person, sent by their own browser from our own origin: only the code that
/// another site can't know is missing.
@Suite("Our policy: no form of a signed-in person counts without its code")
struct ForgeryTests {
  let harness: Harness

  init() async throws { harness = try await Harness.shared() }

  /// Presses a button of the page without the form's code, and with one that only looks like it.
  private func forge(
    _ button: String, on page: (url: String, reply: Reply), fill: [(String, String)] = [],
    with browser: Browser
  ) async throws {
    SurfaceTests.check(page.reply, page.url, page.url)
    let form = try #require(Browser.forms(page.reply.text).first { $0.buttons[button] != nil })
    let code = try #require(form.values.first { $0.0 == "csrf" }?.1)
    let target = try #require(
      URL(string: form.action, relativeTo: URL(string: page.url))?.absoluteString)
    var values = form.values.filter { $0.0 != "csrf" } + fill
    if let pair = form.buttons[button], !pair.0.isEmpty { values.append(pair) }
    let forgeries: [[(String, String)]] = [[], [("csrf", String(code.reversed()))]]
    for forgery in forgeries {
      let reply = try await browser.send(
        .POST, target,
        headers: [
          ("content-type", "application/x-www-form-urlencoded"),
          ("origin", Browser.origin(of: page.url)),
        ],
        body: Array(HTTP.encode(values + forgery).utf8))
      #expect(reply.status == 403, "\(button), \(forgery.count) codes: \(reply)")
    }
  }

  @Test("The consent page: nothing is allowed or denied")
  func consent() async throws {
    let tenant = try await harness.tenant()
    let request = AuthorizationRequest(tenant, try await tenant.application())
    let (person, browser) = (try await tenant.person(), Browser())
    _ = try await tenant.signIn(person, with: browser)
    let page = try await browser.open(request.url)
    for button in ["accept", "deny"] { try await forge(button, on: page, with: browser) }
    #expect(try await tenant.events("consent.granted").isEmpty)
    #expect(try await tenant.events("authorization.granted").isEmpty)
    let back = try await browser.submit(page.reply, at: page.url, press: "accept").reply
    #expect(back.locationParameter("code") != nil, "\(back)")
    #expect(try await !tenant.events("authorization.granted").isEmpty)
  }

  @Test("The device pages: the device goes on waiting")
  func device() async throws {
    let tenant = try await harness.tenant()
    let device = try await DeviceTests().begin(tenant)
    let (person, browser) = (try await tenant.person(), Browser())
    _ = try await tenant.signIn(person, with: browser)
    let start = try #require(device.answer["verification_uri_complete"]?.stringValue)
    let entry = try await browser.open(start)
    try await forge("submit", on: entry, with: browser)
    let page = try await browser.submit(entry.reply, at: entry.url, press: "submit")
    for button in ["accept", "deny"] { try await forge(button, on: page, with: browser) }
    #expect(try await device.poll().json["error"] == "authorization_pending")
    #expect(try await tenant.events("consent.granted").isEmpty)
    let done = try await browser.submit(page.reply, at: page.url, press: "accept").reply
    #expect(done.text.contains("Your device is connected"), "\(done)")
  }

  @Test("The privacy page: what was agreed to stays as it was")
  func choices() async throws {
    let visit = try await LogoutVisit(harness)
    let (tenant, browser) = (visit.tenant, visit.browser)
    try await ConsentPageTests().purpose("news", of: tenant)
    let address = "\(tenant.issuer)/privacy"
    let before = try await browser.open(address)
    try await forge("give-news", on: before, with: browser)
    let refused = try await browser.open(address)
    #expect(refused.reply.text.contains("id=\"give-news\""))
    let given = try await browser.submit(refused.reply, at: refused.url, press: "give-news")
    let application = "withdraw-\(visit.request.application.id)"
    for button in ["withdraw-news", application] {
      try await forge(button, on: given, with: browser)
      #expect(try await browser.get(address).text.contains("id=\"\(button)\""))
    }
    #expect(try await tenant.events("consent.withdrawn").isEmpty)
    #expect(try await tenant.userinfo(visit.tokens["access_token"]).status == 200)
  }

  @Test("Export and erasure: no request is made")
  func requests() async throws {
    let tenant = try await harness.tenant()
    let (person, browser) = (try await tenant.person(), Browser())
    let privacy = try await tenant.signIn(person, with: browser)
    try await forge("export", on: privacy, with: browser)
    let export = try await browser.open("\(tenant.issuer)/privacy/export")
    try await forge("submit", on: export, with: browser)
    let erasure = try await browser.open("\(tenant.issuer)/privacy/erasure")
    try await forge("submit", on: erasure, fill: [("understood", "yes")], with: browser)
    let list = "\(tenant.path)/privacy/requests"
    #expect(try await harness.admin.document(.GET, list)["requests"] == [])
    #expect(try await browser.get("\(tenant.issuer)/privacy").status == 200)
    _ = try await browser.submit(export.reply, at: export.url, press: "submit")
    let made = try await harness.admin.document(.GET, list)["requests"]?.arrayValue
    #expect(made?.map { $0["kind"] } == ["export"])
  }
}
