import Tenancy
import Web

/// A way to get tokens (RFC 6749 section 1.3): its own parameters, parsed once, and what it does with them.
protocol Grant: Sendable {
  associatedtype Parameters: FormDecodable
  static var type: ClientGrantType { get }
  func exchange(_ parameters: Parameters, for request: TokenRequest) async throws -> TokenSet
}

extension Grant {
  func exchange(_ form: Form, for request: TokenRequest) async throws -> TokenSet {
    try await exchange(Parameters(form), for: request)
  }
}

/// The grants that are wired; discovery's `grant_types_supported` is `names`.
struct Grants: Sendable {
  private let grants: [any Grant]

  init(_ grants: [any Grant]) { self.grants = grants }

  var names: [String] { grants.map { type(of: $0).type.rawValue } }

  subscript(_ name: String) -> any Grant {
    get throws(OAuthError) {
      guard let grant = grants.first(where: { type(of: $0).type.rawValue == name }) else {
        throw .unsupportedGrantType
      }
      return grant
    }
  }
}
