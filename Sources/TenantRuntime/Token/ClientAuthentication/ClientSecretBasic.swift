import HTTPTypes
import Platform
import Tenancy
import Web

/// `client_secret_basic`: id and secret in the `Authorization` header, each form-encoded first
/// (RFC 6749 section 2.3.1).
struct ClientSecretBasic: ClientAuthenticationMethod {
  static let name = ClientAuthenticationMethodName.clientSecretBasic

  func credentials(_ headers: HTTPFields, _ form: Form) throws(OAuthError) -> ClientCredentials? {
    let values = headers[values: .authorization]
    guard let value = values.first else { return nil }
    guard values.count == 1 else { throw .invalidRequest("Authorization was sent more than once.") }
    return try Self.parse(value)
  }

  /// Nil for another scheme.
  static func parse(_ header: String) throws(OAuthError) -> ClientCredentials? {
    let parts = header.split(separator: " ", maxSplits: 1)
    guard let scheme = parts.first, scheme.lowercased() == "basic" else { return nil }
    guard parts.count == 2, parts[1].utf8.count <= 4096,
      let bytes = Base64.decode(String(parts[1])),
      let text = String(validating: bytes, as: UTF8.self),
      let colon = text.firstIndex(of: ":"),
      let id = decode(text[..<colon]), let secret = decode(text[text.index(after: colon)...]),
      !id.isEmpty
    else { throw .invalidClient("malformed Basic credentials") }
    return ClientCredentials(clientID: id, proof: .secret(Secret(secret)))
  }

  /// `application/x-www-form-urlencoded` for one value.
  private static func decode(_ text: Substring) -> String? {
    guard !text.isEmpty else { return "" }
    guard text.utf8.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") }) else {
      return String(text)
    }
    guard !text.contains("&"), let form = try? Form(Array("v=\(text)".utf8)) else { return nil }
    return form.all("v").first
  }
}
