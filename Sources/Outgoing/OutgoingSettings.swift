import NIOSSL
package import Platform

/// Limits of outgoing requests, and what the operator vouches for.
package struct OutgoingSettings: Sendable {
  package let addresses: AddressPolicy
  package let connectSeconds: Int
  package let timeoutSeconds: Int
  package let concurrency: Int
  package let concurrencyPerOrganization: Int
  package let concurrencyPerHost: Int
  let breaker: CircuitBreaker
  let authorities: [NIOSSLCertificate]

  package init(_ read: inout SettingsReader) {
    let allowed: [OutgoingDestination] = read.value(
      "OUTGOING_ALLOWED_DESTINATIONS", default: [],
      "Hosts and networks that requests to addresses chosen by others (keys of clients, request objects, logout, webhooks) may reach although private, on any port and over plain HTTP: `hooks.internal,10.1.0.0/16`."
    )
    let ports: [Int] = read.value(
      "OUTGOING_PORTS", default: [443, 8443],
      "Ports such requests may ask at every other destination, over HTTPS.")
    if !ports.allSatisfy((1...65535).contains) {
      read.problem("OUTGOING_PORTS", "must be 1 to 65535 each")
    }
    addresses = AddressPolicy(allowed: allowed, ports: Set(ports))
    connectSeconds = read.value(
      "OUTGOING_CONNECT_SECONDS", default: 3, in: 1...60,
      "How long finding a host, and then connecting to it, may each take.")
    timeoutSeconds = read.value(
      "OUTGOING_TIMEOUT_SECONDS", default: 10, in: 1...300,
      "How long an outgoing request may take, its answer included.")
    concurrency = read.value(
      "OUTGOING_CONCURRENCY", default: 256, in: 1...10_000,
      "Outgoing requests of this process at a time; more are refused.")
    concurrencyPerOrganization = read.value(
      "OUTGOING_CONCURRENCY_PER_ORGANIZATION", default: 32, in: 1...10_000,
      "Outgoing requests of one organization at a time.")
    concurrencyPerHost = read.value(
      "OUTGOING_CONCURRENCY_PER_HOST", default: 16, in: 1...10_000,
      "Outgoing requests of one organization to one host at a time.")
    breaker = CircuitBreaker(
      failuresMax: read.value(
        "OUTGOING_FAILURES_MAX", default: 5, in: 1...1000,
        "Failures in a row after which a host is left alone for a while."),
      pauseSeconds: read.value(
        "OUTGOING_PAUSE_SECONDS", default: 30, in: 1...3600, "How long it is left alone."))
    let authorityFile: FilePath? = read.optional(
      "OUTGOING_CA_FILE",
      "PEM certificates of authorities that outgoing requests trust beside the system's.")
    var authorities: [NIOSSLCertificate] = []
    if let authorityFile {
      do {
        authorities = try NIOSSLCertificate.fromPEMFile(authorityFile.text)
      } catch {
        read.problem("OUTGOING_CA_FILE", "must name a readable file of PEM certificates")
      }
    }
    self.authorities = authorities
  }
}
