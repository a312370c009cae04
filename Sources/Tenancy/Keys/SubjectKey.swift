import Cryptography
package import Platform

/// The key of one user (DEK): everything personal of theirs is sealed with it, and gone with it
/// (design section 4).
package struct SubjectKey: Sendable {
  package let tenant: TenantID
  package let user: UserID
  private let key: SymmetricKey

  init(tenant: TenantID, user: UserID, key: SymmetricKey) {
    self.tenant = tenant
    self.user = user
    self.key = key
  }

  package static func generate(tenant: TenantID, user: UserID) -> SubjectKey {
    SubjectKey(tenant: tenant, user: user, key: .generate())
  }

  package func seal(_ document: JSONObject, at place: SealedPlace) -> [UInt8] {
    AESGCM.seal(
      JSON.object(document).encoded(), key: key,
      additionalData: place.additionalData(tenant: tenant))
  }

  package func open(_ sealed: [UInt8], at place: SealedPlace) throws -> JSONObject {
    let bytes = try AESGCM.open(
      sealed, key: key, additionalData: place.additionalData(tenant: tenant))
    guard let document = try JSON.parse(bytes, limits: .request).objectValue else {
      throw CryptographyError.authenticationFailed
    }
    return document
  }

  func reveal() -> [UInt8] { key.reveal() }
}

extension SubjectKey: CustomStringConvertible, CustomReflectable {
  package var description: String { "<redacted>" }
  package var customMirror: Mirror { Mirror(self, children: EmptyCollection()) }
}
