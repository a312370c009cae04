import Database
import Platform
import Tenancy
import Testing

@Suite("Users of a tenant")
struct UserStoreTests {
  let harness: TenancyHarness
  var users: UserStore { harness.tenancy.users }
  var tenant: Tenant { harness.tenant }

  init() async throws {
    harness = try await .fresh()
  }

  @Test func isFoundByEverySpelling() async throws {
    let alice = try await harness.user([
      "username": "Alice", "email": "Alice@Example.com", "name": "Alice Example",
    ])
    #expect(try await users.find(alice.id, in: tenant)?.claims == alice.claims)
    #expect(try await users.find(email: " alice@EXAMPLE.com", in: tenant)?.id == alice.id)
    #expect(try await users.find(username: "ALICE", in: tenant)?.id == alice.id)
    #expect(try await users.find(email: "alice", in: tenant) == nil)
    #expect(try await users.find(.generate(.system, .system), in: tenant) == nil)
    #expect(alice.claims.email == "Alice@Example.com")
  }

  @Test func nothingPersonalIsStoredInTheClear() async throws {
    let alice = try await harness.user(
      ["username": "alice-unique", "email": "alice@unique.example", "name": "Alice Unique"],
      password: "correct horse")
    _ = try await users.update(alice.id, expecting: nil, in: tenant, origin: TenancyHarness.origin)
    {
      try $0.applying(["email": "later@unique.example"])
    }
    let row = try #require(try await harness.database.first(DumpTestUser(), in: tenant.schema))
    for secret in ["alice-unique", "unique.example", "Alice Unique", "correct horse"] {
      #expect(!row.contains(secret))
      #expect(!row.contains(Hex.encode(Array(secret.utf8))))
    }
  }

