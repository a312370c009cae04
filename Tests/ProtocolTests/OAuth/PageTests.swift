import Foundation
import NIOHTTP1
import Platform
import Testing

@Suite("Our policy: the sign-in page")
struct LoginPageTests {
  let harness: Harness

  init() async throws { harness = try await Harness.shared() }

  @Test("One answer to unknown users and wrong passwords")
  func oneAnswer() async throws {
    let tenant = try await harness.tenant()
    let person = try await tenant.person()
    let wrong = try await tenant.signIn(person, with: Browser(), password: "not the password")
    let ghost = TestPerson(
      username: person.username + "x", email: "", password: "not the password", name: "", street: ""
    )
    let unknown = try await tenant.signIn(ghost, with: Browser())
    #expect(wrong.reply.status == 403 && unknown.reply.status == 403)
    let neutral = { (reply: Reply, name: String) in
      reply.text.replacing(name, with: "").replacing(/name="csrf" value="[^"]*"/, with: "")
    }
    #expect(neutral(wrong.reply, person.username) == neutral(unknown.reply, ghost.username))
    let events = try await harness.admin.document(
      .GET, "\(tenant.path)/audit/events?action=session.sign_in")
    #expect(events["events"]?.arrayValue?.map { $0["outcome"] } == ["failure", "failure"])
    #expect(!events.text.contains(ghost.username))
  }

  @Test(
    "Sign-in by user name or by e-mail; each gives a new cookie that is kept from scripts and other sites"
  )
  func cookies() async throws {
    let tenant = try await harness.tenant()
    let person = try await tenant.person()
    var values: Set<String> = []
    let browser = Browser()
    for name in [person.username, person.email, person.email.uppercased()] {
      let page = try await browser.open("\(tenant.issuer)/login")
      let form = try #require(Browser.forms(page.reply.text).first { $0.buttons["submit"] != nil })
      let reply = try await browser.send(
        .POST, "\(tenant.issuer)/login",
        headers: [("content-type", "application/x-www-form-urlencoded")],
        body: Array(
          HTTP.encode(
            form.values.filter { $0.0 == "csrf" || $0.0 == "continue" }
              + [("username", name), ("password", person.password)]
          ).utf8))
      #expect(reply.status == 303)
      let cookie = try #require(reply.headers["set-cookie"].first { $0.contains("session=") })
      #expect(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"))
      #expect(cookie.contains("Path=/t/\(tenant.slug)"))
      values.insert(String(cookie.prefix { $0 != ";" }))
    }
    #expect(values.count == 3)
  }

  @Test("A cookie from before a new sign-in is worth nothing")
  func fixation() async throws {
    let tenant = try await harness.tenant()
    let person = try await tenant.person()
    let browser = Browser()
    _ = try await tenant.signIn(person, with: browser)
    let old = try #require(browser.cookieHeader(for: "\(tenant.issuer)/privacy"))
    _ = try await tenant.signIn(person, with: browser)
    let reply = try await HTTP.get("\(tenant.issuer)/privacy", headers: [("cookie", old)])
    #expect(reply.status == 303)
    #expect(try await browser.get("\(tenant.issuer)/privacy").status == 200)
  }

  @Test(
    "continue leads to pages of this issuer only",
    arguments: [
      "https://evil.example/", "//evil.example/", "/admin/v1/organizations", "/t/system/privacy",
      "privacy", "/\\evil.example", "javascript:alert(1)",
    ])
  func openRedirect(_ target: String) async throws {
    let tenant = try await harness.tenant()
    let reply = try await HTTP.get("\(tenant.issuer)/login?continue=\(HTTP.escape(target))")
    #expect(reply.status == 400 && reply.location == nil)
  }

  @Test("A form without its code, or from another site, is refused")
  func forgery() async throws {
    let tenant = try await harness.tenant()
    let person = try await tenant.person()
    let browser = Browser()
    _ = try await browser.open("\(tenant.issuer)/login")
    let body = Array(
      HTTP.encode([("username", person.username), ("password", person.password)]).utf8)
    let type = ("content-type", "application/x-www-form-urlencoded")
    for headers in [
      [type], [type, ("origin", "https://evil.example")], [type, ("sec-fetch-site", "cross-site")],
    ] {
      let reply = try await browser.send(
        .POST, "\(tenant.issuer)/login", headers: headers, body: body)
      #expect(reply.status == 403)
      #expect(reply.headers["set-cookie"].allSatisfy { !$0.contains("session=") })
    }
  }

  @Test("What is typed comes back escaped")
  func escaping() async throws {
    let tenant = try await harness.tenant()
    let person = TestPerson(
      username: "\"><script>alert(1)</script>", email: "", password: "whatever it is", name: "",
      street: "")
    let reply = try await tenant.signIn(person, with: Browser()).reply
    #expect(!reply.text.contains("<script"))
  }

