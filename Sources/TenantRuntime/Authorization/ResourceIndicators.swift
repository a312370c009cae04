import Tenancy
import Web

/// The resources a client wants tokens for (RFC 8707 section 2).
struct ResourceIndicators: Sendable, Equatable {
  static let countMax = 10

  let uris: [String]

  static let none = ResourceIndicators(uris: [])

  private init(uris: [String]) { self.uris = uris }

  init(_ values: [String]) throws(OAuthError) {
    let values = values.filter { !$0.isEmpty }
    guard values.count <= Self.countMax, values.allSatisfy(ResourceRule.isResource) else {
      throw .invalidTarget
    }
    uris = values.reduce(into: []) { uris, uri in
      if !uris.contains(uri) { uris.append(uri) }
    }
  }

  /// Whether this asks for no more than was granted, where resources were named (RFC 8707 section 2.2).
  func narrows(_ granted: [String]) -> Bool {
    granted.isEmpty || uris.allSatisfy(granted.contains)
  }

  /// What tokens are for: what is asked for now, or all that was granted.
  func chosen(from granted: [String]) -> [String] { uris.isEmpty ? granted : uris }

  /// Refuses what the client may not have tokens for: beyond the issuer, only what it registered.
  func require(_ client: ClientMetadata, audiences: [String]) throws(OAuthError) {
    let allowed = audiences + client.requests.resources
    guard uris.allSatisfy(allowed.contains) else { throw .invalidTarget }
  }
}
