import Platform

/// Who may register a client (RFC 7591 section 3).
package enum RegistrationMode: String, Sendable, Hashable, CaseIterable {
  case closed
  /// Whoever has been given an initial access token.
  case initialAccessToken = "initial_access_token"
  case open
}

/// What clients may register by themselves; part of the tenant's settings.
package struct RegistrationPolicy: Sendable, Hashable {
  package var mode: RegistrationMode = .closed
  package var grantTypes: [ClientGrantType] = [.authorizationCode, .refreshToken]
  /// The most a client may ask for, and what it gets when it asks for nothing.
  package var scope =
    OAuthScope("openid profile email address phone offline_access") ?? .none
  /// Hosts of redirect URIs, where `*.example.com` stands for every host below; empty for any.
  package var redirectHosts: [String] = []
  /// Clients that have registered themselves, at most.
  package var clientsMax = 1000

  package init() {}

  init(_ read: inout ObjectReader) {
    let defaults = RegistrationPolicy()
    mode = read.choice("registration") ?? defaults.mode
    grantTypes = read.choices("registration_grant_types") ?? defaults.grantTypes
    scope = defaults.scope
    if let text = read.text("registration_scope") {
      if let scope = OAuthScope(stored: text) {
        self.scope = scope
      } else {
        read.refuse("registration_scope", "must be scope tokens separated by single blanks")
      }
    }
    redirectHosts = read.strings("registration_redirect_hosts", countMax: 100, bytesMax: 253) ?? []
    for host in redirectHosts where host != host.lowercased() || host.contains("/") {
      read.refuse("registration_redirect_hosts", "has an entry that is not a host in lower case")
    }
    clientsMax = read.integer("registration_clients_max", in: 0...1_000_000) ?? defaults.clientsMax
  }

  func write(to object: inout JSONObject) {
    object["registration"] = .string(mode.rawValue)
    object["registration_grant_types"] = .strings(grantTypes.map(\.rawValue))
    object["registration_scope"] = .string(scope.description)
    object["registration_redirect_hosts"] = .strings(redirectHosts)
    object["registration_clients_max"] = .integer(clientsMax)
  }

  /// Whether a redirect URI's host is one of those allowed.
  package func allows(redirectURI uri: String) -> Bool {
    guard !redirectHosts.isEmpty else { return true }
    guard let host = URIParts(uri)?.host else { return false }
    return redirectHosts.contains { pattern in
      pattern.hasPrefix("*.") ? host.hasSuffix(pattern.dropFirst()) : host == pattern
    }
  }
}
