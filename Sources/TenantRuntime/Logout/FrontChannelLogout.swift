import Platform
import Tenancy

/// What the signed-out page loads in frames, so that applications sign out in the same browser (OpenID
/// Connect Front-Channel Logout 1.0 section 3).
struct FrontChannelLogout: Sendable, Equatable {
  /// Long enough for the frames; the page has no script that could wait for them.
  static let waitSeconds = 3
  private static let framesMax = 50

  /// Their addresses, each once.
  let frames: [String]
  /// What the page may load (CSP `frame-src`): exactly their origins.
  let origins: [String]

  init(_ clients: [SessionClient], issuer: String) {
    var frames: [String] = []
    var origins: [String] = []
    for client in clients {
      guard let uri = client.logout.frontChannelURI, let origin = WebOrigin(uri),
        frames.count < Self.framesMax
      else { continue }
      let frame =
        client.logout.frontChannelNeedsSession
        ? Self.address(uri, issuer: issuer, session: client.session) : uri
      if !frames.contains(frame) { frames.append(frame) }
      if !origins.contains(origin.text) { origins.append(origin.text) }
    }
    self.frames = frames
    self.origins = origins
  }

  /// Section 2: both or none of `iss` and `sid`; a registered query is kept.
  private static func address(_ uri: String, issuer: String, session: ID<Session>) -> String {
    uri + (uri.contains("?") ? "&" : "?")
      + FormEncoding.encode([("iss", issuer), ("sid", session.description)])
  }
}
