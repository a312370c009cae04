import Database
package import FoundationEssentials
package import Tenancy

/// Something a person can agree to.
package struct ConsentPurpose: Hashable, Sendable {
  package let id: String
  package let name: String
  package let description: String
  package let noticeVersion: Int
  package let isActive: Bool
  package let updatedAt: Date

  /// The purpose of the OAuth consent page, built in.
  package static let application = "application"
}

enum PurposeStatus: String, Hashable, Sendable, SQLCodable {
  case active, retired
}

/// A purpose as an administrator describes it; `notices` has a text per language tag (BCP 47).
package struct PurposeDefinition: Hashable, Sendable {
  package let id: String
  package let name: String
  package let description: String
  package let notices: [String: String]
  package let isActive: Bool

  package init(
    id: String, name: String, description: String, notices: [String: String], isActive: Bool
  ) {
    self.id = id
    self.name = name
    self.description = description
    self.notices = notices
    self.isActive = isActive
  }

  static let application = PurposeDefinition(
    id: ConsentPurpose.application, name: "Sign-in to applications",
    description: "An application learns the data that its consent page lists.",
    notices: [
      "en": """
      The application named on this page asks for the data listed there. If you agree, it receives them now and \
      whenever you sign in, until you withdraw your consent on the privacy page.
      """,
      "de": """
      Die auf dieser Seite genannte Anwendung bittet um die dort aufgeführten Daten. Wenn Sie zustimmen, erhält sie \
      diese jetzt und bei jeder Anmeldung, bis Sie Ihre Einwilligung auf der Datenschutzseite widerrufen.
      """,
    ], isActive: true)
}

/// The text a person saw, by version and language; never changed.
package struct ConsentNotice: Hashable, Sendable {
  package let purpose: String
  package let version: Int
  package let language: String
  package let body: String
  package let sha256: [UInt8]
}

/// Marks the identifiers of consent events.
package enum ConsentEvent {}

/// A decision of a person, with how it was made.
package struct ConsentDecision: Hashable, Sendable {
  package enum Target: Hashable, Sendable {
    case purpose(String)
    case application(ClientID, scope: String)

    var purpose: String {
      if case .purpose(let id) = self { id } else { ConsentPurpose.application }
    }
    var client: String? {
      if case .application(let client, _) = self { client.description } else { nil }
    }
    var scope: String? {
      if case .application(_, let scope) = self { scope } else { nil }
    }
  }

  package let target: Target
  package let action: ConsentAction
  /// The language the notice was shown in.
  package let language: String
  package let method: ConsentMethod

  package init(
    _ action: ConsentAction, _ target: Target, language: String, method: ConsentMethod
  ) {
    self.action = action
    self.target = target
    self.language = language
    self.method = method
  }
}

package enum ConsentAction: String, Hashable, Sendable, SQLCodable {
  case granted, withdrawn
}

package enum ConsentMethod: String, Hashable, Sendable, SQLCodable {
  case consentPage = "consent_page"
  case privacyPage = "privacy_page"
  case adminAPI = "admin_api"
}

/// The last decision for one purpose, or for one application.
package struct ConsentState: Hashable, Sendable {
  package let purpose: String
  package let client: String?
  package let scope: String?
  package let isGranted: Bool
  package let noticeVersion: Int
  package let language: String
  package let decidedAt: Date
}
