import Outgoing
import Platform
import Tenancy
import Web

/// Fetches the document that ties the redirect URIs of a sector together (OpenID Connect Dynamic Client
/// Registration section 5).
struct SectorIdentifiers: Sendable {
  static let answerBytesMax = 64 * 1024

  let http: OutgoingHTTP

  /// Refuses a sector that does not list every redirect URI of the client.
  func check(_ metadata: ClientMetadata, in tenant: Tenant) async throws {
    guard let uri = metadata.subject.sectorIdentifierURI else { return }
    let listed: Set<String>
    do {
      let response = try await http.send(
        .get(
          OutgoingURL(uri), accept: "application/json", answerBytesMax: Self.answerBytesMax),
        partition: tenant.id.description)
      guard response.status == 200, response.mediaType == "application/json",
        let document = try? JSON.parse(
          response.body, limits: JSONLimits(depth: 4, bytes: Self.answerBytesMax)),
        let elements = document.arrayValue
      else { throw Self.invalid("is not a JSON array", "status \(response.status)") }
      listed = Set(elements.compactMap(\.stringValue))
    } catch let error as OutgoingError {
      throw Self.invalid("can't be fetched", "\(error)")
    }
    guard metadata.redirectURIs.allSatisfy(listed.contains) else {
      throw Self.invalid("does not list every redirect URI", "redirect_uris")
    }
  }

  private static func invalid(_ sentence: String, _ detail: String) -> OAuthError {
    .invalidClientMetadata("sector_identifier_uri \(sentence).", detail: detail)
  }
}
