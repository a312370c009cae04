package import Platform
package import Tenancy
package import Web

/// A new organization as it was asked for, checked.
package struct OrganizationDraft: Sendable {
  package let slug: Slug
  package let name: String
  package let settings: TenantSettings

  static let nameLength = 1...200

  package init(slug: Slug, name: String, settings: TenantSettings) {
    self.slug = slug
    self.name = name
    self.settings = settings
  }

  /// The body of `POST /admin/v1/organizations`.
  package init(_ body: JSON) throws(Problem) {
    var fields = try Fields(body)
    let slug = fields.slug()
    let name = fields.string("name", length: Self.nameLength)
    let patch = fields.settings()
    var settings = TenantSettings()
    do {
      if let patch { settings = try TenantSettings(validating: patch) }
    } catch {
      fields.refuse(error, under: "settings.")
    }
    try fields.finish()
    // finish() has thrown unless the slug is there.
    guard let slug else { throw .validation([FieldError("slug", "is required.")]) }
    self.init(slug: slug, name: name, settings: settings)
  }
}

/// A change of an organization (RFC 7396): members that are absent stay as they are.
struct OrganizationPatch: Sendable {
  let name: String?
  let settings: JSONObject?

  /// The body of `PATCH /admin/v1/organizations/{id}`.
  init(_ body: JSON) throws(Problem) {
    var fields = try Fields(body)
    name =
      if fields.has("name") {
        fields.string("name", length: OrganizationDraft.nameLength)
      } else {
        nil
      }
    settings = fields.settings()
    if fields.take("slug") != nil {
      fields.refuse("slug", "cannot be changed: it is part of the issuer.")
    }
    try fields.finish()
  }

  func settings(over current: JSON) throws(Problem) -> TenantSettings {
    do {
      let settings = try TenantSettings(validating: current.objectValue ?? [:])
      return if let patch = self.settings { try settings.applying(patch) } else { settings }
    } catch {
      throw .validation(error.fieldErrors(under: "settings."))
    }
  }
}

extension Fields {
  fileprivate mutating func slug() -> Slug? {
    let text = string("slug", length: Slug.lengthMin...Slug.lengthMax)
    guard !text.isEmpty else { return nil }
    do {
      return try Slug(text)
    } catch {
      refuse("slug", error.message)
      return nil
    }
  }

  fileprivate mutating func settings() -> JSONObject? {
    guard let value = take("settings"), value != .null else { return nil }
    guard let object = value.objectValue else {
      refuse("settings", "must be an object.")
      return nil
    }
    return object
  }
}
