import HTTPTypes
import Hummingbird
import Platform
import Tenancy
import Web

/// `GET /.well-known/privacy`: where and how people exercise their rights (design section 5).
struct PrivacyDirectoryEndpoint: TenantEndpoint {
  func mount(on routes: some RouterMethods<TenantContext>) {
    routes.get(".well-known/privacy") { request, context in
      PublishedDocument(Self.document(context.tenant).encoded(), maxAgeSeconds: 3600)
        .response(to: request, in: context)
    }
  }

  static func document(_ tenant: Tenant) -> JSON {
    let base = tenant.issuer
    func right(_ name: String, _ article: String, _ path: String) -> JSON {
      ["right": .string(name), "article": .string(article), "url": .string("\(base)/\(path)")]
    }
    return [
      "issuer": .string(base),
      "controller": ["name": .string(tenant.name)],
      "privacy_page": .string("\(base)/privacy"),
      "contact": ["url": .string("\(base)/privacy")],
      "endpoints": [
        right("access", "GDPR Art. 15", "privacy/export"),
        right("portability", "GDPR Art. 20", "privacy/export"),
        right("erasure", "GDPR Art. 17", "privacy/erasure"),
        right("withdraw_consent", "GDPR Art. 7(3)", "privacy"),
      ],
      "deadlines": [
        "response": "P1M", "legal_basis": "GDPR Art. 12(3)",
        "authentication_max_age_seconds": .integer(Session.freshSeconds),
      ],
      "formats": [
        "package": "application/zip", "contents": ["application/json", "text/html"],
      ],
      "languages": ["en"],
    ]
  }
}
