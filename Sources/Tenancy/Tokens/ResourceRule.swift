import Platform

/// What a resource indicator looks like (RFC 8707 section 2).
package enum ResourceRule {
  /// An absolute URI without a fragment.
  package static func isResource(_ text: String) -> Bool {
    guard let uri = URIParts(text) else { return false }
    return uri.fragment == nil && !(uri.host == nil && uri.path.isEmpty)
  }
}
