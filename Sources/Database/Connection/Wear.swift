/// What serving organizations has left in a backend, and when it is time for a new one.
///
/// Postgres never shrinks its catalogue caches. But a successor has to read them anew, for each organization that is at home on the
/// connection: some milliseconds of processor each. So it is not worth it every time that a bound is reached, which a connection that
/// writes the events of many does in seconds; and connections that pass it together must not be replaced together, since those
/// that are left would serve organizations that are not theirs and be worn sooner (decision 0016).
struct Wear {
  /// Organizations served so far.
  private var tenants: Set<TenantSchema> = []
  private var beginnings = 0
  private let tenantsMax: Int
  /// In nanoseconds, how long it goes on after it has served more than it should.
  private let grace: UInt64
  /// In `Monotonic` time; nil until it has served more than it should.
  private var graceEnds: UInt64?

  /// What one beginning counts as (our policy).
  private static let tenantsPerBeginning = 8
  /// After so many times the bound it does not go on.
  private static let excess = 8
  /// The shortest grace; as much again as chance has it.
  private static let graceMin: UInt64 = 300_000_000_000

  init(tenantsMax: Int, chance: UInt64) {
    self.tenantsMax = tenantsMax
    grace = Self.graceMin + chance % Self.graceMin
  }

  mutating func serve(_ schema: TenantSchema, now: @autoclosure () -> UInt64) {
    tenants.insert(schema)
    if graceEnds == nil, tenants.count > tenantsMax { graceEnds = now() + grace }
  }

  /// Notes an organization that was made here or got its first rows.
  ///
  /// Postgres keeps a plan for every foreign key that first rows are checked for, and looks through all that a connection has
  /// whenever anybody makes a table (decision 0008).
  mutating func begin() { beginnings += 1 }

  /// Whether the next user should get a fresh connection instead.
  func isSpent(now: @autoclosure () -> UInt64) -> Bool {
    if beginnings * Self.tenantsPerBeginning > tenantsMax { return true }
    guard let graceEnds else { return false }
    return tenants.count > tenantsMax * Self.excess || now() > graceEnds
  }
}
