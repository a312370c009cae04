package import Platform

/// How tokens behave that no tenant decides for itself.
package struct TokenSettings: Sendable {
  let refreshGraceSeconds: Int

  package init(_ read: inout SettingsReader) {
    refreshGraceSeconds = read.value(
      "REFRESH_TOKEN_GRACE_SECONDS", default: 10, in: 0...120,
      "How long a refresh token that was just used may be repeated; the repeat gets the same successor."
    )
  }
}
