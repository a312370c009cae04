import HTTPTypes
import Hummingbird
import JOSE
import Platform
import Tenancy
import Web

/// `/admin/v1/organizations/{id}/keys`: the keys an organization signs with (OpenID Connect Core section
/// 10.1.1).
struct SigningKeysEndpoint: DocumentedEndpoint {
  let organizations: Organizations
  let rotation: SigningKeyRotation

  typealias Context = AdminContext

  private static let list = "organizations/{organization}/keys"
  private static let page = Schema.page("keys", of: .named("SigningKey"))

  var operations: [Operation<AdminContext>] {
    [
      Operation(
        .get, Self.list, id: "listSigningKeys", "List the signing keys, retired ones included.",
        scope: .keysRead, answers: [.init(.ok, "All of them.", Self.page)],
        refusals: [.notFound], handle: show),
      Operation(
        .post, "\(Self.list)/rotate", id: "rotateSigningKeys",
        "Sign with the next key from now on; the one before stays published until it is retired.",
        scope: .keysWrite,
        body: [
          .optional(
            "algorithm", .string(oneOf: ClientSigningAlgorithm.allCases.map(\.rawValue)),
            "Only this algorithm; all of the organization's unless given."),
          .optional(
            "compromised", .boolean,
            "Withdraw every key there is at once: what they have signed is refused from now on."),
        ],
        answers: [.init(.ok, "The keys as they are now.", Self.page)],
        refusals: [.notFound], handle: rotate),
    ]
  }

  func show(_ request: Request, _ context: AdminContext) async throws -> JSONResponse {
    let tenant = try await organizations.tenant(context.parameter("organization"))
    return try await answer(tenant)
  }

  func rotate(_ request: Request, _ context: AdminContext) async throws -> JSONResponse {
    let tenant = try await organizations.tenant(context.parameter("organization"))
    var fields = try Fields(await AdminBody.read(request))
    let algorithm = fields.choice("algorithm", ClientSigningAlgorithm.self)
    let isCompromised = fields.optionalBool("compromised") ?? false
    try fields.finish()
    try await rotation.rotate(
      algorithm?.algorithm, isCompromised: isCompromised, in: tenant, origin: context.origin)
    return try await answer(tenant)
  }

  private func answer(_ tenant: Tenant) async throws -> JSONResponse {
    let keys = try await rotation.list(in: tenant)
    return JSONResponse(
      .ok, ["keys": .array(keys.map { .object($0.json) }), "next_cursor": .null])
  }
}

extension SigningKeyRecord {
  static let schema = Schema.object([
    .required("kid", .string(), "The RFC 7638 thumbprint."),
    .required("algorithm", .string(oneOf: ClientSigningAlgorithm.allCases.map(\.rawValue))),
    .required("state", .string(oneOf: SigningKeyState.allCases.map(\.rawValue))),
    .required("created_at", .time), .required("activated_at", .nullable(.time)),
    .required("deactivated_at", .nullable(.time)), .required("retired_at", .nullable(.time)),
  ])

  var json: JSONObject {
    [
      "kid": .string(kid), "algorithm": .string(algorithm.rawValue),
      "state": .string(state.rawValue), "created_at": .string(createdAt.rfc3339),
      "activated_at": .optional(activatedAt?.rfc3339),
      "deactivated_at": .optional(deactivatedAt?.rfc3339),
      "retired_at": .optional(retiredAt?.rfc3339),
    ]
  }
}
