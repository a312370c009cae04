import HTTPTypes
import Hummingbird
import Platform
import Testing

@testable import Web

protocol OperatorEndpoint: DocumentedEndpoint where Context == OpenAPITests.Operator {}

@Suite("OpenAPI 3.1 from what is mounted")
struct OpenAPITests {
  struct Operator: DerivedContext, ScopedContext {
    var base: BaseContext
    let scopes: Set<String>
    func require(scope: String) throws {
      guard scopes.contains(scope) else { throw BearerChallenge.insufficientScope(scope) }
    }
  }

  struct Users: OperatorEndpoint {
    var operations: [Operation<Operator>] {
      [
        Operation(
          .get, "organizations/{organization}/users", id: "listUsers", summary: "List users.",
          scope: "users:read", query: [.optional("email", .string(length: 3...320))],
          answers: [OperationAnswer(.ok, "A page of users.", .named("User"))], refusals: [.notFound]
        ) { _, _ in JSONResponse(.ok, ["users": []]) },
        Operation(
          .post, "organizations/{organization}/users", id: "createUser", summary: "Create a user.",
          scope: "users:write", headers: [.optional("Idempotency-Key", .string())],
          body: [.required("username", .string(length: 1...64), "What they type.")],
          answers: [OperationAnswer(.created, "The user.", .named("User"))], refusals: [.conflict]
        ) { _, _ in JSONResponse(.created, ["id": "1"]) },
      ]
    }
  }

  @Test("operations are mounted, their scope is checked")
  func mounts() async throws {
    let group = EndpointGroup(at: "admin/v1", [Users()]) { _, base in
      Operator(base: base, scopes: ["users:read"])
    }
    try await TestServer.run([group]) { server in
      let list = try await server.send("GET", "/admin/v1/organizations/1/users")
      #expect(list.status == 200)
      let create = try await server.send("POST", "/admin/v1/organizations/1/users", body: "{}")
      #expect(create.status == 403)
      #expect(create.header("WWW-Authenticate")?.contains("scope=\"users:write\"") == true)
    }
  }

  @Test("and described")
  func describes() throws {
    let document = OpenAPI(
      title: "Tenure", version: "1", server: "http://localhost:8080/admin/v1",
      tokenEndpoint: "http://localhost:8080/t/system/oauth2/token",
      schemas: [("User", .object([.required("id", .id)]))],
      operations: Users().operations.map(\.description)
    ).json
    #expect(document["openapi"] == "3.1.0")
    let path = try #require(document["paths"]?["/organizations/{organization}/users"])
    #expect(path["get"]?["operationId"] == "listUsers")
    #expect(path["get"]?["security"] == [["oauth2": ["users:read"]]])
    #expect(path["get"]?["parameters"]?.arrayValue?.map { $0["in"] } == ["path", "query"])
    #expect(path["get"]?["requestBody"] == nil)
    let post = try #require(path["post"])
    let schema = post["requestBody"]?["content"]?["application/json"]?["schema"]
    #expect(schema?["required"] == ["username"])
    #expect(
      post["responses"]?.objectValue?.names
        == ["201", "400", "401", "403", "409", "413", "415", "422"])
    let scopes = document["components"]?["securitySchemes"]?["oauth2"]?["flows"]
    #expect(
      scopes?["clientCredentials"]?["scopes"]?.objectValue?.names == ["users:read", "users:write"])
  }
}
