import Web

/// The parameters of an authorization request, from a query or a form, as they were sent.
///
/// Only parameters we know are kept: unknown ones are ignored (RFC 6749 section 3.1), and so they
/// do not travel through the sign-in page either.
struct AuthorizationParameters: Sendable, Equatable {
  static let names = [
    "response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "code_challenge",
    "code_challenge_method", "response_mode", "prompt", "max_age", "login_hint", "id_token_hint",
    "claims", "acr_values", "display", "ui_locales", "claims_locales",
    "request", "request_uri", "registration", InteractionTicket.parameterName,
  ]
  /// The only one that may be repeated (RFC 8707 section 2).
  static let resource = "resource"

  private(set) var values: [String: String] = [:]
  private(set) var resources: [String] = []
  private(set) var repeated: Set<String> = []

  init(_ values: [String: String], resources: [String] = []) {
    self.values = values
    self.resources = resources
  }

  /// Reads every known name once; a name that is repeated is remembered and refused when it is used,
  /// because by then the refusal may have a verified place to go to.
  init(_ source: some Parameters) {
    for name in Self.names {
      do throws(OAuthError) {
        values[name] = try source.optional(name)
      } catch {
        repeated.insert(name)
      }
    }
    resources = source.all(Self.resource)
  }

  func optional(_ name: String) throws(OAuthError) -> String? {
    guard !repeated.contains(name) else {
      throw .invalidRequest("\(name) is malformed or given more than once.")
    }
    return values[name]
  }

  func required(_ name: String) throws(OAuthError) -> String {
    guard let value = try optional(name) else { throw .invalidRequest("\(name) is required.") }
    return value
  }

  func with(_ name: String, _ value: String?) -> AuthorizationParameters {
    var copy = self
    copy.values[name] = value
    return copy
  }

  /// What a request object says instead of, or beside, what was sent (OpenID Connect Core section 6).
  func superseded(by inner: [String: String], resources innerResources: [String]?)
    -> AuthorizationParameters
  {
    var copy = self
    for name in ["request", "request_uri"] { copy.values[name] = nil }
    copy.values.merge(inner) { $1 }
    copy.repeated.subtract(inner.keys)
    if let innerResources { copy.resources = innerResources }
    return copy
  }

  /// The parameters as a query, in one fixed order, so that equal requests have equal text.
  var query: String {
    let pairs = Self.names.compactMap { name in values[name].map { (name, $0) } }
    return FormEncoding.encode(pairs + resources.map { (Self.resource, $0) })
  }
}

/// Percent-encoding for values in queries and redirects (RFC 3986 section 2.3).
enum FormEncoding {
  static func encode(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count)
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
        UInt8(ascii: "_"), UInt8(ascii: "~"):
        bytes.append(byte)
      default:
        bytes.append(contentsOf: [
          UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)],
        ])
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  static func encode(_ fields: [(String, String)]) -> String {
    fields.map { "\(encode($0.0))=\(encode($0.1))" }.joined(separator: "&")
  }
}