  @Test("Wrong passwords slow sign-in down; the right one does not help")
  func throttle() async throws {
    let tenant = try await harness.tenant()
    let person = try await tenant.person()
    var statuses: [Int] = []
    // The wait doubles with each guess that is answered; it must outlast what follows, however slow
    // the machine is. One that does not is waited for, as its header asks: the tenth guess locks.
    var isLasting = false
    var counted = ContinuousClock.now
    while !isLasting, statuses.count < 40 {
      let start = ContinuousClock.now
      let reply = try await tenant.signIn(person, with: Browser(), password: "not the password")
        .reply
      statuses.append(reply.status)
      if reply.status != 429 { counted = start }
      let wait = reply.headers.first(name: "retry-after").flatMap(Int.init) ?? 0
      let (now, end) = (ContinuousClock.now, counted.advanced(by: .seconds(wait)))
      isLasting = reply.status == 429 && end - now > (now - start) * 8
      if reply.status == 429, !isLasting { try await Task.sleep(for: .seconds(wait)) }
    }
    #expect(statuses.prefix(5).allSatisfy { $0 == 403 })
    #expect(isLasting)
    let right = try await tenant.signIn(person, with: Browser()).reply
    #expect(right.status == 429)
    #expect((right.headers.first(name: "retry-after").flatMap(Int.init) ?? 0) > 0)
    // Another spelling of the name is no fresh start.
    let spelled = TestPerson(
      username: " \(person.username.uppercased())\t", email: "", password: person.password,
      name: "",
      street: "")
    #expect(try await tenant.signIn(spelled, with: Browser()).reply.status == 429)
    let other = try await tenant.signIn(tenant.person(), with: Browser()).reply
    #expect(other.status == 200)
  }
}

@Suite("Our policy: guessing passwords")
struct GuessingTests {
  @Test("Guesses made at the same time get no more answers than one after the other")
  func parallelGuesses() async throws {
    let tenant = try await Harness.shared().tenant()
    let person = try await tenant.person()
    let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<30 {
        group.addTask {
          try await tenant.signIn(person, with: Browser(), password: "not the password").reply
            .status
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(statuses.filter { $0 == 403 }.count <= 10)
    #expect(statuses.allSatisfy { $0 == 403 || $0 == 429 })
    #expect(try await tenant.signIn(person, with: Browser()).reply.status == 429)
  }
}

@Suite("OpenID Connect Core 3.1.2.4, GDPR Art. 7: consent")
struct ConsentPageTests {
  let harness: Harness

  init() async throws { harness = try await Harness.shared() }

  /// A person in front of the consent page.
  func asked(_ request: AuthorizationRequest, _ person: TestPerson, _ browser: Browser) async throws
    -> (url: String, reply: Reply)
  {
    let page = try await browser.open(request.url)
    guard page.reply.text.contains("id=\"password\"") else { return page }
    return try await browser.submit(
      page.reply, at: page.url,
      fill: [("username", person.username), ("password", person.password)], press: "submit")
  }

  func purpose(_ id: String, of tenant: TestTenant) async throws {
    try await harness.admin.document(
      .POST, "\(tenant.path)/consent/purposes",
      [
        "id": .string(id), "name": .string("Purpose \(id)"), "description": "A purpose.",
        "notices": ["en": "The full text that people agree to."],
      ])
  }

  @Test("oidcc user-rejects-authentication: access_denied with state, and nothing is granted")
  func denied() async throws {
    let tenant = try await harness.tenant()
    let request = AuthorizationRequest(tenant, try await tenant.application())
    let (person, browser) = (try await tenant.person(), Browser())
    let page = try await asked(request, person, browser)
    let back = try await browser.submit(page.reply, at: page.url, press: "deny").reply
    #expect(back.locationParameter("error") == "access_denied")
    #expect(back.locationParameter("state") == request.state)
    #expect(try await asked(request, person, browser).reply.text.contains("id=\"accept\""))
  }

  @Test("Consent is remembered, and asked again when the scope grows or the application asks to")
  func remembered() async throws {
    let tenant = try await harness.tenant()
    var request = AuthorizationRequest(tenant, try await tenant.application())
    request.scope = "openid email"
    let (person, browser) = (try await tenant.person(), Browser())
    _ = try await request.authorize(person, with: browser)
    #expect(try await browser.open(request.url).reply.locationParameter("code") != nil)
    let prompted = request.with(("prompt", "consent"))
    #expect(try await browser.open(prompted.url).reply.text.contains("id=\"accept\""))
    var wider = request
    wider.scope = "openid profile"
    _ = try await wider.authorize(person, with: browser)
    // Both scopes are granted now.
    wider.scope = "openid profile email"
    #expect(try await browser.open(wider.url).reply.locationParameter("code") != nil)
  }

  @Test("Purposes are unticked, and only what was ticked is agreed to")
  func purposes() async throws {
    let tenant = try await harness.tenant()
    try await purpose("one", of: tenant)
    try await purpose("two", of: tenant)
    let request = AuthorizationRequest(tenant, try await tenant.application())
    let (person, browser) = (try await tenant.person(), Browser())
    let page = try await asked(request, person, browser)
    #expect(page.reply.text.contains("The full text that people agree to."))
    #expect(!page.reply.text.contains(" checked"))
    let value = try #require(
      page.reply.text.firstMatch(
        of: /id="purpose-two" name="purpose" type="checkbox" value="([^"]+)"/))
    _ = try await browser.submit(
      page.reply, at: page.url, fill: [("purpose", String(value.1))], press: "accept")
    let privacy = try await browser.get("\(tenant.issuer)/privacy")
    #expect(privacy.text.contains("id=\"give-one\""))
    #expect(privacy.text.contains("id=\"withdraw-two\""))
  }

  @Test("A purpose is given and withdrawn with one click, on the same page")
  func clicks() async throws {
    let tenant = try await harness.tenant()
    try await purpose("news", of: tenant)
    let browser = Browser()
    var page = try await tenant.signIn(tenant.person(), with: browser)
    for (button, next) in [("give-news", "withdraw-news"), ("withdraw-news", "give-news")] {
      page = try await browser.submit(page.reply, at: page.url, press: button)
      #expect(page.reply.status == 200 && page.reply.text.contains("id=\"\(next)\""))
    }
    let events = try await harness.admin.document(
      .GET, "\(tenant.path)/audit/events?action=consent.withdrawn")
    #expect(events["events"]?.arrayValue?.count == 1)
  }

  @Test("A code that was not used yet dies with the consent")
  func codeDies() async throws {
    let tenant = try await harness.tenant()
    let application = try await tenant.application()
    let request = AuthorizationRequest(tenant, application)
    let browser = Browser()
    let back = try await request.authorize(tenant.person(), with: browser)
    let code = try #require(back.locationParameter("code"))
    let page = try await browser.open("\(tenant.issuer)/privacy")
    _ = try await browser.submit(page.reply, at: page.url, press: "withdraw-\(application.id)")
    #expect(try await request.redeem(code: code).json["error"] == "invalid_grant")
  }
}

@Suite("GDPR Art. 12 to 20: the privacy page")
struct PrivacyPageProtocolTests {
  let harness: Harness

