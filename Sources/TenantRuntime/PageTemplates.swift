import Web

/// The templates of this module, compiled in.
extension PageTemplate {
  static let login = PageTemplate("login", PackageResources.login_mustache)
  static let consent = PageTemplate("consent", PackageResources.consent_mustache)
  static let formPost = PageTemplate("form-post", PackageResources.form_post_mustache)
  static let device = PageTemplate("device", PackageResources.device_mustache)
  static let deviceConfirm = PageTemplate(
    "device-confirm", PackageResources.device_confirm_mustache)
  static let deviceDone = PageTemplate("device-done", PackageResources.device_done_mustache)
  static let logout = PageTemplate("logout", PackageResources.logout_mustache)
  static let signedOut = PageTemplate("signed-out", PackageResources.signed_out_mustache)
  static let sessions = PageTemplate("sessions", PackageResources.sessions_mustache)
  static let privacy = PageTemplate("privacy", PackageResources.privacy_mustache)
  static let confirm = PageTemplate("privacy-confirm", PackageResources.privacy_confirm_mustache)

  static let erasureBegun = PageTemplate(
    "erasure-begun", PackageResources.erasure_begun_mustache)

  static let ofTenantRuntime: [PageTemplate] = [
    .login, .consent, .formPost, .device, .deviceConfirm, .deviceDone, .logout, .signedOut,
    .sessions, .privacy, .confirm, .erasureBegun,
  ]
}
