package import Platform

/// How the database is used; the address is separate because it is secret.
package struct DatabaseSettings: Sendable {
  /// Postgres backends this process may hold, one more for LISTEN aside.
  package var connectionsMax: Int
  /// Callers that may wait for a connection; further ones are refused at once.
  package var waitersMax: Int
  package var waitSeconds: Int
  package var connectSeconds: Int
  /// After this the server cancels a statement; a lost server is noticed five seconds later.
  package var statementSeconds: Int
  package var idleSeconds: Int
  /// Tenants after which a connection is replaced some minutes later (``Wear``): Postgres never shrinks its relation cache.
  package var tenantsPerConnectionMax: Int
  package var preparedStatementsMax: Int
  package var isolation: TenantIsolation

  package init(_ read: inout SettingsReader) {
    connectionsMax = read.value(
      "DATABASE_CONNECTIONS", default: 16, in: 1...1000,
      "Postgres connections this process holds at most.")
    waitersMax = read.value(
      "DATABASE_WAITERS", default: 16_384, in: 1...1_000_000,
      "Callers that may wait for a connection before further ones are refused.")
    waitSeconds = read.value(
      "DATABASE_WAIT_SECONDS", default: 5, in: 1...300, "How long a caller waits for a connection.")
    connectSeconds = read.value(
      "DATABASE_CONNECT_SECONDS", default: 5, in: 1...300, "How long opening a connection may take."
    )
    statementSeconds = read.value(
      "DATABASE_STATEMENT_SECONDS", default: 30, in: 1...86_400, "How long one statement may take.")
    idleSeconds = read.value(
      "DATABASE_IDLE_SECONDS", default: 300, in: 1...86_400,
      "How long an unused connection stays open; one always does.")
    tenantsPerConnectionMax = read.value(
      "DATABASE_TENANTS_PER_CONNECTION", default: 512, in: 1...1_000_000,
      "Organizations after which a connection is replaced, since backends grow with each: five to ten minutes later, or at once after eight times as many."
    )
    preparedStatementsMax = read.value(
      "DATABASE_PREPARED_STATEMENTS", default: 1024, in: 0...100_000,
      "Prepared statements kept on each connection.")
    isolation = read.value(
      "ISOLATION", default: .role,
      "role: each organization's statements run under its own database role; schema: they do not (Citus)."
    )
  }
}

/// What keeps one tenant's statements out of another's schema.
package enum TenantIsolation: String, CaseIterable, SettingValue {
  /// Postgres, by the tenant's own role (design section 3).
  case role
  /// Only the text of the statements, for engines without `SET ROLE`.
  case schema

  package static var settingPlaceholder: TenantIsolation { .role }
}
