import Web

/// What a client asks of the interaction with its user (OpenID Connect Core section 3.1.2.1).
struct Prompt: OptionSet, Sendable, Hashable {
  let rawValue: UInt8

  /// No page may be shown.
  static let none = Prompt(rawValue: 1)
  /// The user signs in again.
  static let login = Prompt(rawValue: 2)
  /// The user is asked for consent again.
  static let consent = Prompt(rawValue: 4)
  /// The user chooses an account; signing in is how one does that here.
  static let selectAccount = Prompt(rawValue: 8)

  static let names: [(String, Prompt)] = [
    ("none", .none), ("login", .login), ("consent", .consent), ("select_account", .selectAccount),
  ]

  init(rawValue: UInt8) { self.rawValue = rawValue }

  init(_ text: String) throws(OAuthError) {
    var prompt: Prompt = []
    for word in text.split(separator: " ") {
      guard let known = Self.names.first(where: { $0.0 == word })?.1 else {
        throw .invalidRequest("prompt has a value that is not supported.")
      }
      prompt.insert(known)
    }
    guard !prompt.contains(.none) || prompt == .none else {
      throw .invalidRequest("prompt none must stand alone.")
    }
    self = prompt
  }
}
