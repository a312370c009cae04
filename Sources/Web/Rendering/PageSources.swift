import Cryptography
import Platform

/// A script of ours that a page is made with: the browser runs it and no other, since the page's policy
/// names its hash (CSP Level 3 section 2.3.1).
package struct InlineScript: Sendable, Hashable {
  let text: String

  /// - Parameter text: Static, so that nothing from outside can become a script.
  package init(_ text: StaticString) {
    self.text = String(describing: text)
  }

  var source: String { "'sha256-\(Base64.encode(SHA2.sha256(text)))'" }
}

/// An image from another server, such as an application's logo; the page's policy allows its origin.
package struct ForeignImage: Sendable, Hashable {
  package let address: String
  let source: String

  /// Nil for an address whose origin a policy can't name.
  package init?(_ address: String) {
    guard let uri = URIParts(address), uri.scheme == "https" || uri.scheme == "http",
      let host = uri.host, !uri.hasUserInfo,
      host.utf8.allSatisfy({ $0.isAlphanumeric || "-.".utf8.contains($0) })
    else { return nil }
    self.address = address
    source = "\(uri.scheme)://\(host)\(uri.port.map { ":\($0)" } ?? "")"
  }
}
