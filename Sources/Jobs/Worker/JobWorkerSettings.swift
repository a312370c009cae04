package import Platform

/// How a worker works.
package struct JobWorkerSettings: Sendable {
  package let limits: JobLimits
  package let leaseSeconds: Double
  package let heartbeatSeconds: Double
  package let pollSeconds: Double
  package let drainSeconds: Double
  package let backoff: JobBackoff

  package init(
    limits: JobLimits, leaseSeconds: Double, heartbeatSeconds: Double, pollSeconds: Double,
    drainSeconds: Double, backoff: JobBackoff
  ) {
    self.limits = limits
    self.leaseSeconds = leaseSeconds
    self.heartbeatSeconds = heartbeatSeconds
    self.pollSeconds = pollSeconds
    self.drainSeconds = drainSeconds
    self.backoff = backoff
  }

  /// What depends on the machine are settings; the other times belong together and are our policy.
  package init(_ read: inout SettingsReader) {
    let slots = read.value(
      "JOB_SLOTS", default: 16, in: 1...1000, "Jobs that one process runs at the same time.")
    let leaseSeconds = read.value(
      "JOB_LEASE_SECONDS", default: 30, in: 1...600,
      "How long after a worker's last sign of life another one takes its jobs over.")
    self.init(
      limits: JobLimits(slots: slots, claimMax: 500, unsettledMax: 4000),
      leaseSeconds: Double(leaseSeconds), heartbeatSeconds: Double(leaseSeconds) / 3,
      pollSeconds: 2, drainSeconds: 10, backoff: JobBackoff(firstSeconds: 2, maxSeconds: 3600))
  }
}