  @Test("a taken e-mail address or user name is named, and nothing is half-written")
  func duplicates() async throws {
    _ = try await harness.user(["username": "alice", "email": "alice@example.com"])
    await #expect(throws: UserError.duplicate(ClaimError("email", "is in use by another user"))) {
      try await harness.user(
        ["username": "other", "email": "ALICE@example.com"], password: "12345678")
    }
    await #expect(throws: UserError.duplicate(ClaimError("username", "is in use by another user")))
    {
      try await harness.user(["username": "ALICE"])
    }
    let bob = try await harness.user(["username": "bob"])
    await #expect(throws: UserError.duplicate(ClaimError("username", "is in use by another user")))
    {
      try await users.update(bob.id, expecting: 1, in: tenant, origin: TenancyHarness.origin) {
        try $0.applying(["username": "Alice"])
      }
    }
    #expect(try await users.list(after: nil, limit: 10, in: tenant).count == 2)
    try await harness.expectSoundTrail(2)
  }

  @Test func oneOfManyWins() async throws {
    let outcomes = await withTaskGroup(of: Bool.self) { group in
      for _ in 0..<10 {
        group.addTask { (try? await harness.user(["email": "same@example.com"])) != nil }
      }
      return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
    }
    #expect(outcomes == 1)
    try await harness.expectSoundTrail(1)
  }

  @Test func needsSomethingToSignInWith() async throws {
    await #expect(throws: UserError.self) { try await harness.user(["name": "Nobody"]) }
    await #expect(throws: UserError.self) {
      try await harness.user(["username": "x"], password: "short")
    }
  }

  @Test func signsInByAddressOrName() async throws {
    let alice = try await harness.user(
      ["username": "alice", "email": "alice@example.com"], password: "cafe\u{301} au lait")
    for identifier in ["alice", "ALICE", "Alice@example.com"] {
      let candidate = try await users.findForSignIn(identifier, in: tenant)
      #expect(candidate?.user.id == alice.id)
      #expect(try await users.verify(Secret("caf\u{e9} au lait"), of: candidate))
      #expect(try await !users.verify(Secret("wrong password"), of: candidate))
    }
    let candidate = try await users.findForSignIn("nobody", in: tenant)
    #expect(candidate == nil)
    #expect(try await !users.verify(Secret("caf\u{e9} au lait"), of: candidate))
    let confirmed = try await users.findForSignIn(alice.id, in: tenant)
    #expect(confirmed?.passwordHash?.reveal().hasPrefix("$argon2id$") == true)
  }

  @Test("a user name that looks like somebody's address does not catch their sign-in")
  func anAddressWins() async throws {
    let owner = try await harness.user(["email": "alice@example.com"])
    let other = try await harness.user(["username": "alice@example.com"])
    #expect(try await users.findForSignIn("alice@example.com", in: tenant)?.user.id == owner.id)
    #expect(other.id != owner.id)
  }

  @Test func aBlockedUserDoesNotSignIn() async throws {
    let alice = try await harness.user(["username": "alice"], password: "correct horse")
    let blocked = try await users.setStatus(
      .disabled, of: alice.id, expecting: 1, in: tenant, origin: TenancyHarness.origin)
    #expect(blocked.status == .disabled && blocked.version == 2)
    let candidate = try await users.findForSignIn("alice", in: tenant)
    #expect(try await !users.verify(Secret("correct horse"), of: candidate))
  }

  @Test func changesNeedTheVersionTheySaw() async throws {
    let alice = try await harness.user(["username": "alice", "email": "a@example.com"])
    let changed = try await users.update(
      alice.id, expecting: 1, in: tenant, origin: TenancyHarness.origin
    ) { try $0.applying(["email": "b@example.com", "name": "Alice"]) }
    #expect(changed.version == 2)
    await #expect(throws: UserError.versionMismatch) {
      try await users.update(alice.id, expecting: 1, in: tenant, origin: TenancyHarness.origin) {
        $0
      }
    }
    await #expect(throws: UserError.self) {
      try await users.update(alice.id, expecting: nil, in: tenant, origin: TenancyHarness.origin) {
        try $0.applying(["email": 1])
      }
    }
    await #expect(throws: UserError.notFound) {
      try await users.update(
        .generate(.system, .system), expecting: nil, in: tenant, origin: TenancyHarness.origin
      ) { $0 }
    }
    #expect(try await users.find(email: "a@example.com", in: tenant) == nil)
    #expect(try await users.find(email: "b@example.com", in: tenant)?.claims["name"] == "Alice")
    let event = try #require(try await harness.events().last)
    #expect(event.action == "user.updated")
    #expect(event.detail["fields"] == ["name", "email"])
    let personal = try alice.key.open(
      #require(event.personal),
      at: SealedPlace(table: "audit_event", column: "personal", row: event.id.description))
    #expect(personal["before"] == ["name": .null, "email": "a@example.com"])
    #expect(
      event.commitment
        == AuditCommitment.make(
          personal: personal, subject: alice.id, key: try #require(event.commitmentKey)))
  }

  @Test func passwordsAreReplaced() async throws {
    let alice = try await harness.user(["username": "alice"])
    #expect(try await users.findForSignIn("alice", in: tenant)?.passwordHash == nil)
    for password in ["first password", "second password"] {
      try await users.setPassword(
        Secret(password), of: alice.id, in: tenant, origin: TenancyHarness.origin)
      let candidate = try await users.findForSignIn("alice", in: tenant)
      #expect(try await users.verify(Secret(password), of: candidate))
    }
    let candidate = try await users.findForSignIn("alice", in: tenant)
    #expect(try await !users.verify(Secret("first password"), of: candidate))
  }

  @Test func aUserBeingErasedIsFoundByIDOnly() async throws {
    let alice = try await harness.user(
      ["username": "alice", "email": "a@example.com"], password: "correct horse")
    for expected in [true, false] {
      let marked = try await harness.database.transaction(in: tenant.schema) { tx in
        try await users.markErasing(alice.id, in: tx, tenant: tenant, origin: .system)
      }
      #expect(marked == expected)
    }
    #expect(try await users.find(alice.id, in: tenant)?.status == .erasing)
    #expect(try await users.find(email: "a@example.com", in: tenant) == nil)
    #expect(try await users.findForSignIn("alice", in: tenant) == nil)
    #expect(try await users.list(after: nil, limit: 10, in: tenant).isEmpty)
    await #expect(throws: UserError.erasing) {
      try await users.setPassword(
        Secret("another one"), of: alice.id, in: tenant, origin: TenancyHarness.origin)
    }
    // The name is free again.
    _ = try await harness.user(["username": "alice", "email": "a@example.com"])
  }

  @Test func pagesInTheOrderOfCreation() async throws {
    var made: [UserID] = []
    for index in 0..<5 {
      harness.clock.advance(bySeconds: 1)
      made.append(try await harness.user(["username": "user\(index)"]).id)
    }
    var seen: [UserID] = []
    while true {
      let page = try await users.list(after: seen.last, limit: 2, in: tenant)
      guard !page.isEmpty else { break }
      seen += page.map(\.id)
    }
    #expect(seen == made)
  }

  @Test func tenantsDoNotSeeEachOther() async throws {
    let alice = try await harness.user(["email": "a@example.com"])
    let other = try await TenancyHarness.fresh()
    #expect(try await other.tenancy.users.find(alice.id, in: other.tenant) == nil)
    #expect(try await other.tenancy.users.find(email: "a@example.com", in: other.tenant) == nil)
  }
}

struct DumpTestUser: Statement {
  static let sql: SQL<Self> = """
    select (select string_agg(row(a.*)::text, ' ') from \(tenant).user_account as a)
           || (select string_agg(row(e.*)::text, ' ') from \(tenant).audit_event as e)
           || coalesce((select string_agg(row(c.*)::text, ' ') from \(tenant).credential as c), '')
    """
  static func decode(_ row: inout RowReader) throws -> String { try row.next() }
}
