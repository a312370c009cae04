import Cryptography
import JOSE
import Platform
@testable import Tenancy
import Testing

@Suite("Design section 4: keys and what they seal")
struct KeyTests {
  let tenant = TenantKey.generate(for: .generate(.system, .system))
  let user = UserID.generate(.system, .system)

  @Test func theMasterKeyUnwrapsForTheSameTenantAndVersionOnly() throws {
    let master = try MasterKey(MasterKey.generateText())
    let wrapped = master.wrap(tenant)
    let unwrapped = try master.unwrap(wrapped, tenant: tenant.tenant, version: 1)
    #expect(unwrapped.reveal() == tenant.reveal())
    #expect(throws: CryptographyError.self) {
      try master.unwrap(wrapped, tenant: tenant.tenant, version: 2)
    }
    #expect(throws: CryptographyError.self) {
      try master.unwrap(wrapped, tenant: .generate(.system, .system), version: 1)
    }
    #expect(throws: CryptographyError.self) {
      try MasterKey(MasterKey.generateText()).unwrap(wrapped, tenant: tenant.tenant, version: 1)
    }
  }

  @Test(arguments: ["", "short", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "no base64!"])
  func refusesAMalformedMasterKey(_ text: String) {
    #expect(throws: KeyError.self) { try MasterKey(Secret(text)) }
  }

  @Test func aSubjectKeyBelongsToItsUser() throws {
    let key = SubjectKey.generate(tenant: tenant.tenant, user: user)
    let wrapped = tenant.wrap(key)
    #expect(try tenant.unwrap(wrapped, user: user).reveal() == key.reveal())
    #expect(throws: CryptographyError.self) {
      try tenant.unwrap(wrapped, user: .generate(.system, .system))
    }
  }

  @Test func aSealedValueOpensAtItsPlaceOnly() throws {
    let key = SubjectKey.generate(tenant: tenant.tenant, user: user)
    let place = SealedPlace(table: "session", column: "personal", row: "1")
    let sealed = key.seal(["ip_address": "192.0.2.1"], at: place)
    #expect(try key.open(sealed, at: place) == ["ip_address": "192.0.2.1"])
    for other in [
      SealedPlace(table: "sessions", column: "personal", row: "1"),
      SealedPlace(table: "session", column: "other", row: "1"),
      SealedPlace(table: "session", column: "personal", row: "2"),
    ] {
      #expect(throws: CryptographyError.self) { try key.open(sealed, at: other) }
    }
    let stranger = SubjectKey.generate(tenant: tenant.tenant, user: user)
    #expect(throws: CryptographyError.self) { try stranger.open(sealed, at: place) }
  }

  @Test func purposesHaveIndependentKeys() {
    let codes = [KeyPurpose.refreshToken, .signedURL, .form].map { tenant.macKey($0).sha256("x") }
    #expect(Set(codes).count == 3)
    #expect(tenant.macKey(.form).sha256("x") == codes[2])
    #expect(TenantKey.generate(for: tenant.tenant).macKey(.form).sha256("x") != codes[2])
  }

  @Test func keysDoNotPrint() throws {
    let subject = SubjectKey.generate(tenant: tenant.tenant, user: user)
    let master = try MasterKey(MasterKey.generateText())
    let printed = "\(tenant) \(subject) \(master) \(String(reflecting: tenant))"
    #expect(!printed.contains("SecretBytes"))
    var dumped = ""
    dump(subject, to: &dumped)
    #expect(dumped.contains("redacted"))
  }

  @Test func aNewTenantGetsKeysWithThumbprints() throws {
    let keys = try GeneratedSigningKey.defaultAlgorithms.map {
      try GeneratedSigningKey(
        UnsealedSigningKey($0), state: .current, for: tenant, clock: .system, random: .system)
    }
    #expect(keys.map(\.algorithm) == [.rs256, .es256])
    #expect(Set(keys.map(\.kid)).count == 2)
    let stored = keys.map {
      StoredSigningKey(
        kid: $0.kid, algorithm: $0.algorithm.rawValue, publicJWK: $0.publicJWK,
        privateKey: $0.sealedPrivateKey)
    }
    let ring = try SigningKeys(stored, tenantKey: tenant)
    #expect(ring.algorithms == [.rs256, .es256])
    #expect(try ring.current(.es256).keyID == keys[1].kid)
    #expect(throws: KeyError.missing("PS256")) { try ring.current(.ps256) }
    let document = try JSON.parse(ring.publishedBytes, limits: .request)
    let published = try #require(document["keys"]?.arrayValue)
    #expect(published.map { $0["kid"]?.stringValue } == keys.map(\.kid))
    #expect(published.allSatisfy { $0["d"] == nil && $0["use"]?.stringValue == "sig" })
    #expect(throws: CryptographyError.self) {
      try SigningKeys(stored, tenantKey: .generate(for: tenant.tenant))
    }
  }
}
