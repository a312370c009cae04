package import HTTPTypes
package import Hummingbird
package import Platform

/// A cookie of ours: its name on the wire and what it is bound to.
///
/// Over https names carry the prefixes that browsers enforce (RFC 6265bis section 4.1.3): `__Host-` for
/// a cookie of the whole host, `__Secure-` for one of a path. Over http, for development, plain names.
package struct CookieName: Sendable, Hashable {
  package let name: String
  package let path: String
  let isSecure: Bool
  let readers: CookieReaders

  package init(
    _ base: String, path: String, of server: BaseURL, readers: CookieReaders = .server
  ) {
    isSecure = server.isSecure
    self.readers = readers
    self.path = path
    let prefix = !server.isSecure ? "" : path == "/" ? "__Host-" : "__Secure-"
    name = prefix + base
  }

  /// A `Set-Cookie` that stores a value; nil `maxAgeSeconds` lasts as long as the browser runs.
  package func set(_ value: String, maxAgeSeconds: Int? = nil) -> SetCookie {
    SetCookie(name: self, value: value, maxAgeSeconds: maxAgeSeconds)
  }

  /// A `Set-Cookie` that removes the cookie.
  package var removal: SetCookie { self.set("", maxAgeSeconds: 0) }
}

/// Who gets to see a cookie.
package enum CookieReaders: Sendable, Hashable {
  /// Only this server: HttpOnly and SameSite=Lax.
  ///
  /// Lax, not Strict: a browser that comes back from an application must bring its session along.
  case server
  /// Scripts of ours, too, also in a page that an application frames; nothing secret, therefore.
  ///
  /// Browsers take SameSite=None over https only (RFC 6265bis section 5.7).
  case framedScripts
}

/// A `Set-Cookie` header.
package struct SetCookie: Sendable, Hashable {
  package let name: CookieName
  let value: String
  let maxAgeSeconds: Int?

  package var field: HTTPField {
    var text = "\(name.name)=\(value); Path=\(name.path)"
    if let maxAgeSeconds { text += "; Max-Age=\(maxAgeSeconds)" }
    switch name.readers {
    case .server: text += "; HttpOnly; SameSite=Lax"
    case .framedScripts: text += name.isSecure ? "; SameSite=None" : "; SameSite=Lax"
    }
    if name.isSecure { text += "; Secure" }
    return HTTPField(name: .setCookie, value: text)
  }
}

extension Request {
  /// The value of a cookie; nil when it is absent, empty or longer than any of ours.
  package func cookie(_ cookie: CookieName) -> String? {
    for header in headers[values: .cookie] {
      for pair in Array(header.utf8).split(separator: UInt8(ascii: ";")) {
        let pair = pair.drop { $0 == UInt8(ascii: " ") }
        let rest = pair.dropFirst(cookie.name.utf8.count)
        guard pair.starts(with: cookie.name.utf8), rest.first == UInt8(ascii: "=") else { continue }
        let value = rest.dropFirst()
        return value.isEmpty || value.count > 4096 ? nil : String(decoding: value, as: UTF8.self)
      }
    }
    return nil
  }
}
