import Platform
import Testing

@testable import Cryptography

@Suite("RFC 9106: Argon2id")
struct Argon2idTests {
  static func bytes(_ value: UInt8, _ count: Int) -> SecretBytes {
    SecretBytes([UInt8](repeating: value, count: count))
  }

  @Test("section 5.3, with libargon2's memory and with an arena")
  func vector() throws {
    let input = Argon2id.Input(
      password: Self.bytes(1, 32), salt: Self.bytes(2, 16), secret: Self.bytes(3, 8),
      associatedData: Self.bytes(4, 12),
      cost: Argon2id.Cost(memoryKiB: 32, iterations: 3, lanes: 4), tagCount: 32)
    let tag = "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"
    #expect(Hex.encode(try Argon2id.tag(input, arena: nil)) == tag)
    let arena = Argon2Arena()
    for _ in 0..<3 { #expect(Hex.encode(try Argon2id.tag(input, arena: arena)) == tag) }
  }

  @Test("costs beyond our ceilings are refused before memory is taken")
  func ceilings() {
    for cost in [
      Argon2id.Cost(memoryKiB: 2_097_152, iterations: 1, lanes: 1),
      Argon2id.Cost(memoryKiB: 7, iterations: 1, lanes: 1),
      Argon2id.Cost(memoryKiB: 8, iterations: 0, lanes: 1),
      Argon2id.Cost(memoryKiB: 19_456, iterations: 1_000, lanes: 1),
      Argon2id.Cost(memoryKiB: 19_456, iterations: 2, lanes: 0),
    ] {
      let input = Argon2id.Input(
        password: Self.bytes(1, 32), salt: Self.bytes(2, 16), secret: nil, associatedData: nil,
        cost: cost, tagCount: 32)
      #expect(throws: CryptographyError.self) { try Argon2id.tag(input, arena: nil) }
    }
  }
}

@Suite("Passwords", .timeLimit(.minutes(1)))
struct PasswordHasherTests {
  static let cheap = Argon2id.Cost(memoryKiB: 64, iterations: 1, lanes: 1)

  static func hasher(cost: Argon2id.Cost = cheap) -> PasswordHasher {
    PasswordHasher(
      settings: PasswordHasherSettings(
        cost: cost, threadsMax: 2, queueMax: 64, deadlineSeconds: 30),
      random: .system)
  }

  @Test(
    "hashes of the reference implementation verify",
    arguments: [
      "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
      "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
      "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
    ])
  func reference(_ hash: String) async throws {
    let hasher = Self.hasher()
    #expect(try await hasher.verify(Secret("password"), against: hash))
    #expect(try await !hasher.verify(Secret("Password"), against: hash))
    #expect(hasher.needsRehash(hash))
    #expect(PHCString(hash)?.text == hash)
    await hasher.stop()
  }

  @Test("a hash is salted, verifies, and needs no rehash", arguments: ["", "pass", "пароль 🔑"])
  func roundTrip(_ password: String) async throws {
    let hasher = Self.hasher()
    let first = try await hasher.hash(Secret(password))
    let second = try await hasher.hash(Secret(password))
    #expect(first != second)
    #expect(first.hasPrefix("$argon2id$v=19$m=64,t=1,p=1$"))
    #expect(try await hasher.verify(Secret(password), against: first))
    #expect(try await !hasher.verify(Secret(password + " "), against: first))
    #expect(!hasher.needsRehash(first))
    #expect(Self.hasher(cost: .standard).needsRehash(first))
    await hasher.stop()
  }

  @Test("the default is m=19456, t=2, p=1")
  func defaults() {
    var reader = SettingsReader.documentation
    let settings = PasswordHasherSettings(&reader)
    #expect(settings.cost == .standard)
    #expect(Argon2id.Cost.standard == Argon2id.Cost(memoryKiB: 19_456, iterations: 2, lanes: 1))
    #expect(settings.threadsMax > 0)
  }

  @Test("an unknown user is refused, by a computation")
  func unknownUser() async throws {
    let hasher = Self.hasher()
    #expect(try await !hasher.verify(Secret("password"), against: nil))
    try await hasher.verifyDummy(Secret("password"))
    await hasher.stop()
    await #expect(throws: PasswordHashError.stopped) {
      try await hasher.verify(Secret("password"), against: nil)
    }
  }

  @Test(
    "malformed hashes are errors, not wrong passwords",
    arguments: [
      "", "password", "$2b$12$abcdefghijklmnopqrstuv",
      "$argon2i$v=19$m=64,t=1,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
      "$argon2id$v=16$m=64,t=1,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
      "$argon2id$m=64,t=1,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
      "$argon2id$v=19$m=064,t=1,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
      "$argon2id$v=19$m=+64,t=1,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
      "$argon2id$v=19$t=1,m=64,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
      "$argon2id$v=19$m=64,t=1,p=1,x=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
      "$argon2id$v=19$m=4294967295,t=1,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
      "$argon2id$v=19$m=64,t=1,p=1$c29t$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
      "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ=$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
      "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/5",
      "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$nf65",
      "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4$",
    ])
  func malformed(_ hash: String) async throws {
    let hasher = Self.hasher()
    await #expect(throws: PasswordHashError.malformedHash) {
      try await hasher.verify(Secret("password"), against: hash)
    }
    #expect(hasher.needsRehash(hash))
  }
}

@Suite("The threads that hash", .timeLimit(.minutes(1)))
struct HashingPoolTests {
  static func input(_ cost: Argon2id.Cost) -> Argon2id.Input {
    Argon2id.Input(
      password: SecretBytes("password"), salt: SecretBytes("somesalt"), secret: nil,
      associatedData: nil, cost: cost, tagCount: 32)
  }

