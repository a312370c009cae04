import HTTPTypes
import Hummingbird
import Platform

/// Where the forms of a page may lead (CSP `form-action`).
package enum FormTargets: Sendable, Equatable {
  /// Only to this server.
  case ownOrigin
  /// To this server, which then redirects to an application's registered redirect URI.
  ///
  /// Chrome applies `form-action` to every redirect that follows a form, also to those the
  /// application makes afterwards, and stops without a word. An application whose callback leads
  /// to another of its hosts would break if only the callback's origin were listed, so a page of
  /// an authorization flow allows what the verified redirect URI is reached by: `https:`, the
  /// ports of a loopback host, or the scheme of a native application.
  case redirecting(to: String)
  /// To an application's redirect URI, by a form that sends itself.
  ///
  /// Its origin is enough for the form; the application's other origins are for the redirects that
  /// may follow.
  case posting(to: String, origins: [String])

  var sources: String {
    switch self {
    case .ownOrigin: return "'self'"
    case .redirecting(let target): return (["'self'"] + [Self.source(target)]).listed
    case .posting(let target, let origins):
      let sources = [Self.origin(target) ?? Self.source(target)] + origins.map(Self.origin)
      return sources.contains { $0 != nil } ? sources.listed : "'none'"
    }
  }

  /// Scheme, host and port; nil for what a host source cannot name.
  private static func origin(_ target: String) -> String? {
    guard let uri = URIParts(target), ["https", "http"].contains(uri.scheme),
      let host = uri.host, isHost(host), !uri.hasUserInfo
    else { return nil }
    return "\(uri.scheme)://\(host)" + (uri.port.map { ":\($0)" } ?? "")
  }

  private static func source(_ target: String) -> String? {
    guard let colon = target.firstIndex(of: ":") else { return nil }
    let scheme = target[..<colon].lowercased()
    // RFC 3986 section 3.1; nothing else may get into the header.
    guard scheme.first?.isLetter == true,
      scheme.utf8.allSatisfy({ isAlphanumeric($0) || "+-.".utf8.contains($0) })
    else { return nil }
    guard scheme == "http" else { return "\(scheme):" }
    let authority = target[colon...].drop { $0 == ":" || $0 == "/" }.prefix { !"/?#".contains($0) }
    let host = authority.prefix { $0 != ":" }.lowercased()
    return isHost(host) ? "http://\(host):*" : "http:"
  }

  /// A host source cannot name an IPv6 address (CSP Level 3 section 2.3.1).
  private static func isHost(_ host: String) -> Bool {
    !host.isEmpty && host.utf8.allSatisfy { isAlphanumeric($0) || "-.".utf8.contains($0) }
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
      || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }
}

extension [String?] {
  /// As a policy lists sources: each once, between blanks.
  fileprivate var listed: String {
    var listed: [String] = []
    for case let source? in self where !listed.contains(source) { listed.append(source) }
    return listed.joined(separator: " ")
  }
}

/// The headers every answer carries; a response that set one itself keeps it.
struct SecurityHeaders: RouterMiddleware {
  let fields: [HTTPField]

  /// - Parameter isSecure: Whether the server is reached over https, so that browsers may insist
  ///   on it (RFC 6797).
  init(isSecure: Bool) {
    var fields: HTTPFields = [
      .contentSecurityPolicy: Self.contentSecurityPolicy(.ownOrigin),
      .xContentTypeOptions: "nosniff",
      .frameOptions: "DENY",
      // Not `no-referrer`: under that, browsers send `Origin: null` with our own forms.
      .referrerPolicy: "same-origin",
      .resourcePolicy: "same-origin",
      .permissionsPolicy: "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
      .cacheControl: "no-store",
    ]
    if isSecure { fields[.strictTransportSecurity] = "max-age=63072000" }
    self.fields = Array(fields)
  }

  func handle(
    _ request: Request, context: BaseContext,
    next: (Request, BaseContext) async throws -> Response
  ) async throws -> Response {
    var response = try await next(request, context)
    // `frame-ancestors` takes the older header's place (CSP Level 3 section 6.4.2); with both, browsers
    // that know only the older one would refuse what may be framed.
    let isFramable =
      response.headers[.contentSecurityPolicy]?.contains("frame-ancestors *") ?? false
    for field in fields where !response.headers.contains(field.name) {
      if isFramable, field.name == .frameOptions { continue }
      response.headers.append(field)
    }
    return response
  }

  /// The policy of a page (CSP Level 3): nothing from elsewhere but frames and the image it names, and no
  /// script but the one the page is made with.
  static func contentSecurityPolicy(
    _ targets: FormTargets, script: InlineScript? = nil, image: ForeignImage? = nil,
    frames: [String] = []
  ) -> String {
    let scripts = script.map { " script-src \($0.source);" } ?? ""
    let images = image.map { " \($0.source)" } ?? ""
    let frames = frames.isEmpty ? "" : "frame-src \(frames.joined(separator: " ")); "
    return """
      default-src 'none'; style-src 'self';\(scripts) img-src 'self' data:\(images); \(frames)\
      form-action \(targets.sources); frame-ancestors 'none'; base-uri 'none'
      """
  }
}
