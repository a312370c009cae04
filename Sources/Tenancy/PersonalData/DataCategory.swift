/// A category of personal data: a key of the Fides taxonomy (fideslang 3.2), such as
/// `user.contact.email`.
///
/// What the export, the record of processing and the notice group by.
package struct DataCategory: Hashable, Sendable, Comparable, CustomStringConvertible {
  package let key: String

  package init(_ key: StaticString) {
    self.key = String(describing: key)
  }

  package var description: String { key }

  package static func < (left: DataCategory, right: DataCategory) -> Bool { left.key < right.key }
}

extension DataCategory {
  package static let name = DataCategory("user.name")
  package static let contact = DataCategory("user.contact")
  package static let contactEmail = DataCategory("user.contact.email")
  package static let contactPhone = DataCategory("user.contact.phone_number")
  package static let contactAddress = DataCategory("user.contact.address")
  package static let contactURL = DataCategory("user.contact.social_url")
  package static let account = DataCategory("user.account")
  package static let accountSettings = DataCategory("user.settings")
  package static let accountUsername = DataCategory("user.account.username")
  package static let authorization = DataCategory("user.authorization")
  package static let credentials = DataCategory("user.authorization.credentials")
  package static let password = DataCategory("user.authorization.password")
  package static let uniqueID = DataCategory("user.unique_id")
  package static let deviceAgent = DataCategory("user.device")
  package static let deviceIPAddress = DataCategory("user.device.ip_address")
  package static let behavior = DataCategory("user.behavior")
  package static let consent = DataCategory("user.privacy_preferences")
  package static let dateOfBirth = DataCategory("user.demographic.date_of_birth")
  package static let gender = DataCategory("user.demographic.gender")
  package static let language = DataCategory("user.demographic.language")
  package static let image = DataCategory("user.content.self_image")
  package static let timeZone = DataCategory("user.location.coarse")
  package static let operations = DataCategory("system.operations")
}
