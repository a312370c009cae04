import Archive
import Database
import Foundation
import Jobs
import Platform
import Tenancy
import TestSupport
import Testing

@testable import Compliance

@Suite("GDPR Articles 15 and 20: export")
struct ExportTests {
  /// Opens the archive with Python's zipfile and checks the manifest's digests.
  static let reader = """
    import hashlib, json, sys, zipfile
    archive = zipfile.ZipFile(sys.argv[1])
    assert archive.testzip() is None
    manifest = json.loads(archive.read("manifest.json"))
    names = {file["name"] for file in manifest["files"]}
    assert names | {"manifest.json"} == set(archive.namelist()), names
    out = {"manifest": manifest, "data": {}, "page": archive.read("index.html").decode()}
    for file in manifest["files"]:
        data = archive.read(file["name"])
        assert hashlib.sha256(data).hexdigest() == file["sha256"], file
        assert len(data) == file["size"], file
        if file["name"].endswith(".json"):
            content = json.loads(data)
            out["data"][file["name"]] = content
            if "rows" in file:
                assert file["rows"] == sum(len(rows) for rows in content.values()), file
    print(json.dumps(out))
    """

  private func read(_ harness: ComplianceHarness, _ package: ExportPackage) throws -> JSON {
    let path = harness.compliance.store.path(package.id, in: harness.tenant.id).text
    #expect(try output(of: "unzip", ["-tq", path]).contains("No errors"))
    let sum = try output(of: "sha256sum", [path])
    #expect(sum.hasPrefix(Hex.encode(package.sha256)))
    let text = try output(of: "python3", ["-c", Self.reader, path])
    return try JSON.parse(Array(text.utf8), limits: JSONLimits(depth: 32, bytes: 64 << 20))
  }

  @Test("one ZIP with data by category, a readable page, information and a manifest")
  func content() async throws {
    let harness = try await ComplianceHarness.fresh()
    let alice = try await harness.person("Alice")
    let bruno = try await harness.person("Bruno")
    let request = try await harness.answer(.export, alice)
    #expect(request.state == .fulfilled)
    let package = try #require(request.package)
    let archive = try read(harness, package)
    let data = try #require(archive["data"])

    let account = try #require(data["data/account.json"]?["user_account"]?.arrayValue?.first)
    #expect(account["email"] == "alice@people.example")
    #expect(account["address"]?["locality"] == "Leipzig")
    #expect(account["id"] == .string(alice.id.description))
    #expect(account["created_at"] == "2027-01-15T08:00:00.000Z")
    #expect(account["email_index"] == nil && account["subject_key"] == nil)
    let sessions = try #require(data["data/sessions.json"]?["session"]?.arrayValue)
    #expect(sessions.count == 2)
    #expect(sessions.allSatisfy { $0["ip_address"] == "203.0.113.77" && $0["token_hash"] == nil })
    #expect(data["data/grants.json"]?["token_family"]?.arrayValue?.count == 2)
    let consent = try #require(data["data/consents.json"]?["consent_event"]?.arrayValue?.first)
    #expect(consent["client_id"] == "web" && consent["language"] == "de")
    let activity = try #require(data["data/activity.json"]?["audit_event"]?.arrayValue)
    #expect(
      activity.contains { $0["action"] == "session.sign_in" && $0["ip_address"] == "203.0.113.77" })
    #expect(data["data/privacy_requests.json"]?["data_request"]?.arrayValue?.count == 1)
    #expect(data["information.json"]?["rights"]?.arrayValue?.isEmpty == false)

