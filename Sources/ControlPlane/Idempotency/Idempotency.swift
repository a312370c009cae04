import Cryptography
package import Database
import FoundationEssentials
import HTTPTypes
package import Platform
package import Tenancy
import Web

/// Lets a client repeat a `POST` whose answer it lost (decision 0002).
///
/// Kept are a keyed digest of the request and the id of what it made: no body, no response.
package struct Idempotency: Sendable {
  private let database: Database
  let claims: IdempotencyClaims
  private let clock: WallClock

  /// How long a key is remembered (our policy, documented for clients).
  static let lifetimeSeconds = 24 * 3600.0

  package init(database: Database, masterKey: MasterKey, clock: WallClock) {
    self.database = database
    claims = IdempotencyClaims(masterKey: masterKey)
    self.clock = clock
  }

  /// What an earlier request with the claim made, before anything expensive is begun.
  func earlier(_ claim: IdempotencyClaim?) async throws -> EarlierResult? {
    guard let claim else { return nil }
    let stored = try await database.first(
      FindIdempotencyKey(keyHash: claim.keyHash, now: clock.now()))
    return try stored.map(claim.match)
  }

  /// Runs `work` in a transaction, once for each claim.
  ///
  /// The claim's row comes first: a concurrent request with the same key waits for this
  /// transaction to end, and then either finds the result or does the work.
  func once<Value: Sendable>(
    _ claim: IdempotencyClaim?, organization: TenantID?, in schema: TenantSchema?,
    _ work: (Transaction) async throws -> Creation<Value>
  ) async throws -> Once<Value> {
    let body: (Transaction) async throws -> Once<Value> = { tx in
      guard let claim else { return .first(try await work(tx).value) }
      if let earlier = try await take(claim, organization, in: tx) { return .again(earlier) }
      let creation = try await work(tx)
      try await tx.platform(
        CompleteIdempotencyKey(
          keyHash: claim.keyHash, resource: creation.id,
          sealedSecret: creation.secret.map(claim.seal)))
      return .first(creation.value)
    }
    return if let schema {
      try await database.transaction(in: schema, body)
    } else {
      try await database.transaction(body)
    }
  }

  /// Takes the key, or says what it stands for already.
  private func take(
    _ claim: IdempotencyClaim, _ organization: TenantID?, in tx: Transaction
  ) async throws -> EarlierResult? {
    let now = clock.now()
    let taken = try await tx.platform(
      ClaimIdempotencyKey(
        keyHash: claim.keyHash, organization: organization, requestMAC: claim.requestMAC, now: now,
        expiresAt: now.addingTimeInterval(Self.lifetimeSeconds)))
    guard taken == 0 else { return nil }
    guard
      let stored = try await tx.platformFirst(FindIdempotencyKey(keyHash: claim.keyHash, now: now))
    else {
      throw Problem.unavailable("Another request with this Idempotency-Key just ended. Repeat it.")
    }
    return try claim.match(stored)
  }
}

/// Makes claims: pure, with keys that are neither in the database nor in the request.
struct IdempotencyClaims: Sendable {
  private let digest: HMACKey
  private let sealing: SymmetricKey

  init(masterKey: MasterKey) {
    let root = masterKey.derive(.idempotency)
    digest = HMACKey(HKDF.key(from: root, salt: [], info: "tenure.v1 idempotency digest"))
    sealing = HKDF.key(from: root, salt: [], info: "tenure.v1 idempotency secret")
  }

  /// What a request claims with its key; the same request makes the same claim.
  func claim(_ key: String, on operation: String, by caller: String, body: JSON)
    -> IdempotencyClaim
  {
    let name = [operation, caller, key].joined(separator: "\u{0}")
    let keyHash = digest.sha256(Array("key\u{0}\(name)".utf8))
    return IdempotencyClaim(
      keyHash: keyHash,
      requestMAC: digest.sha256(Array("body\u{0}".utf8) + CanonicalJSON.encode(body)),
      secretKey: HKDF.key(from: sealing, salt: keyHash, info: "client secret \(key)"))
  }
}

/// One request's use of an `Idempotency-Key`.
package struct IdempotencyClaim: Sendable {
  let keyHash: [UInt8]
  let requestMAC: [UInt8]
  let secretKey: SymmetricKey

  func seal(_ secret: Secret<String>) -> [UInt8] {
    AESGCM.seal(Array(secret.reveal().utf8), key: secretKey, additionalData: keyHash)
  }

  /// The earlier result, if it was the same request.
  func match(_ stored: StoredIdempotencyKey) throws -> EarlierResult {
    guard constantTimeEquals(stored.requestMAC, requestMAC) else {
      throw Problem(
        .unprocessableContent, kind: "idempotency-key-reused",
        detail: "This Idempotency-Key was used for a request with another body.")
    }
    let secret = try stored.sealedSecret.map {
      Secret(
        String(
          decoding: try AESGCM.open($0, key: secretKey, additionalData: keyHash), as: UTF8.self))
    }
    return EarlierResult(resource: stored.resource, secret: secret)
  }
}

/// What an earlier request with the same key made.
struct EarlierResult: Sendable {
  let resource: String
  let secret: Secret<String>?

  /// The key outlived what it made; the same answer cannot be given.
  static let resourceGone = Problem.conflict(
    "What this Idempotency-Key created no longer exists. Use a new key.")
}

/// What `work` made: its answer, its id, and the secret a repeat shows again.
struct Creation<Value: Sendable>: Sendable {
  let value: Value
  let id: String
  let secret: Secret<String>?
}

enum Once<Value: Sendable>: Sendable {
  case first(Value)
  case again(EarlierResult)
}