  init() async throws { harness = try await Harness.shared() }

  @Test("The issuer leads to the privacy page, by way of sign-in")
  func entrance() async throws {
    let tenant = try await harness.tenant()
    let browser = Browser()
    let page = try await browser.open("\(tenant.issuer)/")
    #expect(page.reply.text.contains("id=\"password\""))
    let person = try await tenant.person()
    let privacy = try await browser.submit(
      page.reply, at: page.url,
      fill: [("username", person.username), ("password", person.password)], press: "submit")
    for trace in person.traces { #expect(privacy.reply.text.contains(trace)) }
  }

  @Test("Everybody is told where and how (Art. 12(2))")
  func directory() async throws {
    let tenant = try await harness.tenant()
    let reply = try await HTTP.get("\(tenant.issuer)/.well-known/privacy")
    #expect(reply.status == 200 && reply.contentType == "application/json")
    for member in ["endpoints", "deadlines", "contact", "formats"] {
      #expect(reply.json[member] != nil)
    }
  }

  @Test("An account is deleted by its owner after a confirmation")
  func erasure() async throws {
    let tenant = try await harness.tenant()
    let (person, browser) = (try await tenant.person(), Browser())
    _ = try await tenant.signIn(person, with: browser)
    let page = try await browser.open("\(tenant.issuer)/privacy/erasure")
    let unticked = try await browser.submit(page.reply, at: page.url, press: "submit")
    #expect(unticked.reply.status == 400)
    let done = try await browser.submit(
      unticked.reply, at: unticked.url, fill: [("understood", "yes")], press: "submit")
    #expect(done.reply.status == 200)
    let id = try #require(done.reply.text.firstMatch(of: /<code id="request">([^<]+)</)?.1)
    let request = try await tenant.finished(request: String(id))
    #expect(request["state"] == "fulfilled")
    #expect(try await harness.admin.call(.GET, "\(tenant.path)/users/\(person.id)").status == 404)
    #expect(try await browser.get("\(tenant.issuer)/privacy").status == 303)
    #expect(try await tenant.signIn(person, with: Browser()).reply.status == 403)
  }
}
