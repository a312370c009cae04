import Platform

/// Which browser applications are a client's (Fetch section 3.2).
extension ClientMetadata {
  /// The origins whose scripts may read answers to this client.
  package var origins: [String] {
    allowedOrigins + redirectURIs.compactMap { Self.origin(of: $0) }
  }

  func checkOrigins(_ read: inout ObjectReader) {
    for origin in allowedOrigins where Self.origin(of: origin) != origin {
      read.refuse(
        "allowed_origins",
        "has an entry that is not an origin such as https://app.example.com, in lower case")
    }
  }

  /// The origin of a web address (RFC 6454 section 6.2); nil for what no browser shows as one.
  static func origin(of text: String) -> String? {
    guard let uri = URIParts(text), let host = uri.host, !uri.hasUserInfo,
      uri.scheme == "https" || (uri.scheme == "http" && uri.isLoopback)
    else { return nil }
    let name = host.contains(":") ? "[\(host)]" : host
    guard let port = uri.port, port != (uri.scheme == "https" ? 443 : 80) else {
      return "\(uri.scheme)://\(name)"
    }
    return "\(uri.scheme)://\(name):\(port)"
  }
}
