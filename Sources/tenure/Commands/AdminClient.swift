import ArgumentParser
import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Platform

/// Which Tenure a command speaks to, and with which credentials.
///
/// The environment names both; without it the data directory of `tenure dev` does.
struct AdminOptions: ParsableArguments {
  @Option(help: "The data directory of a 'tenure dev', whose address and credentials are used.")
  var data = ".tenure"

  @Flag(help: "Print JSON.")
  var json = false

  func connect() async throws -> AdminClient {
    let environment = ProcessInfo.processInfo.environment
    if let base = environment["TENURE_CLI_BASE_URL"] {
      guard let id = environment["TENURE_CLI_CLIENT_ID"],
        let secret = environment["TENURE_CLI_CLIENT_SECRET"]
      else {
        throw CommandFailure(
          "TENURE_CLI_BASE_URL needs TENURE_CLI_CLIENT_ID and TENURE_CLI_CLIENT_SECRET beside it.")
      }
      return try await AdminClient(
        base: base, tokenEndpoint: "\(base)/t/system/oauth2/token", clientID: id,
        clientSecret: Secret(secret), scope: nil)
    }
    let file = "\(data)/dev.json"
    guard let bytes = FileManager.default.contents(atPath: file) else {
      throw CommandFailure(
        "There is no \(file): start 'tenure dev', name its --data, or set TENURE_CLI_BASE_URL, "
          + "TENURE_CLI_CLIENT_ID and TENURE_CLI_CLIENT_SECRET.")
    }
    let document = try JSON.parse([UInt8](bytes), limits: .request)
    guard let base = document["base_url"]?.stringValue, let admin = document["admin"],
      let endpoint = admin["token_endpoint"]?.stringValue, let id = admin["client_id"]?.stringValue,
      let secret = admin["client_secret"]?.stringValue
    else { throw CommandFailure("\(file) is not what 'tenure dev' writes.") }
    return try await AdminClient(
      base: base, tokenEndpoint: endpoint, clientID: id, clientSecret: Secret(secret),
      scope: admin["scope"]?.stringValue)
  }
}

/// A client of `/admin/v1`, signed in with client credentials (RFC 6749 section 4.4).
struct AdminClient {
  private let base: String
  private let token: Secret<String>

  private static let answerBytesMax = 16 << 20

  init(
    base: String, tokenEndpoint: String, clientID: String, clientSecret: Secret<String>,
    scope: String?
  ) async throws {
    self.base = base
    var form = "grant_type=client_credentials&client_id=\(Self.escape(clientID))"
    form += "&client_secret=\(Self.escape(clientSecret.reveal()))"
    if let scope { form += "&scope=\(Self.escape(scope))" }
    var request = HTTPClientRequest(url: tokenEndpoint)
    request.method = .POST
    request.headers.add(name: "content-type", value: "application/x-www-form-urlencoded")
    request.body = .bytes(ByteBuffer(string: form))
    let answer = try await Self.send(request)
    guard answer.status == 200, let token = answer.document["access_token"]?.stringValue else {
      let reason = answer.document["error_description"] ?? answer.document["error"] ?? .null
      throw CommandFailure("\(tokenEndpoint) gave no token: \(Output.cell(reason))")
    }
    self.token = Secret(token)
  }

  /// One request; its answer's document.
  ///
  /// - Throws: ``CommandFailure`` with the problem's own words for an answer of 400 or more.
  @discardableResult
  func call(_ method: HTTPMethod, _ path: String, body: JSON? = nil) async throws -> JSON {
    var request = HTTPClientRequest(url: "\(base)/admin/v1/\(path)")
    request.method = method
    request.headers.add(name: "authorization", value: "Bearer \(token.reveal())")
    if let body {
      request.headers.add(name: "content-type", value: "application/json")
      request.body = .bytes(ByteBuffer(bytes: body.encoded()))
    }
    let answer = try await Self.send(request)
    guard answer.status < 400 else { throw CommandFailure(problem: answer.document, answer.status) }
    return answer.document
  }

  /// Every page of a list.
  func pages(_ path: String, member: String, query: [(String, String?)] = []) async throws -> [JSON]
  {
    var documents: [JSON] = []
    var cursor: String?
    repeat {
      var parameters = query.compactMap { name, value in value.map { "\(name)=\(Self.escape($0))" }
      }
      parameters.append("limit=200")
      if let cursor { parameters.append("cursor=\(Self.escape(cursor))") }
      let page = try await call(.GET, "\(path)?\(parameters.joined(separator: "&"))")
      documents += page[member]?.arrayValue ?? []
      cursor = page["next_cursor"]?.stringValue
    } while cursor != nil
    return documents
  }

  /// Saves what a signed address yields, whole or not at all.
  ///
  /// - Returns: the bytes written.
  static func download(_ address: String, to path: String) async throws -> Int {
    let response = try await execute(HTTPClientRequest(url: address))
    guard response.status == .ok else {
      throw CommandFailure("The download answered \(response.status.code).")
    }
    let part = "\(path).part"
    guard
      FileManager.default.createFile(
        atPath: part, contents: nil, attributes: [.posixPermissions: 0o600]),
      let file = FileHandle(forWritingAtPath: part)
    else { throw CommandFailure("\(path) can't be written.") }
    var count = 0
    for try await chunk in response.body {
      try file.write(contentsOf: Data(chunk.readableBytesView))
      count += chunk.readableBytes
    }
    try file.synchronize()
    try file.close()
    guard rename(part, path) == 0 else { throw CommandFailure("\(path) can't be written.") }
    return count
  }

  private static func send(_ request: HTTPClientRequest) async throws -> (
    status: Int, document: JSON
  ) {
    let response = try await execute(request)
    let body = try await response.body.collect(upTo: answerBytesMax)
    let document =
      body.readableBytes == 0
      ? .null
      : try? JSON.parse(
        [UInt8](body.readableBytesView), limits: JSONLimits(depth: 64, bytes: answerBytesMax))
    return (Int(response.status.code), document ?? .null)
  }

  private static func execute(_ request: HTTPClientRequest) async throws -> HTTPClientResponse {
    do {
      return try await HTTPClient.shared.execute(request, timeout: .seconds(60))
    } catch {
      throw CommandFailure("\(request.url) does not answer: \(error)")
    }
  }

  /// Percent-encodes all but RFC 3986's unreserved characters.
  static func escape(_ text: String) -> String {
    let unreserved = CharacterSet(
      charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
    return text.addingPercentEncoding(withAllowedCharacters: unreserved) ?? ""
  }
}

/// Why a command ends with a status other than 0, in words for the terminal.
struct CommandFailure: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) {
    self.description = description
  }

  /// The words of a problem document (RFC 9457).
  init(problem: JSON, _ status: Int) {
    var lines = [
      problem["detail"]?.stringValue ?? problem["title"]?.stringValue ?? "status \(status)"
    ]
    for error in problem["errors"]?.arrayValue ?? [] {
      lines.append(
        "  \(Output.cell(error["field"] ?? .null)): \(Output.cell(error["message"] ?? .null))")
    }
    description = lines.joined(separator: "\n")
  }
}
