import Cryptography
import Platform
import Tenancy
import Web

/// Makes the guard of a tenant's forms: keyed by the tenant, so that a form of one can't be sent to another.
struct FormGuards: Sendable {
  let server: BaseURL
  let random: RandomSource

  func guarding(_ tenant: Tenant) -> FormGuard {
    FormGuard(key: tenant.key.macKey(.form), server: server, random: random)
  }
}
