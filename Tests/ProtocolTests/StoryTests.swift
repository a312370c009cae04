import Foundation
import Glibc
import NIOHTTP1
import Platform
import Testing

/// The whole of the product once, as its users meet it: over HTTP, through real pages, on real
/// Postgres and Redis, with a restart and a dump in between.
@Suite("The story of one person")
struct StoryTests {
  @Test("From sign-up to nothing left", .timeLimit(.minutes(10)))
  func story() async throws {
    let deployment = try await Deployment()
    let server = try await deployment.serve(roles: "control,runtime,worker")
    let tenant = try await TestTenant(deployment.admin)
    let person = try await tenant.person()
    let bystander = try await tenant.person()
    let application = try await tenant.application()
    _ = try await AuthorizationRequest(tenant, application).tokens(bystander)

    try await signsInAndRefreshes(person, tenant, application)
    try await withdraws(person, tenant, application)
    let browser = try await exports(person, tenant, application, deployment)
    try await survivesRestart(person, tenant, application, deployment, server)
    let again = try await deployment.serve(roles: "control,runtime,worker")
    try await erases(person, tenant, browser)
    try nothingLeft(of: person, in: deployment)
    try await auditRemains(of: person, tenant)
    try await retentionRuns(tenant)
    _ = try await AuthorizationRequest(tenant, application).tokens(bystander)
    try await again.end(SIGTERM)
  }

  private func signsInAndRefreshes(
    _ person: TestPerson, _ tenant: TestTenant, _ application: TestApplication
  ) async throws {
    let request = AuthorizationRequest(tenant, application)
    let tokens = try await request.tokens(person)
    let access = try #require(tokens["access_token"]?.stringValue)
    let userinfo = try await HTTP.get(
      "\(tenant.issuer)/oidc/userinfo", headers: [("authorization", "Bearer \(access)")])
    #expect(userinfo.status == 200)
    #expect(userinfo.json["sub"]?.stringValue == person.id)
    #expect(userinfo.json["email"]?.stringValue == person.email)
    let first = try #require(tokens["refresh_token"]?.stringValue)
    let refreshed = try await request.refresh(first)
    #expect(refreshed.status == 200)
    let second = try #require(refreshed.json["refresh_token"]?.stringValue)
    #expect(second != first)
    #expect(try await request.refresh(second).status == 200)
    // RFC 9700 section 4.14.2: two generations back is reuse, and the whole family goes.
    #expect(try await request.refresh(first).json["error"] == "invalid_grant")
    #expect(try await request.refresh(second).json["error"] == "invalid_grant")
  }

