import Cryptography
import FoundationEssentials
import JOSE
import Outgoing
import Platform
import Tenancy
import Web

/// A `request_uri` that may be fetched (OpenID Connect Core section 6.2).
struct RequestURI: Sendable, Hashable {
  static let bytesMax = 512

  let address: OutgoingURL
  /// The digest the document must have, from the fragment: such an address never changes its meaning.
  let digest: [UInt8]?

  /// The address if the client may use it: registered, where it has registered any.
  init(_ text: String, client: ClientMetadata) throws(OAuthError) {
    guard text.utf8.count <= Self.bytesMax else { throw .invalidRequestURI("too long") }
    let page = String(text.prefix { $0 != "#" })
    let registered = client.requests.uris
    guard registered.isEmpty || registered.contains(text) || registered.contains(page) else {
      throw .invalidRequestURI("not registered")
    }
    do throws(OutgoingError) {
      address = try OutgoingURL(text)
    } catch {
      throw .invalidRequestURI("\(error)")
    }
    // Where plain HTTP may go, the address policy of the operator decides: nowhere, unless told.
    guard let fragment = address.fragment, !fragment.isEmpty else {
      digest = nil
      return
    }
    guard let digest = Base64URL.decode(fragment), digest.count == SHA256Digest.byteCount else {
      throw .invalidRequestURI("the fragment is no SHA-256 digest")
    }
    self.digest = digest
  }
}

/// Fetches request objects, and keeps them for a while.
///
/// Fetching is guarded, bounded and done once for requests that come together.
final class RequestDocuments: Sendable {
  /// A document without a digest may change at any time; this spares a page that is loaded again.
  static let keptSeconds = 60.0
  static let pinnedSeconds = 86_400.0
  private static let entriesMax = 1000

  private struct Key: Hashable {
    let partition: String
    let uri: RequestURI
  }

  private let http: OutgoingHTTP
  private let clock: WallClock
  private let recent = BoundedCache<Key, String>(
    capacity: entriesMax, lifetimeSeconds: keptSeconds)
  private let pinned = BoundedCache<Key, String>(
    capacity: entriesMax, lifetimeSeconds: pinnedSeconds)
  private let flights = SingleFlight<Key, String>()

  init(http: OutgoingHTTP, clock: WallClock) {
    self.http = http
    self.clock = clock
  }

  func document(_ uri: RequestURI, in tenant: Tenant) async throws -> String {
    let key = Key(partition: tenant.id.description, uri: uri)
    let cache = uri.digest == nil ? recent : pinned
    if let known = cache.value(for: key, now: clock.now()) { return known }
    do {
      return try await flights.value(for: key) { [self] in
        let now = clock.now()
        if let known = cache.value(for: key, now: now) { return known }
        let document = try await fetch(uri, partition: key.partition)
        cache.store(document, for: key, now: now)
        return document
      }
    } catch let error as OutgoingError {
      throw OAuthError.invalidRequestURI("\(error)")
    }
  }

  private func fetch(_ uri: RequestURI, partition: String) async throws -> String {
    let response = try await http.send(
      .get(
        uri.address, accept: "application/oauth-authz-req+jwt, application/jwt",
        answerBytesMax: JWS.bytesMax),
      partition: partition)
    guard response.status == 200 else {
      throw OAuthError.invalidRequestURI("status \(response.status)")
    }
    if let digest = uri.digest {
      // Section 6.2: what was registered or asked for is what must be there.
      guard constantTimeEquals(SHA2.sha256(response.body), digest) else {
        throw OAuthError.invalidRequestURI("the document is not the one of the fragment")
      }
    }
    guard let text = String(utf8: response.body.span) else {
      throw OAuthError.invalidRequestURI("not a text")
    }
    let isBlank: (Character) -> Bool = { $0 == "\n" || $0 == "\r" || $0 == " " }
    return String(text.drop(while: isBlank).reversed().drop(while: isBlank).reversed())
  }
}
