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
  ///
  /// Cut by bytes, as the RFC has it; looking for the borders of characters took most of its time.
  static func parse(_ header: String) throws(OAuthError) -> ClientCredentials? {
    let parts = header.utf8.split(separator: UInt8(ascii: " "), maxSplits: 1)
    guard let scheme = parts.first, String(Substring(scheme)).lowercased() == "basic" else {
      return nil
    }
    guard parts.count == 2, parts[1].count <= 4096,
      let bytes = Base64.decode(String(Substring(parts[1]))),
      let colon = bytes.firstIndex(of: UInt8(ascii: ":")),
      let id = decode(bytes[..<colon]), let secret = decode(bytes[(colon + 1)...]), !id.isEmpty
    else { throw .invalidClient("malformed Basic credentials") }
    return ClientCredentials(clientID: id, proof: .secret(Secret(secret)))
  }

  /// `application/x-www-form-urlencoded` for one value.
  private static func decode(_ bytes: ArraySlice<UInt8>) -> String? {
    guard bytes.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") }) else {
      return String(utf8: bytes.span)
    }
    guard !bytes.contains(UInt8(ascii: "&")), let form = try? Form(Array("v=".utf8) + bytes) else {
      return nil
    }
    return form.all("v").first
  }
}
