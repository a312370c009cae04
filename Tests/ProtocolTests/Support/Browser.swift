import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Platform
import Synchronization

/// One answer, whole.
struct Reply: Sendable, CustomStringConvertible {
  let status: Int
  let headers: HTTPHeaders
  let body: [UInt8]

  var text: String { String(decoding: body, as: UTF8.self) }
  var json: JSON {
    (try? JSON.parse(body, limits: JSONLimits(depth: 64, bytes: 16 << 20))) ?? .null
  }
  var location: String? { headers.first(name: "location") }
  var contentType: String? { headers.first(name: "content-type") }
  var description: String { "\(status) \(headers)\n\(text.prefix(2000))" }

  /// A parameter of the address it redirects to.
  func locationParameter(_ name: String) -> String? {
    location.flatMap { URLComponents(string: $0)?.queryItems?.first { $0.name == name }?.value }
  }
}

/// Plain requests, without cookies and without following redirects.
enum HTTP {
  /// Follows nothing: a redirect is an answer to look at.
  private static let client = HTTPClient(
    eventLoopGroupProvider: .singleton,
    configuration: {
      var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
      configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 64
      configuration.decompression = .disabled
      return configuration
    }())

  static func send(
    _ method: HTTPMethod, _ url: String, headers: [(String, String)] = [], body: [UInt8]? = nil
  ) async throws -> Reply {
    var request = HTTPClientRequest(url: url)
    request.method = method
    for (name, value) in headers { request.headers.add(name: name, value: value) }
    if let body { request.body = .bytes(ByteBuffer(bytes: body)) }
    if let tap = Wiretap.current { request.headers.add(name: "user-agent", value: tap.userAgent) }
    let response = try await client.execute(request, timeout: .seconds(120))
    let collected = try await response.body.collect(upTo: 256 << 20)
    let reply = Reply(
      status: Int(response.status.code), headers: response.headers,
      body: [UInt8](collected.readableBytesView))
    Wiretap.current?.hear(request, body: body, reply)
    return reply
  }

  static func get(_ url: String, headers: [(String, String)] = []) async throws -> Reply {
    try await send(.GET, url, headers: headers)
  }

  static func post(form: [(String, String)], to url: String, headers: [(String, String)] = [])
    async throws -> Reply
  {
    try await send(
      .POST, url, headers: headers + [("content-type", "application/x-www-form-urlencoded")],
      body: Array(encode(form).utf8))
  }

  static func encode(_ pairs: [(String, String)]) -> String {
    pairs.map { "\(escape($0))=\(escape($1))" }.joined(separator: "&")
  }

  static func escape(_ text: String) -> String {
    let unreserved = CharacterSet(
      charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
    return text.addingPercentEncoding(withAllowedCharacters: unreserved) ?? ""
  }
}

/// A form of a page, as a browser without JavaScript sees it.
struct PageForm: Sendable {
  let action: String
  let method: String
  /// Inputs that are sent as they stand: hidden ones and ticked boxes.
  let values: [(String, String)]
  /// The submitting buttons by id: name and value.
  let buttons: [String: (String, String)]
  let html: String
}

/// A person's browser without JavaScript: it keeps cookies by path and submits the forms of pages.
final class Browser: Sendable {
  private struct Cookie {
    let name: String
    let value: String
    let path: String
    let isForScripts: Bool
  }

  private let cookies = Mutex<[Cookie]>([])

  /// What a cookie of that name prefix holds, for tests that misuse it.
  func cookieHeader(for url: String) -> String? {
    let pairs = pairs(for: url) { _ in true }
    return pairs.isEmpty ? nil : pairs.joined(separator: "; ")
  }

  /// What a script of that page finds in `document.cookie`.
  func scriptCookies(for url: String) -> String {
    pairs(for: url) { $0.isForScripts }.joined(separator: "; ")
  }

  private func pairs(for url: String, _ isVisible: (Cookie) -> Bool) -> [String] {
    let path = URLComponents(string: url)?.path ?? "/"
    return cookies.withLock { jar in
      jar.filter {
        path == $0.path || path.hasPrefix($0.path.hasSuffix("/") ? $0.path : $0.path + "/")
      }
      .filter(isVisible).map { "\($0.name)=\($0.value)" }
    }
  }

  func forget() { cookies.withLock { $0.removeAll() } }

  func send(
    _ method: HTTPMethod, _ url: String, headers: [(String, String)] = [], body: [UInt8]? = nil
  ) async throws -> Reply {
    var headers = headers
    if let cookie = cookieHeader(for: url) { headers.append(("cookie", cookie)) }
    let reply = try await HTTP.send(method, url, headers: headers, body: body)
    for line in reply.headers["set-cookie"] { keep(line, from: url) }
    return reply
  }