  static func pool(
    threadsMax: Int = 2, queueMax: Int = 64, deadline: Duration = .seconds(30),
    idle: Duration = .seconds(30)
  ) -> HashingPool {
    HashingPool(threadsMax: threadsMax, queueMax: queueMax, deadline: deadline, idle: idle)
  }

  /// What each of `count` simultaneous requests got.
  static func results(_ count: Int, _ pool: HashingPool, cost: Argon2id.Cost) async -> [Result<
    [UInt8], any Error
  >] {
    await withTaskGroup(of: Result<[UInt8], any Error>.self) { group in
      for _ in 0..<count {
        group.addTask {
          do { return .success(try await pool.tag(input(cost))) } catch { return .failure(error) }
        }
      }
      return await group.reduce(into: []) { $0.append($1) }
    }
  }

  @Test("many requests share few threads, which start with the first one")
  func sharing() async throws {
    let pool = Self.pool()
    #expect(pool.threadCount == 0)
    let results = await Self.results(40, pool, cost: PasswordHasherTests.cheap)
    #expect(Set(try results.map { try $0.get() }).count == 1)
    #expect((1...2).contains(pool.threadCount))
    await pool.stop()
    #expect(pool.threadCount == 0)
  }

  @Test("beyond the queue the answer is busy, at once")
  func bounded() async throws {
    let pool = Self.pool(threadsMax: 1, queueMax: 2)
    let results = await Self.results(
      30, pool, cost: Argon2id.Cost(memoryKiB: 32_768, iterations: 4, lanes: 1))
    let refused = results.filter { result in
      if case .failure(PasswordHashError.busy) = result { true } else { false }
    }
    let hashed = results.filter { result in if case .success = result { true } else { false } }
    #expect(!refused.isEmpty)
    #expect(!hashed.isEmpty)
    #expect(refused.count + hashed.count == 30)
    await pool.stop()
  }

  @Test(
    "three quarters of the queue are a crowd, and so are three quarters of the deadline",
    arguments: [
      (5, 8, 30, false), (6, 8, 30, true), (1, 8, 9, false), (1, 8, 7, true), (0, 1, 30, false),
      (1, 1, 30, true), (-3, 8, 30, false),
    ])
  func crowd(waiting: Int, queueMax: Int, secondsLeft: Int, isCrowded: Bool) {
    #expect(
      HashingPool.isCrowded(
        waiting: waiting, queueMax: queueMax, left: .seconds(secondsLeft), deadline: .seconds(30))
        == isCrowded)
  }

  @Test("a crowd is over when it is hashed")
  func crowdIsOver() async throws {
    let pool = Self.pool(threadsMax: 1, queueMax: 8)
    #expect(!pool.isCrowded)
    let cost = Argon2id.Cost(memoryKiB: 32_768, iterations: 16, lanes: 1)
    async let results = Self.results(16, pool, cost: cost)
    while !pool.isCrowded {
      try Task.checkCancellation()
      await Task.yield()
    }
    #expect(await results.contains { result in if case .success = result { true } else { false } })
    #expect(!pool.isCrowded)
    await pool.stop()
  }

  @Test("what waited past its deadline is not hashed")
  func deadline() async throws {
    let pool = Self.pool(deadline: .zero)
    await #expect(throws: PasswordHashError.busy) {
      try await pool.tag(Self.input(PasswordHasherTests.cheap))
    }
    await pool.stop()
  }

  @Test("a cancelled request gives up its place")
  func cancellation() async throws {
    let pool = Self.pool(threadsMax: 1)
    let cost = Argon2id.Cost(memoryKiB: 32_768, iterations: 4, lanes: 1)
    let cancelled = await withTaskGroup(of: Bool.self) { group in
      for _ in 0..<8 {
        group.addTask {
          do {
            _ = try await pool.tag(Self.input(cost))
            return false
          } catch {
            return error is CancellationError
          }
        }
      }
      group.cancelAll()
      return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
    }
    // One may have been in the hands of the thread already.
    #expect(cancelled >= 7)
    await pool.stop()
  }

  @Test("threads without work end, and come back")
  func idleThreads() async throws {
    let pool = Self.pool(idle: .milliseconds(5))
    for _ in 0..<3 {
      _ = try await pool.tag(Self.input(PasswordHasherTests.cheap))
      while pool.threadCount > 0 { await Task.yield() }
    }
    await pool.stop()
  }

  @Test("shutdown finishes what was accepted, refuses what comes later, and ends the threads")
  func shutdown() async throws {
    let pool = Self.pool(threadsMax: 1)
    let cost = Argon2id.Cost(memoryKiB: 4_096, iterations: 2, lanes: 1)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<4 {
        group.addTask {
          do {
            _ = try await pool.tag(Self.input(cost))
          } catch PasswordHashError.stopped {
            // It came after the stop, which is the other right answer.
          }
        }
      }
      group.addTask { await pool.stop() }
      group.addTask { await pool.stop() }
      try await group.waitForAll()
    }
    #expect(pool.threadCount == 0)
    await #expect(throws: PasswordHashError.stopped) {
      try await pool.tag(Self.input(PasswordHasherTests.cheap))
    }
  }

  @Test("the service runs until it is cancelled")
  func service() async throws {
    let hasher = PasswordHasherTests.hasher()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await hasher.run() }
      _ = try await hasher.hash(Secret("password"))
      group.cancelAll()
      try await group.waitForAll()
    }
    await #expect(throws: PasswordHashError.stopped) {
      try await hasher.hash(Secret("password"))
    }
  }
}
