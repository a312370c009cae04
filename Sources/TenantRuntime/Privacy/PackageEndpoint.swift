import Compliance
import HTTPTypes
import Hummingbird
import Platform
import Tenancy
import Web

/// `GET /privacy/packages/{id}`: a finished export by its signed link, once.
///
/// Our policy for the copy of Art. 15(3) of the GDPR.
struct PackageEndpoint: TenantEndpoint {
  let packages: ExportPackages

  func mount(on routes: some RouterMethods<TenantContext>) {
    // Mounted by itself: the HEAD that comes with a GET would use the link up.
    routes.head("privacy/packages/:package", use: describe)
    routes.get("privacy/packages/:package", use: download)
  }

  func describe(_ request: Request, in context: TenantContext) async throws -> EmptyResponse {
    let file = try await refusing {
      try await packages.peek(ticket(request, context), in: context.tenant)
    }
    return EmptyResponse(
      .ok,
      headers: [
        .contentType: "application/zip", .contentLength: "\(file.sizeBytes)",
        .cacheControl: "no-store",
      ])
  }

  func download(_ request: Request, in context: TenantContext) async throws -> Response {
    let origin = context.origin(request, actor: .anonymous)
    let file = try await refusing {
      try await packages.redeem(ticket(request, context), in: context.tenant, origin: origin)
    }
    var response = try await StreamedFile(
      path: file.path.text, fileName: file.name, contentType: "application/zip"
    ).response(in: context)
    response.headers[.cacheControl] = "no-store"
    return response
  }

  private func ticket(_ request: Request, _ context: TenantContext) throws -> PackageTicket {
    let query = try Query(request)
    guard
      let ticket = PackageTicket(
        package: context.parameters.get("package") ?? "",
        expires: try query.optional("expires") ?? "",
        signature: try query.optional("signature") ?? "")
    else { throw Problem.notFound("There is nothing at this address.") }
    return ticket
  }

  private func refusing<Value>(_ body: () async throws -> Value) async throws -> Value {
    do {
      return try await body()
    } catch PackageError.badSignature {
      throw Problem.forbidden("This link is not valid.", reason: "bad signature")
    } catch PackageError.gone {
      throw Problem.gone(
        "This link has been used or has expired. Your privacy page may have a new one.")
    }
  }
}
