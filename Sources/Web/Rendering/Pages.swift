import Cryptography
package import HTTPTypes
package import Hummingbird
package import Platform
import Mustache

/// A Mustache template that was compiled into its module.
package struct PageTemplate: Sendable, Hashable {
  package let name: String
  let source: [UInt8]

  /// - Parameters:
  ///   - name: What partials call it: `{{> name}}`.
  ///   - source: The bytes SwiftPM made of the file: `PackageResources.name_mustache`.
  package init(_ name: String, _ source: [UInt8]) {
    self.name = name
    self.source = source
  }

  package static func == (left: Self, right: Self) -> Bool { left.name == right.name }
  package func hash(into hasher: inout Hasher) { hasher.combine(name) }
}

/// Whose page it is: the head shows the name, the foot links to where rights are exercised.
package struct PageOwner: Sendable, Hashable {
  package let name: String
  /// The path of the privacy page, if there is one.
  package let privacyPath: String?

  package init(name: String, privacyPath: String?) {
    self.name = name
    self.privacyPath = privacyPath
  }
}

/// All page templates, ready to render: filled once at start.
package struct Pages: Sendable {
  package enum Width: String, Sendable {
    /// One card in the middle: sign-in, consent, errors.
    case card
    /// Sections one below the other: privacy, account.
    case wide
  }

  private let library: MustacheLibrary
  private let names: Set<String>
  let styleSheet: StyleSheet
  private let serverName: String

  /// - Parameters:
  ///   - serverName: Heads pages that belong to no organization.
  ///   - templates: Those of all modules that have pages; Web's own are added.
  /// - Throws: ``PageError`` when a template does not parse or a name is used twice.
  package init(serverName: String, _ templates: [PageTemplate]) throws(PageError) {
    MustacheContentTypes.register(EscapedHTML(), named: EscapedHTML.name)
    var library = MustacheLibrary()
    var names: Set<String> = []
    for template in PageTemplate.own + templates {
      guard names.insert(template.name).inserted else { throw .duplicate(template.name) }
      let text =
        "{{% CONTENT_TYPE:\(EscapedHTML.name)}}" + String(decoding: template.source, as: UTF8.self)
      do {
        try library.register(text, named: template.name)
      } catch {
        throw .malformed(template.name, String(describing: error))
      }
    }
    self.library = library
    self.names = names
    self.serverName = serverName
    styleSheet = StyleSheet(PackageResources.tenure_css)
  }

  /// Renders a template inside the layout.
  ///
  /// `data` must be an object. Values are escaped; `{{{…}}}` is for nothing but the layout.
  package func render(
    _ template: PageTemplate, title: String, owner: PageOwner?, _ data: JSON,
    status: HTTPResponse.Status = .ok, width: Width = .card, forms: FormTargets = .ownOrigin,
    script: InlineScript? = nil, image: ForeignImage? = nil, frames: [String] = [],
    cookies: [SetCookie?] = []
  ) throws(PageError) -> Page {
    let main = try text(template, data)
    let name = owner?.name ?? serverName
    let html = try text(
      .layout,
      [
        "title": .string(title), "owner": .string(name),
        "initial": .string(String(name.prefix(1)).uppercased()),
        "width": .string(width.rawValue), "stylesheet": .string(styleSheet.path),
        "privacy": .optional(owner?.privacyPath), "main": .string(main),
        "script": .optional(script?.text),
      ])
    return Page(
      status: status, html: html,
      policy: SecurityHeaders.contentSecurityPolicy(
        forms, script: script, image: image, frames: frames),
      cookies: cookies.compactMap { $0 })
  }

  private func text(_ template: PageTemplate, _ data: JSON) throws(PageError) -> String {
    guard names.contains(template.name),
      let text = library.render(data.mustacheValue as Any, withTemplate: template.name)
    else { throw .unknown(template.name) }
    return text
  }

  func errorPage(
    _ refusal: any Refusal, owner: PageOwner?, requestID: String
  ) throws(PageError) -> Page {
    let status = refusal.status
    return try render(
      .error, title: Self.headline(status), owner: owner,
      [
        "headline": .string(Self.headline(status)), "sentence": .string(refusal.sentence),
        "status": .integer(status.code), "request": .string(requestID),
      ], status: status)
  }

  private static func headline(_ status: HTTPResponse.Status) -> String {
    switch status.code {
    case 401: "Sign in first"
    case 403: "That is not allowed"
    case 404: "Page not found"
    case 405: "That does not work here"
    case 410: "No longer available"
    case 413: "That is too much at once"
    case 429: "Too many attempts"
    case 503: "Not available at the moment"
    case 500...599: "Something went wrong"
    default: "That request did not work"
    }
  }
}

/// A mistake in the templates or in how they are used: found by tests, not by users.
package enum PageError: Error, Sendable, Equatable {
  case duplicate(String)
  case malformed(String, String)
  case unknown(String)
}

extension PageTemplate {
  static let layout = PageTemplate("layout", PackageResources.layout_mustache)
  static let error = PageTemplate("error", PackageResources.error_mustache)

  /// Web's own templates; `field`, `notice` and `choice` are partials for everybody.
  static let own: [PageTemplate] = [
    .layout, .error,
    PageTemplate("field", PackageResources.field_mustache),
    PageTemplate("notice", PackageResources.notice_mustache),
    PageTemplate("choice", PackageResources.choice_mustache),
  ]
}

/// A rendered page.
package struct Page: ResponseGenerator, Sendable {
  package let status: HTTPResponse.Status
  package let html: String
  /// What the browser may load, run and submit to.
  let policy: String
  let cookies: [SetCookie]

  var response: Response {
    var headers: HTTPFields = [
      .contentType: "text/html; charset=utf-8",
      .contentSecurityPolicy: policy,
    ]
    for cookie in cookies { headers.append(cookie.field) }
    return Response(
      status: status, headers: headers,
      body: ResponseBody(byteBuffer: ByteBuffer(string: html)))
  }

  package func response(from request: Request, context: some RequestContext) -> Response {
    response
  }
}

/// The one style sheet, at an address that changes with its content.
package struct StyleSheet: Sendable {
  let bytes: [UInt8]
  package let path: String

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    path = "/assets/tenure-\(Hex.encode(SHA2.sha256(bytes).prefix(8))).css"
  }
}

/// `GET /assets/tenure-<hash>.css` (our policy: content-addressed, cached for a year).
struct StyleSheetEndpoint: Endpoint {
  typealias Context = BaseContext
  let styleSheet: StyleSheet

  func mount(on routes: some RouterMethods<BaseContext>) {
    routes.get(RouterPath(styleSheet.path), use: respond)
  }

  func respond(to request: Request, in context: BaseContext) -> BytesResponse {
    BytesResponse(
      contentType: "text/css; charset=utf-8", styleSheet.bytes,
      headers: [.cacheControl: "public, max-age=31536000, immutable"])
  }
}
