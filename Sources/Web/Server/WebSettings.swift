import NIOCore
package import Platform

/// Where the server listens and what it puts up with.
package struct WebSettings: Sendable {
  package var address: String
  package var port: Int
  /// The address users and applications see; the issuer of every organization begins with it.
  package var baseURL: BaseURL
  package var idleSecondsMax: Int
  package var headerBytesMax: Int
  package var headerCountMax: Int
  package var connectionsMax: Int
  package var connectionsPerAddressMax: Cap
  package var headSecondsMax: Int
  package var bodySecondsMax: Int
  package var answerSecondsMax: Int
  package var drainSecondsMax: Int
  package var drainDelaySeconds: Int
  package var queueMilliseconds: Cap
  package var otherHosts: [String]
  package var proxies: TrustedProxies
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
      "HTTP_IDLE_SECONDS", default: 75, in: 1...3600,
      "Seconds a connection may stay silent between requests; more than the proxies before it keep theirs, or they send into a closed one."
    )
    headSecondsMax = read.value(
      "HTTP_HEAD_SECONDS", default: 10, in: 1...3600,
      "Seconds from the first byte of a request to the end of its headers.")
    bodySecondsMax = read.value(
      "HTTP_BODY_SECONDS", default: 30, in: 1...3600, "Seconds a request body may take to arrive.")
    answerSecondsMax = read.value(
      "HTTP_ANSWER_SECONDS", default: 60, in: 1...3600,
      "Seconds until an answer begins; then the request is cancelled and answered with 503.")
    headerBytesMax = read.value(
      "HTTP_HEADER_BYTES", default: 32 * 1024, in: 4096...1_048_576,
      "Bytes all headers of a request may have.")
    headerCountMax = read.value(
      "HTTP_HEADER_COUNT", default: 100, in: 10...10_000, "Headers a request may have.")
    connectionsMax = read.value(
      "HTTP_CONNECTIONS", default: 10_000, in: 1...1_000_000,
      "Connections served at the same time; more wait to be accepted.")
    connectionsPerAddressMax = read.value(
      "HTTP_CONNECTIONS_PER_ADDRESS", default: Cap.at(500),
      "Connections of one client address (an IPv6 /64), trusted proxies excepted; more are closed.")
    queueMilliseconds = read.value(
      "HTTP_QUEUE_MILLISECONDS", default: Cap.at(1000),
      "How long requests may stand in line, here or for the database, before new ones get 503.")
    otherHosts = read.value(
      "HTTP_HOSTS", default: [String](),
      "Further host names that requests may be for, beside that of the base URL.")
    proxies = TrustedProxies(
      read.value(
        "TRUSTED_PROXIES", default: [AddressBlock](),
        "Addresses of the proxies in front, such as 10.0.0.0/8; only they may say whom they forward for."
      ),
      header: read.value(
        "TRUSTED_PROXY_HEADER", default: ForwardingHeader.xForwardedFor,
        "The header in which they say it; the other one is ignored."))
    drainDelaySeconds = read.value(
      "SHUTDOWN_DELAY_SECONDS", default: 5, in: 0...600,
      "Seconds between SIGTERM and the end of listening, for load balancers to notice.")
    drainSecondsMax = read.value(
      "SHUTDOWN_DRAIN_SECONDS", default: 30, in: 1...3600,
      "Seconds that requests under way have to finish after that.")
    bodyBytesMax = read.value(
      "HTTP_BODY_BYTES", default: 8 * 1024 * 1024, in: 65_536...1_073_741_824,
      "Bytes of a body that are read at all; endpoints take less.")
    metricsTenantsMax = read.value(
      "METRICS_TENANTS", default: 200, in: 0...100_000,
      "Organizations whose requests are counted one by one; those that come later are counted together."
    )
  }
}

extension WebSettings {
  var connectionLimits: ConnectionLimits {
    ConnectionLimits(
      idle: .seconds(Int64(idleSecondsMax)), head: .seconds(Int64(headSecondsMax)),
      body: .seconds(Int64(bodySecondsMax)), answer: .seconds(Int64(answerSecondsMax)),
      drain: .seconds(Int64(drainSecondsMax)), headerBytes: headerBytesMax)
  }
}
