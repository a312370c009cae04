import Foundation
import Glibc
import NIOHTTP1
import Platform
import Testing

/// Clients that other people wrote sign people in.
@Suite("Real clients")
struct RealClientTests {
  let harness: Harness

  init() async throws { harness = try await Harness.shared() }

  @Test("Authlib: discovery, code flow, ID token, userinfo, refresh, introspection, revocation")
  func authlib() async throws {
    let tenant = try await harness.tenant()
    let (person, application) = (try await tenant.person(), try await tenant.application())
    let script = SourceFolder.file("authlib_login.py").path
    let given: JSON = [
      "issuer": .string(tenant.issuer), "client_id": .string(application.id),
      "client_secret": .string(application.secret ?? ""),
      "redirect_uri": .string(application.redirectURI), "username": .string(person.username),
      "password": .string(person.password),
    ]
    // A redirect URI over https is never called here, and Authlib insists on https for the rest.
    let printed = try Shell.run(
      "/bin/sh", ["-c", "AUTHLIB_INSECURE_TRANSPORT=1 /usr/bin/python3 \"$0\"", script],
      input: given.encoded())
    let learned = try JSON.parse(Array(printed.utf8), limits: .request)
    #expect(learned["sub"]?.stringValue == person.id)
    #expect(learned["userinfo"]?["email"]?.stringValue == person.email)
    #expect(learned["userinfo"]?["name"]?.stringValue == person.name)
  }

  @Test("Apache's mod_auth_openidc: a protected page, who reads it, and signing out")
  func apache() async throws {
    let tenant = try await harness.tenant()
    let person = try await tenant.person()
    let port = try Deployment.freePort()
    let site = "http://localhost:\(port)"
    let application = try await tenant.application([
      "redirect_uris": ["\(site)/protected/callback"],
      "post_logout_redirect_uris": ["\(site)/goodbye"],
    ])
    let apache = try await Apache(port: port, tenant: tenant, application: application)
    let (visitor, user) = (Browser(), Browser())

    let (_, sent) = try await visitor.open("\(site)/protected/")
    let authorize = try #require(sent.location)
    #expect(authorize.hasPrefix("\(tenant.issuer)/oauth2/authorize?"))
    var (at, reply) = try await user.open(authorize)
    (at, reply) = try await user.submit(
      reply, at: at, fill: [("username", person.username), ("password", person.password)],
      press: "submit")
    if reply.text.contains("id=\"accept\"") {
      (at, reply) = try await user.submit(reply, at: at, press: "accept")
    }
    let back = try #require(reply.location)
    #expect(back.hasPrefix(application.redirectURI))

    let (_, page) = try await visitor.open(back)
    #expect(page.status == 200, "\(page)\n\(apache.errors())")
    #expect(page.headers.first(name: "x-user") == person.id, "\(apache.errors())")
    #expect(page.headers.first(name: "x-email") == person.email)

    // The module ends its own session and sends the person to ours (RP-Initiated Logout section 2).
    let goodbye = HTTP.escape("\(site)/goodbye")
    let (_, leaving) = try await visitor.open("\(application.redirectURI)?logout=\(goodbye)")
    let logout = try #require(leaving.location)
    #expect(logout.hasPrefix("\(tenant.issuer)/oidc/logout?"))
    let (_, left) = try await user.open(logout)
    #expect(left.location?.hasPrefix("\(site)/goodbye") == true)
    let (_, again) = try await visitor.open("\(site)/protected/")
    #expect(again.location?.hasPrefix("\(tenant.issuer)/oauth2/authorize?") == true)
    try await apache.end()
  }
}

/// Files beside the tests.
enum SourceFolder {
  static func file(_ name: String) -> URL {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(name)
  }
}

/// A web server of its own that protects one folder with mod_auth_openidc.
struct Apache: Sendable {
  private let process: TenureProcess
  private let folder: URL

  init(port: UInt16, tenant: TestTenant, application: TestApplication) async throws {
    folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("tenure-apache-\(UUID().uuidString)")
    let pages = folder.appendingPathComponent("pages/protected")
    try FileManager.default.createDirectory(at: pages, withIntermediateDirectories: true)
    try Data("secret page".utf8).write(to: pages.appendingPathComponent("index.html"))
    try Data("bye".utf8).write(to: folder.appendingPathComponent("pages/goodbye"))
    let file = folder.appendingPathComponent("apache.conf")
    try Data(
      Self.configuration(port: port, folder: folder.path, tenant: tenant, application: application)
        .utf8
    ).write(to: file)
    process = try await TenureProcess(
      program: "/usr/sbin/apache2", ["-X", "-f", file.path], environment: [:],
      folder: folder)
    for _ in 0..<500 where !Deployment.connects(to: port) {
      guard process.isRunning else { break }
      try await Task.sleep(for: .milliseconds(20))
    }
    guard Deployment.connects(to: port) else {
      throw TestFailure("Apache does not listen: \(process.printed()) \(errors())")
    }
  }

  func errors() -> String {
    (try? String(contentsOf: folder.appendingPathComponent("error.log"), encoding: .utf8)) ?? ""
  }

  func end() async throws {
    try await process.end(SIGTERM)
    try FileManager.default.removeItem(at: folder)
  }

  private static func configuration(
    port: UInt16, folder: String, tenant: TestTenant, application: TestApplication
  ) -> String {
    let modules = [
      "mpm_event", "authn_core", "authz_core", "authz_user", "dir", "headers", "auth_openidc",
    ]
    // Apache refuses to serve as root.
    let account = getuid() == 0 ? "User www-data\nGroup www-data" : ""
    return """
      ServerRoot "\(folder)"
      ServerName localhost
      Listen 127.0.0.1:\(port)
      PidFile "\(folder)/apache.pid"
      ErrorLog "\(folder)/error.log"
      \(account)
      \(modules.map { "LoadModule \($0)_module /usr/lib/apache2/modules/mod_\($0).so" }
        .joined(separator: "\n"))
      DocumentRoot "\(folder)/pages"
      DirectoryIndex index.html
      OIDCProviderMetadataURL \(tenant.issuer)/.well-known/openid-configuration
      OIDCClientID \(application.id)
      OIDCClientSecret \(application.secret ?? "")
      OIDCRedirectURI \(application.redirectURI)
      OIDCCryptoPassphrase \(UUID().uuidString)
      OIDCScope "openid profile email"
      OIDCPKCEMethod S256
      OIDCRemoteUserClaim sub
      <Location "/protected/">
        AuthType openid-connect
        Require valid-user
        OIDCUnAuthAction auth true
        Header set X-User "expr=%{REMOTE_USER}"
        Header set X-Email "expr=%{HTTP:OIDC_CLAIM_email}"
      </Location>
      """
  }
}
