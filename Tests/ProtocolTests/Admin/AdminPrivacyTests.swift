import Foundation
import NIOHTTP1
import Platform
import Testing

@Suite("/admin/v1/organizations/{id}/privacy, consent, retention and audit")
struct AdminPrivacyTests {
  let harness: Harness
  var admin: AdminCredentials { harness.admin }

  init() async throws {
    harness = try await Harness.shared()
  }

  @Test("A new text is a new version of the notice")
  func purposes() async throws {
    let tenant = try await harness.tenant()
    let path = "\(tenant.path)/consent/purposes"
    let made = try await admin.call(
      .POST, path,
      [
        "id": "newsletter", "name": "Newsletter", "description": "News by e-mail",
        "notices": ["en": "May we write to you?", "de": "Dürfen wir Ihnen schreiben?"],
      ])
    #expect(made.status == 201 && made.json["notice_version"] == 1, "\(made)")
    #expect(
      try await admin.call(
        .POST, path,
        made.json["id"].map { id in
          ["id": id, "name": "x", "description": "x"]
        }
      ).isProblem(409))
    let renamed = try await admin.call(.PATCH, "\(path)/newsletter", ["name": "News"])
    #expect(renamed.json["name"] == "News" && renamed.json["notice_version"] == 1, "\(renamed)")
    let reworded = try await admin.call(.PATCH, "\(path)/newsletter", ["notice": "May we?"])
    #expect(reworded.json["notice_version"] == 2)
    #expect(reworded.json["notices"] == ["en": "May we?"])
    let retired = try await admin.call(.PATCH, "\(path)/newsletter", ["status": "retired"])
    #expect(retired.json["status"] == "retired")
    let list = try await admin.document(.GET, path)
    #expect(list["purposes"]?.arrayValue?.count == 1)
    #expect(try await admin.call(.GET, "\(path)/newsletter").json == retired.json)
    #expect(try await admin.call(.GET, "\(path)/nothing").isProblem(404))
    let builtIn = try await admin.call(
      .POST, path, ["id": "application", "name": "x", "description": "x"])
    #expect(builtIn.isProblem(422))
    #expect(
      try await admin.call(.PATCH, "\(path)/application", ["status": "retired"]).isProblem(409))
  }

  @Test("A dry run shows the plan and changes nothing")
  func dryRun() async throws {
    let tenant = try await harness.tenant()
    let person = try await tenant.person()
    for kind in ["export", "erasure"] {
      let reply = try await admin.call(
        .POST, "\(tenant.path)/privacy/requests?dry_run=true",
        ["kind": .string(kind), "subject": ["username": .string(person.username)]])
      #expect(reply.status == 200 && reply.json["dry_run"] == true, "\(reply)")
      let plan = try #require(reply.json["plan"]?.arrayValue)
      #expect(plan.contains { $0["table"] == "user_account" && $0["rows"] == 1 }, "\(reply)")
    }
    for query in ["?dry_run", "?dry_run=", "?dry_run=TRUE", "?dryrun=true"] {
      let sloppy = try await admin.call(
        .POST, "\(tenant.path)/privacy/requests\(query)",
        ["kind": "erasure", "subject": ["username": .string(person.username)]])
      #expect(sloppy.isProblem(400), "\(query)")
    }
    let requests = try await admin.document(.GET, "\(tenant.path)/privacy/requests")
    #expect(requests["requests"] == [])
    #expect(try await admin.call(.GET, "\(tenant.path)/users/\(person.id)").status == 200)
  }

  @Test("An export is opened, listed, and ends with a package")
  func export() async throws {
    let tenant = try await harness.tenant()
    let person = try await tenant.person()
    let opened = try await admin.call(
      .POST, "\(tenant.path)/privacy/requests",
      ["kind": "export", "subject": ["email": .string(person.email)]])
    #expect(opened.status == 202 && opened.json["kind"] == "export", "\(opened)")
    for member in ["id", "state", "received_at", "due_at"] {
      #expect(opened.json[member]?.stringValue != nil, "\(member)")
    }
    let id = try #require(opened.json["id"]?.stringValue)
    let done = try await tenant.finished(request: id)
    #expect(done["state"] == "fulfilled", "\(done)")
    for member in ["url", "expires_at", "sha256"] {
      #expect(done["package"]?[member]?.stringValue != nil, "\(member)")
    }
    let url = try #require(done["package"]?["url"]?.stringValue)
    let package = try await HTTP.get(url)
    #expect(package.status == 200)
    #expect(package.body.count == done["package"]?["size"]?.integerValue)
    let fetched = try await admin.document(.GET, "\(tenant.path)/privacy/requests/\(id)")
    #expect(fetched["package"]?["url"] == .null)
    let list = try await admin.document(
      .GET, "\(tenant.path)/privacy/requests?kind=export&state=fulfilled&subject=\(person.id)")
    #expect(list["requests"]?.arrayValue?.count == 1)
  }

  @Test("Nobody by that name is 404, and a request that names nobody 422")
  func subjects() async throws {
    let tenant = try await harness.tenant()
    for subject: JSON in [
      ["email": "nobody@example.org"], ["username": "nobody"],
      ["id": .string(UUID().uuidString.lowercased())],
    ] {
      for query in ["", "?dry_run=true"] {
        let reply = try await admin.call(
          .POST, "\(tenant.path)/privacy/requests\(query)", ["kind": "erasure", "subject": subject])
        #expect(reply.isProblem(404), "\(reply)")
      }
    }
    for body: JSON in [
      [:], ["kind": "erasure"], ["kind": "x", "subject": ["email": "a@b.c"]],
      ["kind": "erasure", "subject": ["email": "a@b.c", "id": "x"]],
      ["kind": "erasure", "subject": [:]],
    ] {
      let reply = try await admin.call(.POST, "\(tenant.path)/privacy/requests", body)
      #expect(reply.isProblem(422), "\(reply)")
    }
  }

  @Test("The data map is JSON, and a Fides dataset for those who ask for YAML")
  func dataMap() async throws {
    let tenant = try await harness.tenant()
    let json = try await admin.call(.GET, "\(tenant.path)/privacy/data-map")
    let tables = try #require(json.json["tables"]?.arrayValue)
    #expect(tables.contains { $0["table"] == "user_account" && $0["erasure"] == "shred" })
    let yaml = try await admin.call(
      .GET, "\(tenant.path)/privacy/data-map", headers: [("accept", "application/yaml")])
    #expect(yaml.contentType == "application/yaml")
    #expect(yaml.text.hasPrefix("dataset:") && yaml.text.contains("user.contact.email"))
  }

  @Test("Rules are read and changed, one and several")
  func rules() async throws {
    let tenant = try await harness.tenant()
    let path = "\(tenant.path)/retention/rules"
    let rules = try #require(try await admin.document(.GET, path)["rules"]?.arrayValue)
    let names = rules.compactMap { $0["rule"]?.stringValue }
    #expect(names.contains("session.ended"))
    let one = try await admin.call(
      .PUT, "\(path)/session.ended", ["keep_days": 3, "enabled": false])
    #expect(one.status == 200 && one.json["keep_days"] == 3 && one.json["enabled"] == false)
    let several = try await admin.call(
      .PUT, path,
      [
        "rules": [
          ["rule": "session.ended", "enabled": true], ["rule": .string(names[0]), "keep_days": 9],
        ]
      ])
    #expect(several.status == 200, "\(several)")
    #expect(try await admin.document(.GET, "\(path)/session.ended")["enabled"] == true)
    #expect(try await admin.call(.PUT, "\(path)/nothing", ["keep_days": 3]).isProblem(404))
    let bad = try await admin.call(.PUT, "\(path)/session.ended", ["keep_days": -1, "x": 1])
    #expect(bad.isProblem(422) && bad.problemFields == ["keep_days", "x"])
    let unknown = try await admin.call(.PUT, path, ["rules": [["rule": "nothing"]]])
    #expect(unknown.isProblem(422) && unknown.problemFields == ["rules[0].rule"])
  }

  @Test("A run is started, shown, and ends with rows per rule")
  func runs() async throws {
    let tenant = try await harness.tenant()
    let path = "\(tenant.path)/retention/runs"
    for unclear: JSON in [[:], ["dry_run": .null], ["dry_run": "true"]] {
      #expect(try await admin.call(.POST, path, unclear).isProblem(422))
    }
    #expect(try await admin.call(.POST, "\(path)?dry_run=true", ["dry_run": true]).isProblem(400))
    let dry = try await admin.call(.POST, path, ["dry_run": true])
    #expect(dry.status == 200 && dry.json["state"] == "completed", "\(dry)")
    for rule in dry.json["rules"]?.arrayValue ?? [] {
      #expect(rule["rule"]?.stringValue != nil && rule["table"]?.stringValue != nil)
      #expect(rule["rows"]?.integerValue != nil)
    }
    let started = try await admin.call(.POST, path, ["dry_run": false])
    #expect(started.status == 202)
    let id = try #require(started.json["id"]?.stringValue)
    for _ in 0..<600 {
      let run = try await admin.document(.GET, "\(path)/\(id)")
      if run["state"] == "completed" { break }
      try await Task.sleep(for: .milliseconds(50))
    }
    #expect(try await admin.document(.GET, "\(path)/\(id)")["state"] == "completed")
    #expect(try await admin.document(.GET, path)["runs"]?.arrayValue?.count == 2)
    #expect(try await admin.call(.GET, "\(path)/\(UUID().uuidString.lowercased())").isProblem(404))
  }

  @Test("Every change is in the trail, by action and by person")
  func audit() async throws {
    let tenant = try await harness.tenant()
    let person = try await tenant.person()
    _ = try await admin.document(
      .PATCH, "\(tenant.path)/users/\(person.id)", ["nickname": "Zed"])
    let path = "\(tenant.path)/audit/events"
    let reply = try await admin.call(.GET, "\(path)?subject=\(person.id)")
    let events = try #require(reply.json["events"]?.arrayValue)
    #expect(events.compactMap { $0["action"]?.stringValue } == ["user.updated", "user.created"])
    let update = try #require(events.first)
    for member in [
      "seq", "id", "time", "action", "outcome", "actor", "subject", "request_id", "personal",
    ] {
      #expect(update[member] != nil, "\(member)")
    }
    #expect(update["subject"]?.stringValue == person.id)
    #expect(update["personal"]?["after"]?["nickname"] == "Zed", "\(update)")
    #expect(update["actor"]?["kind"] == "operator")
    let created = try await admin.document(.GET, "\(path)?action=organization.created")
    #expect(created["events"]?.arrayValue?.count == 1)
    #expect(try await admin.call(.GET, "\(path)?subject=nobody").isProblem(400))
    let first = try await admin.document(.GET, "\(path)?limit=1")
    let cursor = try #require(first["next_cursor"]?.stringValue)
    let second = try await admin.document(.GET, "\(path)?limit=1&cursor=\(cursor)")
    let seqs = [first, second].compactMap { $0["events"]?.arrayValue?.first?["seq"]?.integerValue }
    #expect(seqs.count == 2 && seqs[0] == seqs[1] + 1)
    let platform = try await admin.document(
      .GET, "organizations/system/audit/events?action=organization.created&limit=200")
    #expect(
      platform["events"]?.arrayValue?
        .contains { $0["detail"]?["organization_id"]?.stringValue == tenant.id } == true)
  }

  @Test("Jobs are listed with filters, shown, and refuse what does not fit")
  func jobs() async throws {
    let tenant = try await harness.tenant()
    let run = try await admin.call(.POST, "\(tenant.path)/retention/runs", ["dry_run": false])
    #expect(run.status == 202)
    for name in [tenant.id, tenant.slug] {
      let jobs = try await admin.document(.GET, "jobs?organization=\(name)")
      let job = try #require(jobs["jobs"]?.arrayValue?.first)
      for member in ["id", "kind", "state", "attempt", "progress", "error"] {
        #expect(job[member] != nil, "\(member)")
      }
      #expect(job["kind"] == "privacy.retention")
    }
    let job = try #require(
      try await admin.document(.GET, "jobs?organization=\(tenant.id)")["jobs"]?.arrayValue?.first)
    let id = try #require(job["id"]?.stringValue)
    for _ in 0..<600 {
      if try await admin.document(.GET, "jobs/\(id)")["state"] == "completed" { break }
      try await Task.sleep(for: .milliseconds(50))
    }
    #expect(try await admin.document(.GET, "jobs/\(id)")["state"] == "completed")
    #expect(try await admin.call(.POST, "jobs/\(id)/cancel").isProblem(409))
    #expect(try await admin.call(.POST, "jobs/\(id)/retry").isProblem(409))
    #expect(try await admin.call(.GET, "jobs?state=lost").isProblem(400))
    #expect(try await admin.call(.GET, "jobs?organization=nobody").isProblem(404))
    let done = try await admin.document(
      .GET, "jobs?state=completed&kind=privacy.retention&organization=\(tenant.id)")
    #expect(done["jobs"]?.arrayValue?.count == 1)
  }
}
