package import Logging
package import Platform
import ServiceLifecycle
import Synchronization
import Tenancy

/// What a new tenant needs and what takes time to make: its id, its key and its signing keys.
///
/// They belong together, because the signing keys are sealed under the tenant key for this id.
struct TenantSeed: Sendable {
  let id: TenantID
  let key: TenantKey
  let signingKeys: [GeneratedSigningKey]

  init(clock: WallClock, random: RandomSource) throws {
    id = .generate(clock, random)
    key = .generate(for: id)
    signingKeys = try GeneratedSigningKey.forNewTenant(key, clock: clock, random: random)
  }
}

/// Keeps a few seeds ready, so that creating an organization does not wait for RSA.
///
/// They are only in memory: a seed that is never used was never anybody's.
package final class SeedReserve: Service {
  private let seeds = Mutex<[TenantSeed]>([])
  private let wanted: AsyncStream<Void>
  private let ring: AsyncStream<Void>.Continuation
  private let clock: WallClock
  private let random: RandomSource
  private let logger: Logger

  static let countMax = 4

  package init(clock: WallClock, random: RandomSource, logger: Logger) {
    // One waiting ring says all: fill up.
    (wanted, ring) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    self.clock = clock
    self.random = random
    self.logger = logger
  }

  /// A seed from the reserve, or a new one.
  func take() throws -> TenantSeed {
    let seed = seeds.withLock { $0.popLast() }
    ring.yield()
    return try seed ?? TenantSeed(clock: clock, random: random)
  }

  package func run() async throws {
    ring.yield()
    await cancelWhenGracefulShutdown {
      for await _ in self.wanted {
        while !Task.isCancelled, self.seeds.withLock({ $0.count < Self.countMax }) {
          do {
            let seed = try TenantSeed(clock: self.clock, random: self.random)
            self.seeds.withLock { $0.append(seed) }
          } catch {
            self.logger.error("no tenant seed", metadata: ["error": "\(String(reflecting: error))"])
            break
          }
          await Task.yield()
        }
      }
    }
  }
}
