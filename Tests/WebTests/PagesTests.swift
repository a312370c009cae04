import Hummingbird
import Platform
import Testing

@testable import Web

@Suite("Pages")
struct PagesTests {
  static let sample = PageTemplate("sample", Array("<p title=\"{{text}}\">{{text}}</p>\n".utf8))

  @Test(
    "text cannot leave its place, not even with combining marks",
    arguments: [
      "<script>alert(1)</script>", "\" onclick=\"x", "' x", "a & b", "\"\u{301} x=\"y",
      "<\u{338}b>", "{{title}}", "{{{main}}}", "&lt;", "\u{202E}txt",
    ])
  func escapes(_ text: String) throws {
    let pages = try Pages(serverName: "Tenure", [Self.sample])
    let page = try pages.render(
      Self.sample, title: text, owner: PageOwner(name: text, privacyPath: text),
      ["text": .string(text)])
    let escaped = text.unicodeScalars.map {
      switch $0 {
      case "<": "&lt;"
      case ">": "&gt;"
      case "&": "&amp;"
      case "\"": "&quot;"
      case "'": "&#39;"
      default: String($0)
      }
    }.joined()
    let html = Array(page.html.utf8)
    #expect(html.contains(Array("<p title=\"\(escaped)\">\(escaped)</p>".utf8)))
    #expect(html.contains(Array("<title>\(escaped) · \(escaped)</title>".utf8)))
    #expect(html.contains(Array("<a href=\"\(escaped)\">Privacy</a>".utf8)))
  }

  @Test("a field says what it is, what it wants and what is wrong with it")
  func field() throws {
    let template = PageTemplate(
      "form", Array("{{#f}}{{> field}}{{/f}}{{#n}}{{> notice}}{{/n}}".utf8))
    let pages = try Pages(serverName: "Tenure", [template])
    var field = FormField("email", "E-mail", .email)
    field.value = "a@b"
    field.hint = "Where we reach you."
    field.error = "Enter an e-mail address."
    field.autocomplete = "email"
    let html = try pages.render(
      template, title: "T", owner: nil,
      ["f": field.json, "n": Notice(.danger, "That did not work.").json]
    ).html
    #expect(html.contains("<label for=\"email\">E-mail</label>"))
    #expect(html.contains("aria-describedby=\"email-error email-hint\""))
    #expect(html.contains("aria-invalid=\"true\" required>"))
    #expect(html.contains("id=\"email-error\" role=\"alert\">Enter an e-mail address."))
    #expect(html.contains("<p class=\"notice danger\" role=\"alert\">That did not work.</p>"))
    var password = FormField("password", "Password", .password)
    password.value = "secret"
    #expect(password.json["value"] == .null)
  }

  @Test("mistakes in templates are found at start or on first use")
  func mistakes() throws {
    #expect(throws: PageError.duplicate("sample")) {
      try Pages(serverName: "T", [Self.sample, Self.sample])
    }
    #expect(throws: PageError.self) {
      try Pages(serverName: "T", [PageTemplate("x", Array("{{#open}}".utf8))])
    }
    #expect(throws: PageError.unknown("sample")) {
      try Pages(serverName: "T", []).render(Self.sample, title: "T", owner: nil, [:])
    }
  }

  @Test("no template and no style sheet needs what the policy forbids")
  func policy() throws {
    for template in PageTemplate.own {
      // The layout has the place of the one script whose hash the policy names.
      let text = String(decoding: template.source, as: UTF8.self)
        .replacing("{{#script}}<script>{{{.}}}</script>", with: "")
      for forbidden in [
        "<script", "<style", "style=", "onclick", "javascript:", "http://", "https://",
      ] {
        #expect(!text.contains(forbidden), "\(template.name) contains \(forbidden)")
      }
    }
    let css = String(decoding: PackageResources.tenure_css, as: UTF8.self)
    for forbidden in ["@import", "url(", "expression("] { #expect(!css.contains(forbidden)) }
  }

  @Test("a policy names the hash of a page's script and the origin of its image, and nothing else")
  func sources() throws {
    let image = try #require(ForeignImage("https://cdn.example.org:8443/a/logo.png?x=1"))
    let policy = SecurityHeaders.contentSecurityPolicy(
      .ownOrigin, script: InlineScript("x"), image: image)
    // SHA-256 of "x".
    #expect(
      policy.contains("script-src 'sha256-LXEWQrcmsEQBYnyp+6wy9chTD7GQPMTbAiWHF5IaSIE=';"))
    #expect(policy.contains("img-src 'self' data: https://cdn.example.org:8443;"))
    #expect(!SecurityHeaders.contentSecurityPolicy(.ownOrigin).contains("script-src"))
    for address in [
      "javascript:x", "/logo.png", "https://user@cdn.example.org/x", "https://[::1]/x", "ftp://a/x",
      "https://a.example; script-src *", "data:image/png;base64,AA",
    ] {
      #expect(ForeignImage(address) == nil, "\(address)")
    }
  }

  @Test(
    "CSP form-action follows the redirect URI of the flow",
    arguments: [
      (FormTargets.ownOrigin, "'self'"),
      (.redirecting(to: "https://app.example.com/cb?x=1"), "'self' https:"),
      (.redirecting(to: "HTTPS://app.example.com"), "'self' https:"),
      (.redirecting(to: "http://localhost:3000/cb"), "'self' http://localhost:*"),
      (.redirecting(to: "http://127.0.0.1/cb"), "'self' http://127.0.0.1:*"),
      (.redirecting(to: "http://[::1]:3000/cb"), "'self' http:"),
      (.redirecting(to: "com.example.app:/cb"), "'self' com.example.app:"),
      (.redirecting(to: "/cb"), "'self'"),
      (.redirecting(to: "x; script-src *: y"), "'self'"),
      (.redirecting(to: "http://a; script-src *"), "'self' http:"),
      (.posting(to: "https://app.example.com/cb?x=1", origins: []), "https://app.example.com"),
      (.posting(to: "https://app.example.com:8443", origins: []), "https://app.example.com:8443"),
      (.posting(to: "http://127.0.0.1:49152/cb", origins: []), "http://127.0.0.1:49152"),
      (.posting(to: "http://localhost/cb", origins: []), "http://localhost"),
      (.posting(to: "http://[::1]:49152/cb", origins: []), "http:"),
      (
        .posting(
          to: "https://app.example.com/cb",
          origins: ["https://app.example.com", "https://www.example.com", "http://[::1]:3000"]),
        "https://app.example.com https://www.example.com"
      ),
      (.posting(to: "https://a.example; script-src *", origins: []), "https:"),
      (.posting(to: "x; script-src *: y", origins: []), "'none'"),
    ])
  func formTargets(_ targets: FormTargets, _ sources: String) {
    #expect(targets.sources == sources)
    let policy = SecurityHeaders.contentSecurityPolicy(targets)
    #expect(policy.contains("form-action \(sources); frame-ancestors 'none'"))
  }
}
