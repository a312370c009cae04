package import Database

/// The schema's history, compiled into the program.
///
/// A new migration: two files (`NNNN_name.up.sql`, `.down.sql`) and one line here.
package enum Migrations {
  /// The platform's own schema.
  package static let control = [
    migration(
      1, "control_plane", up: PackageResources._001_control_plane_up_sql,
      down: PackageResources._001_control_plane_down_sql),
    migration(
      2, "jobs", up: PackageResources._002_jobs_up_sql, down: PackageResources._002_jobs_down_sql),
    migration(
      3, "rollout", up: PackageResources._003_rollout_up_sql,
      down: PackageResources._003_rollout_down_sql),
    migration(
      4, "key_rotation_schedule", up: PackageResources._004_key_rotation_schedule_up_sql,
      down: PackageResources._004_key_rotation_schedule_down_sql),
    migration(
      5, "spare_schema", up: PackageResources._005_spare_schema_up_sql,
      down: PackageResources._005_spare_schema_down_sql),
  ]

  /// Every tenant's schema; `{tenant}` in the scripts is its quoted name.
  package static let tenant = [
    migration(
      1, "tenant", up: PackageResources._001_tenant_up_sql,
      down: PackageResources._001_tenant_down_sql),
    migration(
      2, "signing_key_rotation", up: PackageResources._002_signing_key_rotation_up_sql,
      down: PackageResources._002_signing_key_rotation_down_sql),
    migration(
      3, "grants_and_registration", up: PackageResources._003_grants_and_registration_up_sql,
      down: PackageResources._003_grants_and_registration_down_sql),
    migration(
      4, "authorization_request", up: PackageResources._004_authorization_request_up_sql,
      down: PackageResources._004_authorization_request_down_sql),
    migration(
      5, "client_revocation", up: PackageResources._005_client_revocation_up_sql,
      down: PackageResources._005_client_revocation_down_sql),
  ]

  // SwiftPM names an embedded file after itself, with an underscore for the first digit and for everything else that an
  // identifier cannot hold.
  private static func migration(_ version: Int, _ name: String, up: [UInt8], down: [UInt8])
    -> Migration
  {
    Migration(
      version: version, name: name, up: String(decoding: up, as: UTF8.self),
      down: String(decoding: down, as: UTF8.self))
  }
}
