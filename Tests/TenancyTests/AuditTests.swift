import Cryptography
import Database
import FoundationEssentials
import Platform
import Synchronization
@testable import Tenancy
import Testing

@Suite("Design section 6: audit events")
struct AuditTests {
  let key = SubjectKey.generate(
    tenant: .generate(.system, .system), user: .generate(.system, .system))

  private func event(_ actor: Actor, _ personal: JSONObject = [:]) -> AuditEvent {
    AuditEvent(
      .userUpdated,
      origin: AuditOrigin(
        actor: actor, requestID: "r", ipAddress: "192.0.2.1", userAgent: "Browser"),
      subject: AuditSubject(id: key.user, key: key), personal: personal)
  }

  @Test func keepsTheDeviceOfThePersonOnly() {
    let device: JSONObject = ["ip_address": "192.0.2.1", "user_agent": "Browser"]
    #expect(event(.user(key.user)).personalPart(TenantSettings()) == device)
    #expect(event(.anonymous).personalPart(TenantSettings()) == device)
    #expect(event(.operator("o")).personalPart(TenantSettings()) == nil)
    #expect(event(.client("c")).personalPart(TenantSettings()) == nil)
    #expect(event(.user(.generate(.system, .system))).personalPart(TenantSettings()) == nil)
    #expect(event(.operator("o"), ["after": "x"]).personalPart(TenantSettings()) == ["after": "x"])
  }

  @Test func recordsNoMoreThanTheTenantWants() {
    var settings = TenantSettings()
    settings.recordsIPAddress = false
    #expect(event(.user(key.user)).personalPart(settings) == ["user_agent": "Browser"])
    settings.recordsUserAgent = false
    #expect(event(.user(key.user)).personalPart(settings) == nil)
  }

  @Test func keepsNothingPersonalOfNobody() {
    let origin = AuditOrigin(
      actor: .anonymous, requestID: nil, ipAddress: "192.0.2.1", userAgent: "Browser")
    for subject in [nil, AuditSubject(id: key.user, key: nil)] {
      let event = AuditEvent(
        .userUpdated, origin: origin, subject: subject, personal: ["after": "x"])
      #expect(event.personalPart(TenantSettings()) == nil)
    }
  }

  @Test("RFC 8785: members in the order of their UTF-16, at every level")
  func canonicalForm() {
    let value: JSON = [
      "b": [["z": 1, "a": .null]], "\u{e9}": true, "a": "x", "\u{10000}": 1, "\u{ffff}": 2,
    ]
    #expect(
      String(decoding: CanonicalJSON.encode(value), as: UTF8.self)
        == "{\"a\":\"x\",\"b\":[{\"a\":null,\"z\":1}],\"\u{e9}\":true,\"\u{10000}\":1,\"\u{ffff}\":2}"
    )
  }

  @Test func theCommitmentCoversPartAndSubject() {
    let bytes = [UInt8](repeating: 7, count: 32)
    let code = AuditCommitment.make(personal: ["a": 1], subject: key.user, key: bytes)
    #expect(
      code
        == HMACKey(bytes).sha256("{\"personal\":{\"a\":1},\"subject\":\"\(key.user)\"}"))
    #expect(code != AuditCommitment.make(personal: nil, subject: key.user, key: bytes))
    #expect(code != AuditCommitment.make(personal: ["a": 1], subject: nil, key: bytes))
  }

  private func record(_ index: Int) -> AuditRecord {
    AuditRecord(
      id: .generate(.system, .system), occurredAt: Date(unixSeconds: 1_800_000_000 + index),
      action: "session.sign_in", outcome: "success", actorKind: "user", actorID: nil,
      subject: index == 0 ? nil : key.user, requestID: "r", detail: ["n": .integer(index)],
      personal: index == 1 ? [1, 2, 3] : nil, commitment: [4], commitmentKey: [5])
  }

  @Test func theSpillFileKeepsEventsAndToleratesATornLine() throws {
    let directory = FilePath("/tmp/tenure-test-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(atPath: directory.text) }
    let schema = TenantSchema(id: UUID())
    let spill = AuditSpill(directory: directory, clock: .system, random: .system)
    #expect(try spill.takeFile() == nil)
    let records = (0..<3).map(record)
    try spill.append(Array(records[..<2]).map { .init(schema: schema, record: $0) })
    try spill.append([records[2]].map { .init(schema: schema, record: $0) })
    #expect(spill.isUsed)

    // Another process leaves it alone while its owner lives.
    let other = AuditSpill(directory: directory, clock: .system, random: .system)
    #expect(try other.takeFile() == nil)

    let name = try #require(FileManager.default.contentsOfDirectory(atPath: directory.text).first)
    let path = directory.appending(name).text
    try LockedFile(path: path, flags: 0o2001).write(Array("{\"tenant\":\"t_".utf8))
    let file = try #require(try spill.takeFile())
    #expect(file.entries.map(\.record) == records)
    #expect(file.entries.allSatisfy { $0.schema == schema })
    #expect(try other.takeFile() == nil)
    try file.remove()
    #expect(try spill.takeFile() == nil)
    #expect(!spill.isUsed)
  }

  @Test("a disk that fills up in the middle of an event loses that one only, and says so")
  func theSpillSurvivesAShortWrite() throws {
    let directory = FilePath("/tmp/tenure-test-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(atPath: directory.text) }
    let isFull = Mutex(false)
    let spill = AuditSpill(directory: directory, clock: .system, random: .system) { file, bytes in
      guard isFull.withLock({ $0 }) else { return try file.write(bytes) }
      try file.write(Array(bytes.prefix(bytes.count / 2)))
      throw AuditError.spillFailed("write: 28")
    }
    let schema = TenantSchema(id: UUID())
    let records = (0..<3).map(record)
    try spill.append([records[0]].map { .init(schema: schema, record: $0) })
    isFull.withLock { $0 = true }
    #expect(throws: AuditError.self) {
      try spill.append([records[1]].map { .init(schema: schema, record: $0) })
    }
    // The first event still waits.
    #expect(spill.isUsed)
    isFull.withLock { $0 = false }
    try spill.append([records[2]].map { .init(schema: schema, record: $0) })

    let first = try #require(try spill.takeFile())
    let second = try #require(try spill.takeFile(after: first.name))
    #expect(first.entries.map(\.record) == [records[0]])
    #expect(second.entries.map(\.record) == [records[2]])
    #expect(try spill.takeFile(after: second.name) == nil)
  }
}

@Suite("Design section 7: declarations")
struct PersonalDataTests {
  @Test func everyColumnOnceAndAnonymisedColumnsExist() {
    for declaration in Tenancy.personalData {
      let names = declaration.columns.map(\.name)
      #expect(Set(names).count == names.count, "\(declaration.table)")
      #expect(declaration.key.allSatisfy(names.contains), "\(declaration.table)")
      if let subject = declaration.subject { #expect(names.contains(subject)) }
      for target in declaration.retention { #expect(target.since.allSatisfy(names.contains)) }
      if case .anonymise(let replacements) = declaration.erasure {
        #expect(replacements.map(\.column).allSatisfy(names.contains))
      }
      #expect((declaration.subject == nil) == (declaration.erasure == .none))
    }
    #expect(Set(Tenancy.personalData.map(\.table)).count == Tenancy.personalData.count)
  }

  @Test func everyClaimHasACategory() {
    #expect(Claims.catalogue.count == 19)
    #expect(Claims.catalogue.allSatisfy { $0.category.key.hasPrefix("user.") })
  }
}
