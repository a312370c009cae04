package import Platform

/// What the pool and its callers count.
struct DatabaseMetrics: Sendable {
  /// Statements outside of transactions, and transactions that committed.
  let answered = Counter()
  let errors = Series(valuesMax: 64) { Counter() }
  let opened = Counter()
  let notOpened = Counter()
  let waits = DurationHistogram(.interactive)
  let refused = Counter()

  /// Counts by the class of the condition, its first two characters; everything that is not Postgres' is no error of it.
  func note(_ error: any Error) {
    guard let error = error as? DatabaseError else { return }
    errors[String(error.sqlState.rawValue.prefix(2))].add()
  }
}

extension Database {
  package var metrics: [MetricFamily] {
    let (pool, counts, most) = (pool, pool.metrics, settings.connectionsMax)
    return [
      .gauge("tenure_database_connections", "Connections that are open, lent or idle.") {
        pool.statistics.open
      },
      .gauge("tenure_database_connections_idle", "Connections that nobody uses right now.") {
        pool.statistics.idle
      },
      .gauge("tenure_database_connections_max", "Connections this process may open.") { most },
      .gauge("tenure_database_waiters", "Callers that wait for a connection.") {
        pool.statistics.waiting
      },
      .durations(
        "tenure_database_wait_seconds",
        "How long callers waited for a connection, of those that did not get one at once.",
        counts.waits),
      .counter(
        "tenure_database_waits_refused_total",
        "Callers that got no connection: too many waited, or for too long.", counts.refused),
      .counter("tenure_database_connections_opened_total", "Connections opened.", counts.opened),
      .counter(
        "tenure_database_connection_failures_total", "Connections that could not be opened.",
        counts.notOpened),
      .counter(
        "tenure_database_transactions_total",
        "Transactions committed, and statements that were one by themselves.", counts.answered),
      .counter(
        "tenure_database_round_trips_total",
        "Answers of Postgres that were waited for; a transaction takes several.", pool.roundTrips),
      .counter(
        "tenure_database_errors_total",
        "Transactions that failed, by class of SQLSTATE; expected conflicts are among them.",
        by: "class", counts.errors),
    ]
  }

  /// How often the database has answered: a number that grows says it is reachable, however busy.
  package var answers: Int { pool.metrics.answered.value }
}
