package import Database
import Platform

/// What changed in a way other processes have to know: the payload of NOTIFY `tenure_changed`.
package enum TenancyChange: Sendable, Hashable {
  /// `<organization id>`: anything about the organization itself; everything cached of it is void.
  case tenant(TenantID)
  /// `<organization id> client <id>`.
  case client(TenantID, ClientID)
  /// `<organization id> keys`: signing keys.
  case keys(TenantID)

  package static let channel: Identifier = "tenure_changed"

  package init?(_ payload: String) {
    let parts = payload.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
    guard let tenant = parts.first.flatMap(TenantID.init) else { return nil }
    switch (parts.count, parts.dropFirst().first) {
    case (1, _): self = .tenant(tenant)
    case (2, "keys"): self = .keys(tenant)
    case (3, "client"):
      guard let client = ClientID(parts[2]) else { return nil }
      self = .client(tenant, client)
    default: return nil
    }
  }

  package var payload: String {
    switch self {
    case .tenant(let tenant): tenant.description
    case .client(let tenant, let client): "\(tenant) client \(client)"
    case .keys(let tenant): "\(tenant) keys"
    }
  }

  /// Announces the change when the transaction commits, and only then.
  package func announce(in tx: Transaction) async throws {
    try await tx.run(Notify(Self.channel, payload))
  }
}

/// Drops from the caches what other processes have changed.
struct ChangeListener: Sendable {
  let directory: TenantDirectory
  let clients: ClientStore
  let keys: SigningKeyRing
  let feed: ChangeFeed

  /// What was missed while nobody listened is unknown, so everything goes.
  func handle(_ event: ListenerEvent) {
    switch event {
    case .connected:
      feed.isListening = true
      forgetAll()
    case .lost:
      feed.isListening = false
      forgetAll()
    case .notification(_, let payload):
      switch TenancyChange(payload) {
      case .tenant(let tenant):
        directory.forget(tenant)
        clients.forgetAll(of: tenant)
        keys.forget(tenant)
      case .client(let tenant, let client): clients.forget(client, of: tenant)
      case .keys(let tenant): keys.forget(tenant)
      // A newer version may announce what this one does not know.
      case nil: forgetAll()
      }
    }
  }

  private func forgetAll() {
    directory.forgetAll()
    clients.forgetAll()
    keys.forgetAll()
  }
}
