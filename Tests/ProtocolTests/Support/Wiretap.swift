import AsyncHTTPClient
import Foundation
import NIOHTTP1
import Platform
import Synchronization

/// Hears every request that a test makes, and keeps what must stay between the two ends: passwords, codes, tokens,
/// secrets, cookies and who the client is.
final class Wiretap: Sendable {
  @TaskLocal static var current: Wiretap?

  let userAgent = "Probe/\(UUID().uuidString)"
  private let heard = Mutex<[String: String]>([:])

  private static let secretParameters: Set = [
    "password", "username", "code", "refresh_token", "token", "client_secret", "code_verifier",
    "csrf", "state", "nonce", "id_token_hint", "login_hint", "email", "continue",
    "client_assertion", "assertion", "subject_token", "device_code", "user_code", "logout_token",
  ]
  private static let secretMembers: Set = [
    "access_token", "refresh_token", "id_token", "client_secret", "password", "email", "name",
    "street_address", "username", "device_code", "user_code", "registration_access_token",
  ]

  /// What was heard, by where; short values could be anywhere by chance.
  var secrets: [(what: String, value: String)] {
    heard.withLock { $0 }.filter { $0.key.utf8.count >= 8 }.map { ($0.value, $0.key) }
  }

  func hear(_ request: HTTPClientRequest, body: [UInt8]?, _ reply: Reply) {
    note("user agent", userAgent)
    let headers = request.headers
    for value in headers["authorization"] {
      let credentials = String(value.drop { $0 != " " }.dropFirst())
      note("authorization", credentials)
      let pair = Data(base64Encoded: credentials).map { String(decoding: $0, as: UTF8.self) } ?? ""
      for part in pair.split(separator: ":").dropFirst() { note("client secret", String(part)) }
    }
    for value in headers["cookie"] + reply.headers["set-cookie"] {
      for pair in value.split(separator: ";") {
        let parts = pair.split(separator: "=", maxSplits: 1)
        let isAttribute = ["path", "max-age", "samesite", "expires"]
          .contains(parts[0].trimmingCharacters(in: .whitespaces).lowercased())
        if parts.count == 2, !isAttribute { note("cookie \(parts[0])", String(parts[1])) }
      }
    }
    hear(query: URLComponents(string: request.url)?.percentEncodedQuery)
    hear(query: reply.location.flatMap { URLComponents(string: $0)?.percentEncodedQuery })
    if headers.first(name: "content-type")?.contains("urlencoded") == true, let body {
      hear(query: String(decoding: body, as: UTF8.self))
    }
    if let body { hear(json: try? JSON.parse(body, limits: .request)) }
    hear(json: reply.json)
  }

  private func hear(query: String?) {
    for pair in (query ?? "").split(separator: "&") {
      let parts = pair.split(separator: "=", maxSplits: 1)
      guard parts.count == 2, Self.secretParameters.contains(String(parts[0])) else { continue }
      note("parameter \(parts[0])", String(parts[1]))
      let plain = parts[1].replacing("+", with: " ")
      note("parameter \(parts[0])", String(plain).removingPercentEncoding ?? "")
    }
  }

  private func hear(json: JSON?) {
    switch json {
    case .object(let members):
      for (name, value) in members {
        if let text = value.stringValue {
          if Self.secretMembers.contains(name) { note("member \(name)", text) }
          // The address of an export is good for one download.
          if name == "url", let last = text.split(separator: "/").last {
            note("package", String(last))
          }
        }
        hear(json: value)
      }
    case .array(let values): for value in values { hear(json: value) }
    default: break
    }
  }

  private func note(_ what: String, _ value: String) {
    heard.withLock { $0[value] = what }
  }
}
