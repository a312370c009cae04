import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Platform

/// One request to a server on this machine: sent by us while things are set up, and by wrk as load.
struct HTTPRequest: Sendable {
  var method: HTTPMethod
  var path: String
  var headers: [(String, String)] = []
  var body = ""

  static func get(_ path: String, headers: [(String, String)] = []) -> HTTPRequest {
    HTTPRequest(method: .GET, path: path, headers: headers)
  }

  static func post(
    _ path: String, form: [(String, String)], headers: [(String, String)] = []
  ) -> HTTPRequest {
    HTTPRequest(
      method: .POST, path: path,
      headers: headers + [("Content-Type", "application/x-www-form-urlencoded")],
      body: Form.encode(form))
  }

  /// The bytes of RFC 9112 section 2.1.
  func wire(port: Int) -> String {
    var text = "\(method.rawValue) \(path) HTTP/1.1\r\nHost: localhost:\(port)\r\n"
    for (name, value) in headers { text += "\(name): \(value)\r\n" }
    if method != .GET { text += "Content-Length: \(body.utf8.count)\r\n" }
    return text + "\r\n" + body
  }
}

/// `application/x-www-form-urlencoded`, from both sides.
enum Form {
  static func encode(_ pairs: [(String, String)]) -> String {
    pairs.map { "\(escape($0))=\(escape($1))" }.joined(separator: "&")
  }

  static func escape(_ text: String) -> String {
    let unreserved = CharacterSet(
      charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
    return text.addingPercentEncoding(withAllowedCharacters: unreserved) ?? ""
  }

  /// `client_secret_basic` (RFC 6749 section 2.3.1).
  static func basic(_ id: String, _ secret: String) -> (String, String) {
    let pair = Data("\(escape(id)):\(escape(secret))".utf8)
    return ("Authorization", "Basic \(pair.base64EncodedString())")
  }
}

/// One answer, whole.
struct HTTPReply: Sendable {
  let request: String
  let status: Int
  let headers: HTTPHeaders
  let body: [UInt8]
  let text: String
  var json: JSON { (try? JSON.parse(body, limits: .request)) ?? .null }
  var location: String? { headers.first(name: "location") }

  /// A parameter of the address it redirects to.
  func locationParameter(_ name: String) -> String? {
    location.flatMap { URLComponents(string: $0)?.queryItems?.first { $0.name == name }?.value }
  }

  /// The value of a hidden field of its form.
  func hidden(_ name: String) -> String? {
    guard let field = text.firstRange(of: "name=\"\(name)\" value=\""),
      case let rest = text[field.upperBound...], let end = rest.firstIndex(of: "\"")
    else { return nil }
    return String(rest[..<end]).replacing("&amp;", with: "&")
  }

  /// Cookies it sets, as the browser would send them: `name=value`.
  var cookies: [String] {
    headers["set-cookie"].compactMap { $0.split(separator: ";").first.map(String.init) }
  }

  @discardableResult
  func require(_ status: Int) throws -> HTTPReply {
    guard self.status == status else {
      throw BenchFailure("\(request) answered \(self.status): \(text.prefix(300))")
    }
    return self
  }

  /// A member of its document that must be text.
  func member(_ name: String) throws -> String {
    guard let value = json[name]?.stringValue else {
      throw BenchFailure("\(request) answered without \(name): \(text.prefix(300))")
    }
    return value
  }
}

/// Requests one at a time, for setting up and for looking whether answers are right.
enum HTTP {
  private static let client = HTTPClient(
    eventLoopGroupProvider: .singleton,
    configuration: HTTPClient.Configuration(redirectConfiguration: .disallow))

  static func send(_ request: HTTPRequest, at port: Int) async throws -> HTTPReply {
    var outgoing = HTTPClientRequest(url: "http://localhost:\(port)\(request.path)")
    outgoing.method = request.method
    for (name, value) in request.headers { outgoing.headers.add(name: name, value: value) }
    if request.method != .GET { outgoing.body = .bytes(ByteBuffer(string: request.body)) }
    let response = try await client.execute(outgoing, timeout: .seconds(60))
    let body = try await response.body.collect(upTo: 16 << 20)
    return HTTPReply(
      request: "\(request.method.rawValue) \(request.path.prefix { $0 != "?" })",
      status: Int(response.status.code), headers: response.headers,
      body: [UInt8](body.readableBytesView), text: String(buffer: body))
  }
}
