import Foundation
import Platform
import Tenancy
import Testing

@testable import ControlPlane

@Suite("The life of an organization (design section 3)")
struct OrganizationLifeTests {
  enum Action: CaseIterable { case suspend, resume, delete }

  @Test(
    "What an action makes of a status",
    arguments: [
      (Action.suspend, TenantStatus.active, StatusChange.change(to: .suspended)),
      (.suspend, .readOnly, .change(to: .suspended)), (.suspend, .suspended, .unchanged),
      (.suspend, .deleting, .refuse("The organization is deleting.")),
      (.resume, .suspended, .change(to: .active)), (.resume, .readOnly, .change(to: .active)),
      (.resume, .active, .unchanged),
      (.resume, .deleting, .refuse("The organization is deleting.")),
      (.delete, .active, .change(to: .deleting)), (.delete, .suspended, .change(to: .deleting)),
      (.delete, .provisioning, .change(to: .deleting)), (.delete, .deleting, .unchanged),
      (.delete, .deleted, .unchanged),
    ])
  func table(_ action: Action, _ status: TenantStatus, _ expected: StatusChange) {
    #expect(change(action, organization(slug: "acme", status)) == expected)
  }

  @Test(
    "Schemas are made ahead where there are many organizations and few of them are left",
    arguments: [
      (spare: 0, organizations: 0, 0), (0, 127, 0), (0, 128, 16), (15, 128, 1), (16, 128, 0),
      (0, 1000, 125), (15, 1000, 110), (16, 1000, 0), (200, 1000, 0), (0, 2048, 256),
      (3, 100_000, 253),
    ])
  func roles(_ spare: Int, _ organizations: Int, _ missing: Int) {
    #expect(SpareSchemas.missing(spare: spare, organizations: organizations) == missing)
  }

  @Test("The system organization stays")
  func system() {
    let system = organization(slug: Tenant.systemSlug, .active)
    for action in [Action.suspend, .delete] {
      guard case .refuse = change(action, system) else {
        Issue.record("\(action) was not refused")
        continue
      }
    }
  }

  private func change(_ action: Action, _ organization: Organization) -> StatusChange {
    switch action {
    case .suspend: organization.suspension()
    case .resume: organization.resumption()
    case .delete: organization.deletion()
    }
  }

  private func organization(slug: String, _ status: TenantStatus) -> Organization {
    Organization(
      id: .generate(.system, .system), slug: slug, name: "Acme", status: status, schemaVersion: 1,
      epoch: 1, settings: [:], createdAt: Date(), updatedAt: Date(), deletedAt: nil)
  }
}