  func get(_ url: String) async throws -> Reply { try await send(.GET, url) }

  /// Opens an address and follows redirects while they stay on the server; a redirect elsewhere (to
  /// an application) is the answer.
  func open(_ url: String) async throws -> (url: String, reply: Reply) {
    try await follow(try await get(url), from: url)
  }

  /// Fills in a form of the page and presses a button.
  func submit(
    _ reply: Reply, at url: String, fill: [(String, String)] = [], press button: String? = nil
  ) async throws -> (url: String, reply: Reply) {
    guard
      let form = Self.forms(reply.text).first(where: { form in
        button.map { form.buttons[$0] != nil } ?? true
      })
    else { throw TestFailure("No form with the button \(button ?? "-") on \(url): \(reply)") }
    var values = form.values.filter { value in !fill.contains { $0.0 == value.0 } } + fill
    if let button, let pair = form.buttons[button], !pair.0.isEmpty { values.append(pair) }
    let target = URL(string: form.action, relativeTo: URL(string: url))?.absoluteString ?? url
    let headers = [
      ("content-type", "application/x-www-form-urlencoded"), ("origin", Self.origin(of: url)),
    ]
    let answer = try await send(
      .POST, target, headers: headers, body: Array(HTTP.encode(values).utf8))
    return try await follow(answer, from: target)
  }

  private func follow(_ reply: Reply, from url: String) async throws -> (url: String, reply: Reply)
  {
    var (url, reply) = (url, reply)
    for _ in 0..<10 {
      guard (300..<400).contains(reply.status), let location = reply.location,
        let next = URL(string: location, relativeTo: URL(string: url))?.absoluteString,
        Self.origin(of: next) == Self.origin(of: url)
      else { return (url, reply) }
      url = next
      reply = try await get(url)
    }
    throw TestFailure("Too many redirects at \(url)")
  }

  private func keep(_ line: String, from url: String) {
    let parts = line.split(separator: ";").map { $0.trimmingCharacters(in: .whitespaces) }
    guard
      let pair = parts.first?.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false),
      pair.count == 2
    else { return }
    let attributes = parts.dropFirst().map { $0.lowercased() }
    let path =
      parts.first { $0.lowercased().hasPrefix("path=") }.map { String($0.dropFirst(5)) } ?? "/"
    let gone = attributes.contains("max-age=0")
    cookies.withLock { jar in
      jar.removeAll { $0.name == pair[0] && $0.path == path }
      guard !gone else { return }
      jar.append(
        Cookie(
          name: String(pair[0]), value: String(pair[1]), path: path,
          isForScripts: !attributes.contains("httponly")))
    }
  }

  static func origin(of url: String) -> String {
    guard let parts = URLComponents(string: url), let scheme = parts.scheme, let host = parts.host
    else { return "" }
    return "\(scheme)://\(host)\(parts.port.map { ":\($0)" } ?? "")"
  }

  // MARK: Reading pages

  static func forms(_ html: String) -> [PageForm] {
    html.matches(of: /(?s)<form\b([^>]*)>(.*?)<\/form>/).map { match in
      let attributes = Self.attributes(String(match.1))
      let inner = String(match.2)
      let inputs = inner.matches(of: /<input\b([^>]*)>/).map { Self.attributes(String($0.1)) }
      let values = inputs.compactMap { input -> (String, String)? in
        guard let name = input["name"] else { return nil }
        switch input["type"] {
        case "checkbox", "radio":
          return input["checked"] == nil ? nil : (name, input["value"] ?? "on")
        case "submit": return nil
        default: return (name, input["value"] ?? "")
        }
      }
      var buttons: [String: (String, String)] = [:]
      for button in inner.matches(of: /<button\b([^>]*)>/).map({ Self.attributes(String($0.1)) }) {
        buttons[button["id"] ?? ""] = (button["name"] ?? "", button["value"] ?? "")
      }
      return PageForm(
        action: attributes["action"] ?? "", method: attributes["method"] ?? "get", values: values,
        buttons: buttons, html: inner)
    }
  }

  private static func attributes(_ text: String) -> [String: String] {
    var attributes: [String: String] = [:]
    for match in text.matches(of: /([a-zA-Z-]+)(?:="([^"]*)")?/) {
      attributes[String(match.1).lowercased()] = unescape(String(match.2 ?? ""))
    }
    return attributes
  }

  private static func unescape(_ text: String) -> String {
    [
      ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&#x2F;", "/"),
      ("&#x3D;", "="), ("&amp;", "&"),
    ]
    .reduce(text) { $0.replacingOccurrences(of: $1.0, with: $1.1) }
  }
}
