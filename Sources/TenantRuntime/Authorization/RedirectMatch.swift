/// Whether a redirect URI of a request is one that its client registered.
///
/// Comparison is by exact string (OAuth 2.1 section 2.3.1), with one exception: a native
/// application on the loopback interface picks its port at run time (RFC 8252 section 7.3).
enum RedirectMatch {
  static func matches(_ requested: String, registered: [String], isNative: Bool) -> Bool {
    if registered.contains(requested) { return true }
    guard isNative, let loopback = LoopbackURI(requested) else { return false }
    return registered.contains { LoopbackURI($0)?.withoutPort == loopback.withoutPort }
  }
}

/// An `http` URI on the loopback interface, taken apart so that the port can be left out.
struct LoopbackURI: Equatable {
  let host: String
  let port: Int?
  /// Path and query as written.
  let rest: String

  var withoutPort: LoopbackURI { LoopbackURI(host: host, port: nil, rest: rest) }

  private init(host: String, port: Int?, rest: String) {
    self.host = host
    self.port = port
    self.rest = rest
  }

  init?(_ text: String) {
    guard text.hasPrefix("http://") else { return nil }
    let afterScheme = text.dropFirst("http://".count)
    guard
      let host = ["127.0.0.1", "[::1]", "localhost"].first(where: { afterScheme.hasPrefix($0) })
    else { return nil }
    var remainder = afterScheme.dropFirst(host.count)
    var port: Int?
    if remainder.first == ":" {
      let digits = remainder.dropFirst().prefix { $0.isASCII && $0.isNumber }
      guard let number = Int(digits), (1...65535).contains(number) else { return nil }
      port = number
      remainder = remainder.dropFirst(digits.count + 1)
    }
    // What follows must be a path or a query, or "localhost.evil.example" would pass for the loopback.
    guard remainder.isEmpty || remainder.first == "/" || remainder.first == "?" else { return nil }
    self.init(host: host, port: port, rest: String(remainder))
  }
}
