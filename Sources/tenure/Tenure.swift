import ArgumentParser
import Platform

/// The one executable: every duty of the server, and the commands of an operator.
@main
struct Tenure: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tenure",
    abstract: "Sign-in for many organizations, and the law's promises about their users' data.",
    version: Build.version,
    subcommands: [
      DevCommand.self, ServeCommand.self, MigrateCommand.self, BootstrapCommand.self,
      SettingsCommand.self, RoutesCommand.self,
      OrganizationCommand.self, UserCommand.self, ClientCommand.self, KeyCommand.self,
      PrivacyCommand.self, AuditCommand.self, JobsCommand.self,
    ])
}

/// What this build is.
enum Build {
  static let version = "0.1.0"

  static let metric = MetricFamily(
    "tenure_build_info", "Always 1; the label says which build this is.", .gauge, by: ["version"]
  ) { [MetricSample(1, version)] }
}
