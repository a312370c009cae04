package import Platform

/// The parameters of an authorization request in a JWT that nobody signed (OpenID Connect Core section 6.1, `alg` `none`).
///
/// A type of its own, and the only place that reads `none`: nothing turns it into ``VerifiedJWS``, so what it says can't
/// pass for a token. What it contains is as trustworthy as the query string it came in.
package struct UnsignedRequestObject: Sendable {
  package let parameters: JSONObject

  /// Reads one, if the client registered for it.
  ///
  /// - Parameters:
  ///   - compact: The value of `request`, or what `request_uri` answered.
  ///   - registeredAlgorithm: The client's `request_object_signing_alg`, which has to be `none`.
  ///   - bytesMax: The most it may have.
  /// - Throws: `algorithmNotAllowed` where the client did not register for it, or where it claims to be signed.
  package init(
    _ compact: String, registeredAlgorithm: String?, bytesMax: Int = JWS.bytesMax
  ) throws(JOSEError) {
    guard registeredAlgorithm == "none" else { throw .algorithmNotAllowed }
    guard compact.utf8.count <= bytesMax else { throw .tooLarge }
    let parts = compact.utf8.split(
      separator: UInt8(ascii: "."), maxSplits: 3, omittingEmptySubsequences: false)
    guard parts.count == 3 else { throw .malformed("three parts") }
    guard let head = Base64URL.decode(String(Substring(parts[0]))),
      let payload = Base64URL.decode(String(Substring(parts[1])))
    else { throw .malformed("base64url") }
    guard let header = try parseJSON(head, bytesMax: bytesMax).objectValue else {
      throw .malformed("the header is an object")
    }
    // RFC 7518 section 3.6: `none`, and an empty signature.
    guard header["alg"] == "none", parts[2].isEmpty else { throw .algorithmNotAllowed }
    guard header["crit"] == nil, header["b64"] == nil else { throw .criticalExtension }
    // RFC 9101 section 10.8: tokens of other kinds name themselves.
    if let type = header["typ"] {
      guard type == "JWT" || type == "oauth-authz-req+jwt" else { throw .wrongType }
    }
    guard let parameters = try parseJSON(payload, bytesMax: bytesMax).objectValue else {
      throw .malformed("claims are an object")
    }
    self.parameters = parameters
  }
}
