import FoundationEssentials
package import Platform
package import Tenancy

/// Where finished exports lie: `{directory}/{tenant id}/{package id}.zip`, with `.part` while they are made.
package struct ArchiveStore: Sendable {
  private let directory: FilePath

  package init(directory: FilePath) {
    self.directory = directory
  }

  package init(_ read: inout SettingsReader) {
    directory = read.value(
      "ARCHIVE_DIRECTORY", default: ".tenure/archive",
      "Where finished exports lie until they expire.")
  }

  /// Makes the root; the directories of tenants come with their first file.
  package func prepare() throws {
    try FileManager.default.createDirectory(
      atPath: directory.text, withIntermediateDirectories: true,
      attributes: [.posixPermissions: 0o700])
  }

  package func path(_ package: ID<ExportPackage>, in tenant: TenantID) -> FilePath {
    folder(tenant).appending("\(package).zip")
  }

  /// Removes a package's file, whether finished or not; nothing happens if there is none.
  func delete(_ package: ID<ExportPackage>, in tenant: TenantID) throws {
    let path = path(package, in: tenant).text
    // The part first: it may become the file while this looks.
    for file in [path + ".part", path] where FileManager.default.fileExists(atPath: file) {
      do {
        try FileManager.default.removeItem(atPath: file)
      } catch  where !FileManager.default.fileExists(atPath: file) {
        // Another job was faster.
      }
    }
  }

  /// The packages of which a file lies there, finished or not.
  func packages(of tenant: TenantID) throws -> [ID<ExportPackage>] {
    let folder = folder(tenant).text
    guard FileManager.default.fileExists(atPath: folder) else { return [] }
    let names = try FileManager.default.contentsOfDirectory(atPath: folder)
    return Set(names.compactMap { ID<ExportPackage>(String($0.prefix(36))) }).sorted()
  }

  /// Removes everything of a tenant that goes away.
  package func deleteAll(of tenant: TenantID) throws {
    let folder = folder(tenant).text
    guard FileManager.default.fileExists(atPath: folder) else { return }
    try FileManager.default.removeItem(atPath: folder)
  }

  private func folder(_ tenant: TenantID) -> FilePath { directory.appending("\(tenant)") }
}
