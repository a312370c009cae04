import FoundationEssentials
package import Platform

/// Where Redis is and who we are there.
package struct RedisAddress: Sendable {
  enum Endpoint: Sendable, Hashable {
    case tcp(host: String, port: Int)
    case unix(path: String)
  }

  let endpoint: Endpoint
  let username: String?
  let password: Secret<String>?
  let database: Int

  /// Parses `redis://[user][:password]@host[:port][/db]` and `redis+unix://[user][:password]@/path[?db=n]`.
  ///
  /// The first is the provisional IANA registration of the scheme; the second is what redis-rs and others understand.
  package init(_ url: Secret<String>) throws(SettingRefusal) {
    guard let parts = URLComponents(string: url.reveal()) else { throw Self.malformed }
    guard parts.fragment == nil else { throw Self.malformed }
    username = parts.user.flatMap { $0.isEmpty ? nil : $0 }
    password = parts.password.flatMap { $0.isEmpty ? nil : Secret($0) }
    // AUTH has no form for a name alone.
    guard username == nil || password != nil else { throw Self.malformed }
    switch parts.scheme {
    case "redis":
      guard let host = parts.host, !host.isEmpty, parts.query == nil else { throw Self.malformed }
      let port = parts.port ?? 6379
      guard (1...65535).contains(port) else { throw Self.malformed }
      let isLiteral = host.hasPrefix("[") && host.hasSuffix("]")
      endpoint = .tcp(host: isLiteral ? String(host.dropFirst().dropLast()) : host, port: port)
      database = try Self.database(parts.path == "/" ? "" : String(parts.path.dropFirst()))
    case "redis+unix", "unix":
      guard parts.host?.isEmpty ?? true, parts.port == nil, parts.path.utf8.count > 1,
        !parts.path.hasSuffix("/")
      else { throw Self.malformed }
      endpoint = .unix(path: parts.path)
      let items = parts.queryItems ?? []
      guard items.allSatisfy({ $0.name == "db" }), items.count <= 1 else { throw Self.malformed }
      database = try Self.database(items.first?.value ?? "")
    case "rediss":
      throw SettingRefusal("without TLS: rediss:// is not supported yet")
    default:
      throw Self.malformed
    }
  }

  private static let malformed = SettingRefusal(
    "redis://[user:password@]host[:port][/db] or redis+unix:///path[?db=n]")

  private static func database(_ text: String) throws(SettingRefusal) -> Int {
    if text.isEmpty { return 0 }
    guard let number = Int(text), (0...65535).contains(number), String(number) == text else {
      throw malformed
    }
    return number
  }

  /// For the log: no credentials.
  var label: String {
    switch endpoint {
    case .tcp(let host, let port): "\(host):\(port)/\(database)"
    case .unix(let path): "\(path)/\(database)"
    }
  }
}
