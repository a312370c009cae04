import FoundationEssentials
import HTTPTypes
package import JOSE
package import Platform

/// The key sets that clients and trusted issuers publish: fetched, kept for a while, and fetched again for a new `kid`.
///
/// Somebody who invents names of keys causes no more than a few fetches a minute (OpenID Connect Core section 10.1.1).
package final class RemoteJWKSets: Sendable {
  private struct Key: Hashable {
    let partition: String
    let url: OutgoingURL
  }

  private let http: OutgoingHTTP
  private let clock: WallClock
  private let kept = BoundedCache<Key, FetchedJWKSet>(
    capacity: entriesMax, lifetimeSeconds: .infinity)
  private let flights = SingleFlight<Key, FetchedJWKSet>()

  private static let entriesMax = 10_000
  private static let answerBytesMax = 256 * 1024

  package init(http: OutgoingHTTP, clock: WallClock) {
    self.http = http
    self.clock = clock
  }

  /// Verifies with the key of a published set; shared secrets in one are never used.
  ///
  /// - Throws: `JOSEError` when the signature is not acceptable, ``RemoteJWKSetError`` when the set can't be had,
  ///   or `CancellationError`.
  package func verify(
    _ jws: UnverifiedJWS, allowing algorithms: Set<SignatureAlgorithm>, keysAt url: OutgoingURL,
    partition: String
  ) async throws -> VerifiedJWS {
    let algorithms = algorithms.intersection(SignatureAlgorithm.asymmetric)
    // Before a fetch, not after it.
    guard algorithms.contains(jws.header.algorithm) else { throw JOSEError.algorithmNotAllowed }
    let key = Key(partition: partition, url: url)
    var fetched = try await current(key)
    var found = try fetched.keys.get().key(for: jws.header)
    if found == nil, mayFetchAgain(key) {
      fetched = try await fetch(key, insteadOf: fetched)
      found = try fetched.keys.get().key(for: jws.header)
    }
    guard let found else { throw JOSEError.unknownKey }
    return try jws.verified(with: found, allowing: algorithms)
  }

  private func current(_ key: Key) async throws -> FetchedJWKSet {
    let now = clock.now()
    let known = kept.value(for: key, now: now)
    if let known, known.isFresh(now) { return known }
    return try await fetch(key, insteadOf: known)
  }

  private func mayFetchAgain(_ key: Key) -> Bool {
    let now = clock.now()
    return kept.update(key, now: now) { $0?.countRefetch(now: now) ?? true }
  }

  /// A set other than `known`: fetched now, or by somebody else since.
  private func fetch(_ key: Key, insteadOf known: FetchedJWKSet?) async throws -> FetchedJWKSet {
    try await flights.value(for: key) { [self] in
      let now = clock.now()
      let latest = kept.value(for: key, now: now)
      if let latest, latest.isFresh(now), latest.serial != known?.serial { return latest }
      let answer = try await load(key)
      return kept.update(key, now: now) { entry in
        let next = FetchedJWKSet(answer, after: entry, now: now)
        entry = next
        return next
      }
    }
  }

  private func load(_ key: Key) async throws -> Result<PublishedJWKSet, RemoteJWKSetError> {
    let response: OutgoingResponse
    do {
      response = try await http.send(
        .get(
          key.url, accept: "application/jwk-set+json, application/json",
          answerBytesMax: Self.answerBytesMax),
        partition: key.partition)
    } catch let error as OutgoingError {
      return .failure(.unavailable(error))
    }
    guard response.status == 200 else { return .failure(.status(response.status)) }
    guard ["application/json", "application/jwk-set+json"].contains(response.mediaType) else {
      return .failure(.contentType)
    }
    do throws(JOSEError) {
      let keys = try JWKSet.parse(response.body, bytesMax: Self.answerBytesMax)
      return .success(
        PublishedJWKSet(keys: keys, cacheControl: response.fields[.cacheControl]))
    } catch {
      return .failure(.malformed(error))
    }
  }
}

/// Why a key set could not be had; for the log.
package enum RemoteJWKSetError: Error, Sendable, Hashable {
  case unavailable(OutgoingError)
  case status(Int)
  case contentType
  case malformed(JOSEError)
}

/// A set as it was answered.
struct PublishedJWKSet: Sendable {
  let keys: JWKSet
  let cacheControl: String?

  /// What `Cache-Control: max-age` asks for, between a minute and an hour: keys that are taken back must stop to count.
  var lifetimeSeconds: Int {
    let directives = (cacheControl ?? "").lowercased().split(separator: ",").map { directive in
      directive.drop { $0 == " " }.prefix { $0 != " " }
    }
    if directives.contains("no-store") || directives.contains("no-cache") { return 60 }
    let age = directives.first { $0.hasPrefix("max-age=") }.flatMap { Int($0.dropFirst(8)) }
    return min(max(age ?? 600, 60), 3600)
  }
}

/// What is remembered of a fetch, failures included, and how often a missing key has caused another.
struct FetchedJWKSet: Sendable {
  let keys: Result<JWKSet, RemoteJWKSetError>
  let serial: Int
  private let expiresAt: Date
  private var windowEndsAt: Date
  private var refetches: Int

  private static let refetchesMax = 4
  private static let windowSeconds = 60.0
  private static let failureSeconds = 15.0

  init(
    _ answer: Result<PublishedJWKSet, RemoteJWKSetError>, after earlier: FetchedJWKSet?, now: Date
  ) {
    serial = (earlier?.serial ?? 0) + 1
    windowEndsAt = earlier?.windowEndsAt ?? now
    refetches = earlier?.refetches ?? 0
    switch answer {
    case .success(let set):
      keys = .success(set.keys)
      expiresAt = now.addingTimeInterval(TimeInterval(set.lifetimeSeconds))
    case .failure(let error):
      // A set that still counts is not lost to a fetch that found no newer one.
      if let earlier, earlier.isFresh(now), case .success = earlier.keys {
        keys = earlier.keys
        expiresAt = earlier.expiresAt
      } else {
        keys = .failure(error)
        expiresAt = now.addingTimeInterval(Self.failureSeconds)
      }
    }
  }

  func isFresh(_ now: Date) -> Bool { now < expiresAt }

  /// Whether one more fetch for a missing key is due; counts it.
  mutating func countRefetch(now: Date) -> Bool {
    if now >= windowEndsAt {
      windowEndsAt = now.addingTimeInterval(Self.windowSeconds)
      refetches = 0
    }
    guard refetches < Self.refetchesMax else { return false }
    refetches += 1
    return true
  }
}
