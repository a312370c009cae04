import Tenancy
import Web

/// An authorization request before anything in it is believed.
struct UnverifiedAuthorizationRequest: Sendable {
  let clientID: ClientID
  let parameters: AuthorizationParameters

  init(_ parameters: AuthorizationParameters) throws(OAuthError) {
    guard let clientID = ClientID(try parameters.required("client_id")) else {
      throw .unknownClient
    }
    self.clientID = clientID
    self.parameters = parameters
  }

  /// The only way to a `VerifiedRedirect` (RFC 6749 section 4.1.2.1: no redirect without proof).
  func verifyRedirect(registered client: ClientMetadata, issuer: String) throws(OAuthError)
    -> VerifiedRedirect
  {
    let registered = client.redirectURIs
    let uri: String
    let requested = try parameters.optional("redirect_uri")
    let scope = parameters.values["scope"].flatMap { OAuthScope($0) }
    if let requested {
      guard
        RedirectMatch.matches(
          requested, registered: registered, isNative: client.applicationType == .native)
      else { throw .invalidRequest("redirect_uri is not registered for this application.") }
      uri = requested
    } else {
      // OAuth 2.1 section 4.1.1: may be left out if exactly one is registered, but not from an
      // authentication request (OpenID Connect Core section 3.1.2.1).
      guard let only = registered.first, registered.count == 1,
        scope?.contains(OAuthScope.openID) != true
      else {
        throw .invalidRequest("redirect_uri is required.")
      }
      uri = only
    }
    let wanted = parameters.values["response_mode"].flatMap(ResponseMode.init) ?? .query
    let mode = wanted.reaches(uri) ? wanted : .query
    return VerifiedRedirect(
      uri: uri, state: parameters.values["state"], issuer: issuer, mode: mode,
      origins: mode == .formPost ? client.origins : [])
  }
}

/// How an authorization response travels (OAuth 2.0 Multiple Response Types section 2.1, Form Post
/// Response Mode section 2).
enum ResponseMode: String, Sendable, CaseIterable {
  case query
  case formPost = "form_post"

  /// A form can be sent to a web server only.
  func reaches(_ uri: String) -> Bool {
    self == .query || uri.hasPrefix("https://") || uri.hasPrefix("http://")
  }
}

/// A place an authorization response may be sent to: registered by a known client.
///
/// Only `UnverifiedAuthorizationRequest.verifyRedirect` makes one.
struct VerifiedRedirect: Sendable, Equatable {
  let uri: String
  let state: String?
  let issuer: String
  let mode: ResponseMode
  /// Where the application may lead the browser after a form was posted to it; empty for other modes, which would
  /// parse every redirect URI for nothing.
  let origins: [String]

  fileprivate init(
    uri: String, state: String?, issuer: String, mode: ResponseMode, origins: [String]
  ) {
    self.uri = uri
    self.state = state
    self.issuer = issuer
    self.mode = mode
    self.origins = origins
  }

  /// What every response carries: the result, `state` as sent, and `iss` (RFC 9207).
  func fields(_ result: [(String, String)]) -> [(String, String)] {
    result + (state.map { [("state", $0)] } ?? []) + [("iss", issuer)]
  }

  /// The redirect URI with the response in its query: a registered query is kept (RFC 6749 section
  /// 3.1.2).
  func location(_ result: [(String, String)]) -> String {
    let separator = uri.contains("?") ? (uri.hasSuffix("?") || uri.hasSuffix("&") ? "" : "&") : "?"
    return uri + separator + FormEncoding.encode(fields(result))
  }
}
