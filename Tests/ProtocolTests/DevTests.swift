import Foundation
import Glibc
import NIOHTTP1
import Platform
import Testing

/// `tenure dev`, as a newcomer meets it: one command, a folder, and everything in it.
@Suite("tenure dev", .serialized)
struct DevTests {
  @Test(
    "Starts, is killed, starts again with its data, and stops all it started",
    .timeLimit(.minutes(10)))
  func life() async throws {
    let folder = try Self.folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let port = try Deployment.freePort()
    let first = try await Self.start(in: folder, port: port)
    let document = try Self.document(in: folder)
    let organization = try #require(document["organizations"]?.arrayValue?.first)
    #expect(document["base_url"]?.stringValue == "http://localhost:\(port)")
    // The summary is printed once the document that it names is written.
    for _ in 0..<500 where !first.printed().contains("http://localhost:\(port)") {
      try await Task.sleep(for: .milliseconds(20))
    }
    #expect(first.printed().contains("http://localhost:\(port)"))
    let admin = try Self.admin(document)
    #expect(try await admin.call(.GET, "organizations").status == 200)
    try await signIn(organization, admin)

    try await first.end(SIGKILL)
    let second = try await Self.start(in: folder, port: port)
    let again = try await Self.servedDocument(in: folder)
    #expect(again["admin"] == document["admin"], "the credentials changed")
    #expect(again["organizations"] == document["organizations"], "the credentials changed")
    let listener = try #require(again["internal_url"]?.stringValue)
    #expect(try await HTTP.get("\(listener)/readyz").json["status"] == "ready")
    try await signIn(organization, admin)

    let other = try Deployment.freePort()
    let busy = try await TenureProcess(
      ["dev", "--data", folder.path, "--port", "\(other)"], environment: [:], folder: folder)
    #expect(try await busy.wait() != 0)
    #expect(busy.printed().contains("Another 'tenure dev' works in"))

    try await second.end(SIGINT)
    let left = try Shell.run(
      "sh", ["-c", "ps -eo args | grep -F '\(folder.path)' | grep -v grep || true"])
    #expect(left.isEmpty, "still running: \(left)")
  }

  @Test("A taken port and a data directory of another version are a sentence and a status")
  func refusals() async throws {
    let folder = try Self.folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(socket) }
    let port = try Self.listen(on: socket)
    let taken = try await TenureProcess(
      ["dev", "--data", folder.path, "--port", "\(port)"], environment: [:], folder: folder)
    #expect(try await taken.wait() != 0)
    #expect(taken.printed().contains("Port \(port) is taken"), "\(taken.printed())")

    try "0\n".write(to: folder.appendingPathComponent("format"), atomically: true, encoding: .utf8)
    let old = try await TenureProcess(
      ["dev", "--data", folder.path, "--port", "\(try Deployment.freePort())"], environment: [:],
      folder: folder)
    #expect(try await old.wait() != 0)
    #expect(old.printed().contains("has format 0"), "\(old.printed())")
  }

  /// The demo user signs in to the demo's web application, with what `dev.json` says.
  private func signIn(_ organization: JSON, _ admin: AdminCredentials) async throws {
    let id = try #require(organization["id"]?.stringValue)
    let slug = try #require(organization["slug"]?.stringValue)
    let issuer = try #require(organization["issuer"]?.stringValue)
    let web = try #require(organization["clients"]?["web"])
    let spa = try #require(organization["clients"]?["spa"])
    let service = try #require(organization["clients"]?["service"])
    let user = try #require(organization["user"])
    let person = TestPerson(
      username: user["username"]?.stringValue ?? "", email: user["email"]?.stringValue ?? "",
      password: user["password"]?.stringValue ?? "", name: "", street: "")
    let tenant = TestTenant(admin: admin, id: id, slug: slug, issuer: issuer)
    for client in [web, spa] {
      let application = TestApplication(
        id: client["client_id"]?.stringValue ?? "", secret: client["client_secret"]?.stringValue,
        redirectURI: client["redirect_uris"]?.arrayValue?.first?.stringValue ?? "")
      let tokens = try await AuthorizationRequest(tenant, application).tokens(person)
      let userinfo = try await HTTP.get(
        "\(issuer)/oidc/userinfo",
        headers: [("authorization", "Bearer \(tokens["access_token"]?.stringValue ?? "")")])
      #expect(userinfo.json["email"]?.stringValue == person.email)
      #expect(userinfo.json["address"] != nil)
    }
    let reply = try await HTTP.post(
      form: [("grant_type", "client_credentials")], to: "\(issuer)/oauth2/token",
      headers: [
        TestApplication(
          id: service["client_id"]?.stringValue ?? "",
          secret: service["client_secret"]?.stringValue, redirectURI: ""
        ).basic
      ])
    #expect(reply.status == 200)
    let purposes = try await admin.document(.GET, "organizations/\(id)/consent/purposes")
    #expect((purposes["purposes"]?.arrayValue ?? []).count >= 2)
    let rules = try await admin.document(.GET, "organizations/\(id)/retention/rules")
    #expect((rules["rules"]?.arrayValue ?? []).count >= 3)
  }

  private static func folder() throws -> URL {
    let folder = URL(fileURLWithPath: "/tmp/tenure-dev-\(UUID().uuidString.prefix(8))")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return folder
  }

  private static func start(in folder: URL, port: UInt16) async throws -> TenureProcess {
    let logs = FileManager.default.temporaryDirectory
    let process = try await TenureProcess(
      ["dev", "--data", folder.path, "--port", "\(port)"], environment: [:], folder: logs)
    for _ in 0..<3000 {
      if Deployment.connects(to: port) { return process }
      guard process.isRunning else { break }
      try await Task.sleep(for: .milliseconds(20))
    }
    throw TestFailure("tenure dev does not listen:\n\(process.printed())")
  }

  private static func document(in folder: URL) throws -> JSON {
    let file = folder.appendingPathComponent("dev.json")
    let attributes = try FileManager.default.attributesOfItem(atPath: file.path)
    #expect(attributes[.posixPermissions] as? Int == 0o600)
    return try JSON.parse([UInt8](try Data(contentsOf: file)), limits: .request)
  }

  /// The same once it says where the internal listener of this start is.
  private static func servedDocument(in folder: URL) async throws -> JSON {
    for _ in 0..<500 {
      let document = try Self.document(in: folder)
      if document["internal_url"] != nil { return document }
      try await Task.sleep(for: .milliseconds(20))
    }
    throw TestFailure("dev.json names no internal listener.")
  }

  private static func admin(_ document: JSON) throws -> AdminCredentials {
    let admin = try #require(document["admin"])
    return AdminCredentials(
      baseURL: document["base_url"]?.stringValue ?? "",
      tokenEndpoint: admin["token_endpoint"]?.stringValue ?? "",
      clientID: admin["client_id"]?.stringValue ?? "",
      clientSecret: admin["client_secret"]?.stringValue ?? "",
      scope: admin["scope"]?.stringValue ?? "")
  }

  private static func listen(on socket: Int32) throws -> UInt16 {
    var address = Deployment.loopback(port: 0)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let listening = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(socket, $0, length) == 0 && Glibc.listen(socket, 1) == 0
          && getsockname(socket, $0, &length) == 0
      }
    }
    guard listening else { throw TestFailure("There is no free port.") }
    return UInt16(bigEndian: address.sin_port)
  }
}
