import Database
import FoundationEssentials
package import Jobs
import Platform
package import Tenancy

/// Moves the signing keys of one organization on, as far as they are due.
package struct RotateSigningKeys: Job {
  package static let kind = "keys.rotate"
  package static let options = JobOptions(
    attemptsMax: 10, timeoutSeconds: 300, priority: 50,
    concurrency: .limited(perKind: 2, perOrganization: 1))

  let organization: TenantID

  package init(organization: TenantID) {
    self.organization = organization
  }

  /// Once a day, not all organizations at the same time: what is due is measured in days.
  static func schedule() throws -> JobSchedule {
    JobSchedule(
      calendar: CronCalendar(try CronExpression("0 0 * * *"), timeZone: .gmt),
      jitterSeconds: 20 * 3600, catchUp: .once)
  }
}

/// It may run again at any time: what has been moved is not due any more.
package struct RotateSigningKeysHandler: JobHandler {
  let directory: TenantDirectory
  let rotation: SigningKeyRotation

  package func run(_ payload: RotateSigningKeys, _ context: JobContext) async throws {
    guard let tenant = try await directory.find(id: payload.organization),
      tenant.status.isRoutable
    else { return }
    try await rotation.advance(in: tenant, origin: .system)
  }
}
