import HTTPTypes
import Hummingbird
import Platform
import Web

/// `GET /openapi.json` (OpenAPI 3.1, design section 5): the administration interface, made of the
/// operations that are mounted.
struct OpenAPIEndpoint: Endpoint {
  typealias Context = BaseContext
  let document: [UInt8]

  func mount(on routes: some RouterMethods<BaseContext>) {
    routes.get("openapi.json", use: respond)
  }

  func respond(to request: Request, in context: BaseContext) -> BytesResponse {
    BytesResponse(
      contentType: "application/json", document, headers: [.cacheControl: "public, max-age=300"])
  }
}

/// `GET /docs`: the same as a page for people, with the conventions of the interface (our policy).
struct DocsEndpoint: Endpoint {
  typealias Context = BaseContext
  let pages: Pages
  let data: JSON

  static let template = PageTemplate("docs", PackageResources.docs_mustache)

  func mount(on routes: some RouterMethods<BaseContext>) {
    routes.get("docs", use: respond)
  }

  func respond(to request: Request, in context: BaseContext) throws -> Page {
    try pages.render(
      Self.template, title: "Administration interface", owner: nil, data, width: .wide)
  }

  /// What the page lists, by the collection the operations are about.
  static func data(_ openAPI: OpenAPI) -> JSON {
    var sections: [(name: String, operations: [JSON])] = []
    for operation in openAPI.operations {
      let name = section(operation.path)
      let entry: JSON = [
        "method": .string(operation.method.uppercased()),
        "path": .string("/admin/v1/\(operation.path)"),
        "summary": .string(operation.summary), "scope": .string(operation.scope),
        "id": .string(operation.id),
      ]
      if let index = sections.firstIndex(where: { $0.name == name }) {
        sections[index].operations.append(entry)
      } else {
        sections.append((name, [entry]))
      }
    }
    return [
      "base": .string(openAPI.server), "token_endpoint": .string(openAPI.tokenEndpoint),
      "sections": .array(
        sections.map { ["name": .string($0.name), "operations": .array($0.operations)] }),
    ]
  }

  /// `organizations/{organization}/privacy/requests` belongs to Privacy.
  private static func section(_ path: String) -> String {
    let names = path.split(separator: "/").filter { !$0.hasPrefix("{") }
    let name =
      names.first == "organizations" && names.count > 1
        && !["suspend", "resume"].contains(names[1]) ? names[1] : names.first ?? "other"
    return name.prefix(1).uppercased() + name.dropFirst()
  }
}