  private func withdraws(
    _ person: TestPerson, _ tenant: TestTenant, _ application: TestApplication
  ) async throws {
    let browser = Browser()
    let request = AuthorizationRequest(tenant, application)
    let tokens = try await request.tokens(person, with: browser)
    let refresh = try #require(tokens["refresh_token"]?.stringValue)
    let page = try await browser.open("\(tenant.issuer)/privacy")
    #expect(page.reply.text.contains("Test application"))
    let form = try #require(
      Browser.forms(page.reply.text).first {
        $0.html.contains(application.id) && $0.action.contains("withdraw")
      })
    let id = try #require(form.buttons.keys.first)
    let after = try await browser.submit(page.reply, at: page.url, press: id)
    #expect(after.reply.status == 200)
    #expect(try await request.refresh(refresh).json["error"] == "invalid_grant")
    // The next sign-in asks again.
    let asked = try await browser.open(request.url)
    #expect(asked.reply.text.contains("id=\"accept\""))
  }

  private func exports(
    _ person: TestPerson, _ tenant: TestTenant, _ application: TestApplication,
    _ deployment: Deployment
  ) async throws -> Browser {
    let opened = try await deployment.admin.call(
      .POST, "\(tenant.path)/privacy/requests",
      ["kind": "export", "subject": ["email": .string(person.email)]])
    #expect(opened.status == 202)
    let id = try #require(opened.json["id"]?.stringValue)
    let request = try await tenant.finished(request: id)
    #expect(request["state"] == "fulfilled", "\(request.text)")
    let address = try #require(request["package"]?["url"]?.stringValue)
    let download = try await HTTP.get(address)
    #expect(download.status == 200)
    #expect(download.headers.first(name: "cache-control") == "no-store")
    // Single use.
    #expect([403, 404, 410].contains(try await HTTP.get(address).status))
    let file = deployment.folder.appendingPathComponent("package.zip")
    try Data(download.body).write(to: file)
    try Shell.run("unzip", ["-tq", file.path])
    let script = """
      import hashlib, json, sys, zipfile
      z = zipfile.ZipFile(sys.argv[1])
      manifest = json.loads(z.read('manifest.json'))
      names = set(z.namelist())
      for entry in manifest['files']:
          assert hashlib.sha256(z.read(entry['name'])).hexdigest() == entry['sha256'], entry
      assert any(n.endswith('.html') for n in names), names
      print(''.join(z.read(n).decode() for n in names))
      """
    let everything = try Shell.run("python3", ["-c", script, file.path])
    for trace in person.traces { #expect(everything.contains(trace), "\(trace) is not exported") }
    #expect(
      SHA256Hex.of(file) == request["package"]?["sha256"]?.stringValue,
      "the digest of the package is not what the API says")
    // And once more on the person's own page, after a fresh login.
    let browser = Browser()
    _ = try await AuthorizationRequest(tenant, application).tokens(person, with: browser)
    let page = try await browser.open("\(tenant.issuer)/privacy")
    let asked = try await browser.submit(page.reply, at: page.url, press: "export")
    #expect(asked.reply.status == 200, "\(asked.reply)")
    return browser
  }

  private func survivesRestart(
    _ person: TestPerson, _ tenant: TestTenant, _ application: TestApplication,
    _ deployment: Deployment, _ server: TenureProcess
  ) async throws {
    let tokens = try await AuthorizationRequest(tenant, application).tokens(person)
    let refresh = try #require(tokens["refresh_token"]?.stringValue)
    let access = try #require(tokens["access_token"]?.stringValue)
    try await server.end(SIGKILL)
    let again = try await deployment.serve(roles: "control,runtime,worker")
    let userinfo = try await HTTP.get(
      "\(tenant.issuer)/oidc/userinfo", headers: [("authorization", "Bearer \(access)")])
    #expect(userinfo.status == 200)
    #expect(try await AuthorizationRequest(tenant, application).refresh(refresh).status == 200)
    let events = try await deployment.admin.document(
      .GET, "\(tenant.path)/audit/events?limit=200&subject=\(person.id)")
    #expect((events["events"]?.arrayValue ?? []).count > 5)
    try await again.end(SIGTERM)
  }

  private func erases(_ person: TestPerson, _ tenant: TestTenant, _ browser: Browser) async throws {
    let body: JSON = ["kind": "erasure", "subject": ["email": .string(person.email)]]
    let plan = try await tenant.admin.call(
      .POST, "\(tenant.path)/privacy/requests?dry_run=true", body)
    #expect(plan.status == 200)
    #expect(plan.text.contains("user_account"))
    let opened = try await tenant.admin.call(.POST, "\(tenant.path)/privacy/requests", body)
    #expect(opened.status == 202)
    let id = try #require(opened.json["id"]?.stringValue)
    let request = try await tenant.finished(request: id)
    #expect(request["state"] == "fulfilled", "\(request.text)")
    #expect(request["report"] != nil)
    let twice = try await tenant.admin.call(.POST, "\(tenant.path)/privacy/requests", body)
    #expect([202, 404].contains(twice.status), "\(twice)")
    let user = try await tenant.admin.call(.GET, "\(tenant.path)/users/\(person.id)")
    #expect(user.status == 404)
    // The person's browser is signed out.
    let page = try await browser.open("\(tenant.issuer)/privacy")
    #expect(page.reply.text.contains("id=\"password\""))
  }

  /// No byte of the person in a dump of the database, in Redis, in the archive directory or the logs.
  private func nothingLeft(of person: TestPerson, in deployment: Deployment) throws {
    let dump = try Shell.run("pg_dump", ["--dbname", deployment.databaseURL])
    let redis = try Shell.run(
      "python3", ["-c", RedisDump.script, try TestServices.redisURL()])
    for trace in person.traces {
      let hex = trace.utf8.map { String(format: "%02x", $0) }.joined()
      #expect(!dump.contains(trace) && !dump.contains(hex), "\(trace) is in the dump")
      #expect(!redis.contains(trace), "\(trace) is in Redis")
      // The package that this test fetched is the person's own; grep ends with 1 where it finds nothing.
      let command = "grep -rlF '\(trace)' '\(deployment.folder.path)' --exclude=package.zip || true"
      let files = try Shell.run("sh", ["-c", command])
      #expect(files.isEmpty, "\(trace) is in \(files)")
    }
    let archive = deployment.folder.appendingPathComponent("archive").path
    let left = FileManager.default.enumerator(atPath: archive)?.allObjects as? [String] ?? []
    #expect(left.filter { $0.contains(".zip") }.isEmpty, "packages of the person are left: \(left)")
  }

  private func auditRemains(of person: TestPerson, _ tenant: TestTenant) async throws {
    var events: [JSON] = []
    var cursor = ""
    repeat {
      let page = try await tenant.admin.document(
        .GET, "\(tenant.path)/audit/events?limit=100\(cursor)")
      events += page["events"]?.arrayValue ?? []
      cursor = page["next_cursor"]?.stringValue.map { "&cursor=\($0)" } ?? ""
    } while !cursor.isEmpty
    let sequence = events.compactMap { $0["seq"]?.integerValue }.sorted()
    #expect(sequence == Array(1...events.count), "the sequence has a gap")
    #expect(!events.contains { $0["subject"]?.stringValue == person.id })
    #expect(!JSON.array(events).text.contains(person.id))
    let anonymised = events.filter { $0["subject"] == .null && $0["personal"] == .null }
    #expect(anonymised.count > 5)
  }

  private func retentionRuns(_ tenant: TestTenant) async throws {
    let path = "\(tenant.path)/retention/runs"
    let dry = try await tenant.admin.call(.POST, path, ["dry_run": true])
    #expect(dry.status == 200)
    #expect((dry.json["rules"]?.arrayValue ?? []).count >= 3)
    let run = try await tenant.admin.call(.POST, path, ["dry_run": false])
    #expect(run.status == 202)
    #expect(run.json["id"]?.stringValue != nil)
  }
}

enum SHA256Hex {
  static func of(_ file: URL) -> String? {
    try? Shell.run("sha256sum", [file.path]).split(separator: " ").first.map(String.init)
  }
}

/// Every key and value of a Redis, over its socket.
enum RedisDump {
  static let script = """
    import socket, sys
    s = socket.socket(socket.AF_UNIX)
    s.connect(sys.argv[1].replace('redis+unix://', ''))
    f = s.makefile('rwb')
    def call(*words):
        f.write(b'*%d\\r\\n' % len(words) + b''.join(b'$%d\\r\\n%s\\r\\n' % (len(w), w) for w in words))
        f.flush()
        return read()
    def read():
        line = f.readline()
        kind, rest = line[:1], line[1:-2]
        if kind == b'*': return [read() for _ in range(int(rest))]
        if kind == b'$':
            n = int(rest)
            if n < 0: return None
            data = f.read(n + 2)[:-2]
            return data
        return rest
    for key in call(b'KEYS', b'*'):
        print(key, call(b'DUMP', key))
    """
}
