package import Compliance
package import Database
package import Tenancy
import Web

/// What people of an organization can agree to, as administrators define it.
package struct Purposes: Sendable {
  let database: Database
  let consents: Consents

  package init(database: Database, consents: Consents) {
    self.database = database
    self.consents = consents
  }

  static let notFound = Problem.notFound("There is no such purpose.")

  func list(in tenant: Tenant) async throws -> [(ConsentPurpose, [String: String])] {
    let purposes = try await consents.purposes(retired: true, in: tenant)
    let texts = try await database.all(CurrentPurposeTexts(purpose: nil), in: tenant.schema)
    let byPurpose = Dictionary(grouping: texts, by: \.purpose)
    return purposes.map { ($0, Self.byLanguage(byPurpose[$0.id] ?? [])) }
  }

  func find(_ id: String, in tenant: Tenant) async throws -> (ConsentPurpose, [String: String]) {
    guard let purpose = try await consents.purpose(id, in: tenant) else { throw Self.notFound }
    let texts = try await database.all(CurrentPurposeTexts(purpose: id), in: tenant.schema)
    return (purpose, Self.byLanguage(texts))
  }

  /// A new purpose.
  @discardableResult
  package func create(
    _ definition: PurposeDefinition, in tenant: Tenant, origin: AuditOrigin
  ) async throws -> ConsentPurpose {
    try await database.transaction(in: tenant.schema) { tx in
      _ = try await tx.first(LockPurposes())
      guard try await tx.first(FindPurposeID(id: definition.id)) == nil else {
        throw Problem.conflict(
          "There is a purpose with this id already.",
          errors: [FieldError("id", "is in use by another purpose.")])
      }
      return try await consents.define(definition, in: tx, tenant: tenant, origin: origin)
    }
  }

  func update(_ id: String, _ patch: PurposePatch, in tenant: Tenant, origin: AuditOrigin)
    async throws -> (ConsentPurpose, [String: String])
  {
    guard id != ConsentPurpose.application || patch.isActive != false else {
      throw Problem.conflict("The built-in purpose cannot be retired.")
    }
    guard let purpose = try await consents.purpose(id, in: tenant) else { throw Self.notFound }
    return try await database.transaction(in: tenant.schema) { tx in
      _ = try await tx.first(LockPurposes())
      let texts = Self.byLanguage(try await tx.all(CurrentPurposeTexts(purpose: id)))
      let definition = patch.applied(to: purpose, texts: texts)
      let changed = try await consents.define(definition, in: tx, tenant: tenant, origin: origin)
      return (changed, definition.notices)
    }
  }

  private static func byLanguage(_ texts: [PurposeText]) -> [String: String] {
    Dictionary(texts.map { ($0.language, $0.body) }) { first, _ in first }
  }
}
