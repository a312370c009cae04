package import Platform

/// Where the server listens and what it puts up with.
package struct WebSettings: Sendable {
  package var address: String
  package var port: Int
  /// The address users and applications see; the issuer of every organization begins with it.
  package var baseURL: BaseURL
  package var idleSecondsMax: Int
  package var headerBytesMax: Int
  package var connectionsMax: Int
  /// Organizations with request counters of their own.
  package var metricsTenantsMax: Int
  /// A body beyond this is not even read to the end: the connection is closed.
  package var bodyBytesMax: Int

  package init(_ read: inout SettingsReader) {
    address = read.value("HTTP_ADDRESS", default: "127.0.0.1", "Address the server binds.")
    port = read.value(
      "HTTP_PORT", default: 8080, in: 0...65535, "Port the server binds; 0 picks a free one.")
    baseURL = read.value(
      "BASE_URL", default: "http://localhost:8080",
      "Address users and applications see: scheme, host and port.")
    idleSecondsMax = read.value(
      "HTTP_IDLE_SECONDS", default: 30, in: 1...3600,
      "Seconds a connection may stay silent, headers included, before it is closed.")
    headerBytesMax = read.value(
      "HTTP_HEADER_BYTES", default: 32 * 1024, in: 4096...1_048_576,
      "Bytes all headers of a request may have.")
    connectionsMax = read.value(
      "HTTP_CONNECTIONS", default: 10_000, in: 1...1_000_000,
      "Connections served at the same time; more wait to be accepted.")
    metricsTenantsMax = read.value(
      "METRICS_TENANTS", default: 200, in: 0...100_000,
      "Organizations whose requests are counted one by one; those that come later are counted together."
    )
    bodyBytesMax = 8 * 1024 * 1024
  }
}