    let page = try #require(archive["page"]?.stringValue)
    #expect(page.contains("Alice &lt;b&gt;Mustermann-Alice&lt;/b&gt;"))
    #expect(!page.contains("<b>Mustermann") && !page.contains("<script"))
    #expect(!archive.text.contains("bruno") && !archive.text.contains(bruno.id.description))
    #expect(!archive.text.contains("argon2"))
    #expect(archive["manifest"]?["subject"] == .string(alice.id.description))
  }

  @Test("every row once, over many pages")
  func pages() async throws {
    let harness = try await ComplianceHarness.fresh()
    let alice = try await harness.person("Alice")
    try await harness.database.transaction(in: harness.tenant.schema) { tx in
      for number in 0..<1234 {
        try await harness.tenancy.audit.record(
          AuditEvent(
            AuditAction("session.sign_in"), origin: harness.origin(alice),
            subject: alice.auditSubject, personal: ["n": .integer(number)]),
          in: tx, tenant: harness.tenant)
      }
    }
    let request = try await harness.answer(.export, alice)
    let archive = try read(harness, try #require(request.package))
    let activity = try #require(
      archive["data"]?["data/activity.json"]?["audit_event"]?.arrayValue)
    #expect(activity.compactMap { $0["n"]?.integerValue } == Array(0..<1234))
    #expect(archive["page"]?.stringValue?.contains("more in <code>data/activity.json") == true)
    let job = try await harness.queue.list(
      JobFilter(state: .completed, kind: nil, organization: nil), before: nil, limit: 1)
    #expect(job.first?.kind == ExportJob.kind)
  }

  @Test("a killed worker leaves no second package and no part file", arguments: [false, true])
  func takeOver(isRenamed: Bool) async throws {
    let harness = try await ComplianceHarness.fresh()
    let alice = try await harness.person("Alice")
    let request = try await harness.open(.export, alice)
    try await harness.abandoning { context in
      let handler = try #require(
        harness.compliance.jobHandlers.compactMap { $0 as? ExportHandler }.first)
      _ = try await handler.begin(request.id, harness.tenant, context)
      let path = harness.compliance.store.path(ID(request.id.uuid), in: harness.tenant.id).text
      let folder = harness.archive.appending("\(harness.tenant.id)").text
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true)
      try Data(repeating: 7, count: 1_000_000).write(
        to: URL(filePath: isRenamed ? path : path + ".part"))
    }
    harness.clock.advance(bySeconds: 31)
    let done = try await harness.answer(request.id)
    let package = try #require(done.package)
    #expect(harness.files == ["\(package.id).zip"])
    #expect(try await harness.count("export_package") == 1)
    _ = try read(harness, package)
    #expect(
      try await harness.events().filter { $0.action == "privacy.request_fulfilled" }.count == 1)
  }

  @Test("a worker that lost its job does not touch the package of the one who has it")
  func stalled() async throws {
    let harness = try await ComplianceHarness.fresh()
    let alice = try await harness.person("Alice")
    let request = try await harness.open(.export, alice)
    let crashed = try await CrashedWorker.claim(
      harness.database, handlers: harness.compliance.jobHandlers, clock: harness.clock.clock)
    harness.clock.advance(bySeconds: 31)
    let package = try #require(try await harness.answer(request.id).package)
    let handler = try #require(
      harness.compliance.jobHandlers.compactMap { $0 as? ExportHandler }.first)
    await #expect(throws: (any Error).self) {
      _ = try await handler.finish(
        request.id, alice.id, .init(size: 1, sha256: []), harness.tenant, crashed)
    }
    #expect(harness.files == ["\(package.id).zip"])
    _ = try read(harness, package)
  }

  @Test("a link is used once, by one of many at the same time, and not by a look")
  func link() async throws {
    let harness = try await ComplianceHarness.fresh()
    let alice = try await harness.person("Alice")
    let package = try #require(try await harness.answer(.export, alice).package)
    let packages = harness.compliance.packages
    let link = try #require(packages.link(to: package, in: harness.tenant))
    #expect(link.url.hasPrefix("\(harness.tenant.issuer)/privacy/packages/\(package.id)?expires="))
    let ticket = try #require(Self.ticket(link.url))
    let file = try await packages.peek(ticket, in: harness.tenant)
    #expect(FileManager.default.fileExists(atPath: file.path.text))
    #expect(file.sizeBytes == package.sizeBytes)
    _ = try await packages.peek(ticket, in: harness.tenant)

    let parts = Self.parts(link.url)
    let forged = try #require(
      PackageTicket(
        package: parts.id, expires: String(ticket.expires + 1), signature: parts.signature))
    await #expect(throws: PackageError.badSignature) {
      try await packages.peek(forged, in: harness.tenant)
    }
    let winners = try await withThrowingTaskGroup(of: Bool.self) { group in
      for _ in 0..<8 {
        group.addTask {
          do {
            _ = try await packages.redeem(
              ticket, in: harness.tenant, origin: harness.origin(alice))
            return true
          } catch PackageError.gone {
            return false
          }
        }
      }
      return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
    }
    #expect(winners == 1)
    await #expect(throws: PackageError.gone) { try await packages.peek(ticket, in: harness.tenant) }
    let used = try #require(
      try await harness.compliance.requests.list(
        DataRequestFilter(subject: alice.id, kind: nil, state: nil), before: nil, limit: 1,
        in: harness.tenant
      ).first?.package)
    #expect(packages.link(to: used, in: harness.tenant) == nil)
    let downloads = try await harness.events().filter { $0.action == "privacy.package_downloaded" }
    #expect(downloads.count == 1)
  }

  @Test("a link ends after a day, and with its package")
  func expiry() async throws {
    let harness = try await ComplianceHarness.fresh()
    let alice = try await harness.person("Alice")
    let package = try #require(try await harness.answer(.export, alice).package)
    let packages = harness.compliance.packages
    let link = try #require(packages.link(to: package, in: harness.tenant))
    #expect(link.expiresAt == ComplianceHarness.start.addingTimeInterval(86400))
    let ticket = try #require(Self.ticket(link.url))
    harness.clock.advance(bySeconds: 86401)
    await #expect(throws: PackageError.gone) { try await packages.peek(ticket, in: harness.tenant) }
    harness.clock.advance(bySeconds: 5.5 * 86400)
    let late = try #require(packages.link(to: package, in: harness.tenant))
    #expect(late.expiresAt == package.expiresAt)
    harness.clock.advance(bySeconds: 86400)
    #expect(packages.link(to: package, in: harness.tenant) == nil)
  }

  private static func parts(_ url: String) -> (id: String, expires: String, signature: String) {
    let components = URLComponents(string: url)
    let items = components?.queryItems ?? []
    return (
      String(components?.path.split(separator: "/").last ?? ""),
      items.first { $0.name == "expires" }?.value ?? "",
      items.first { $0.name == "signature" }?.value ?? ""
    )
  }

  private static func ticket(_ url: String) -> PackageTicket? {
    let parts = parts(url)
    return PackageTicket(package: parts.id, expires: parts.expires, signature: parts.signature)
  }
}
