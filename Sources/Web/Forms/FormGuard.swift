package import Cryptography
import HTTPTypes
package import Hummingbird
package import Platform

/// Keeps other sites from sending our forms in a user's name (cross-site request forgery).
///
/// Two layers: where the browser says the request comes from, and a signed double submit: a random
/// cookie, and in the form the HMAC of that cookie and of what the form is bound to (the session).
/// Without the key nobody can make a pair, so a planted cookie does not help.
package struct FormGuard: Sendable {
  /// The name of the hidden field.
  package static let field = "csrf"

  private let key: HMACKey
  private let cookie: CookieName
  private let origin: String
  private let random: RandomSource

  /// - Parameters:
  ///   - key: Derived per organization, so that a ticket of one is worth nothing at another.
  ///   - server: The address the browser sees.
  ///   - random: Where cookie values come from.
  package init(key: HMACKey, server: BaseURL, random: RandomSource) {
    self.key = key
    self.cookie = CookieName("tenure_form", path: "/", of: server)
    self.origin = server.origin
    self.random = random
  }

  /// What a page with a form needs: the field's value, and a cookie if the browser has none yet.
  ///
  /// `binding` is the session's id, or empty before there is one; the same must be given to
  /// ``verify(_:_:binding:)``.
  package func ticket(for request: Request, binding: String) -> FormTicket {
    if let value = request.cookie(cookie), Self.isOurs(value) {
      return FormTicket(value: code(value, binding), cookie: nil)
    }
    let value = Base64URL.encode(random.bytes(32))
    return FormTicket(value: code(value, binding), cookie: cookie.set(value))
  }

  /// Refuses a form that did not come from a page of ours.
  package func verify(_ request: Request, _ form: Form, binding: String) throws(Problem) {
    try verifyOrigin(request)
    guard let value = request.cookie(cookie), Self.isOurs(value) else {
      throw Self.refusal("no form cookie")
    }
    guard let sent = try? form.optional(Self.field), constantTimeEquals(sent, code(value, binding))
    else { throw Self.refusal("form code does not match") }
  }

  /// The second layer, by Fetch Metadata, or by `Origin` for browsers without it.
  func verifyOrigin(_ request: Request) throws(Problem) {
    if let site = request.headers[.fetchSite] {
      guard site == "same-origin" else { throw Self.refusal("Sec-Fetch-Site is not same-origin") }
      return
    }
    if let sender = request.headers[.origin] {
      guard sender == origin else { throw Self.refusal("Origin is not ours") }
    }
  }

  private func code(_ value: String, _ binding: String) -> String {
    Base64URL.encode(key.sha256("form\n\(value)\n\(binding)"))
  }

  /// 32 bytes in base64url; anything else was not set by us.
  private static func isOurs(_ value: String) -> Bool {
    value.utf8.count == 43 && Base64URL.decode(value) != nil
  }

  private static func refusal(_ reason: String) -> Problem {
    .forbidden(
      "This form is no longer valid. Go back, reload the page and try again.", reason: reason)
  }
}

/// The two halves that prove a form came from our page.
package struct FormTicket: Sendable {
  /// The value of the hidden field ``FormGuard/field``.
  package let value: String
  /// To be set with the page; nil when the browser has one.
  package let cookie: SetCookie?
}
