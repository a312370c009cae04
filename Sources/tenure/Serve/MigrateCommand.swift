import ArgumentParser
import ControlPlane
import Database
import Platform

/// `tenure migrate`: brings the database up to date; the platform's part at once, the organizations' as a job.
struct MigrateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "migrate", abstract: "Bring the database up to date.",
    subcommands: [Apply.self, Status.self, Pause.self, Resume.self], defaultSubcommand: Apply.self)

  struct Apply: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "apply", abstract: "Migrate the platform, and with --tenants the organizations.")

    @Flag(
      help: "Have the workers migrate the organizations too: one, then ten, then the rest.")
    var tenants = false

    @OptionGroup var limit: FailureLimit

    func run() async throws {
      let product = try Product.load()
      let applied = try await product.migrate()
      for migration in applied { Output.line("Applied \(migration.version) \(migration.name).") }
      if tenants {
        RolloutOutput.show(
          try await product.controlPlane.rollouts.start(failurePercentMax: limit.stopAtPercent),
          otherwise: "Every organization is up to date.")
      } else {
        let (organizations, version) = try await product.controlPlane.rollouts.pending()
        if organizations > 0 {
          Output.line(RolloutOutput.waiting(organizations, for: version))
        } else if applied.isEmpty {
          Output.line("Nothing to do.")
        }
      }
      await product.close()
    }
  }

  struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "status", abstract: "Show how far the organizations are.")

    func run() async throws {
      let product = try Product.load()
      let rollouts = product.controlPlane.rollouts
      let (organizations, version) = try await rollouts.pending()
      let report = try await rollouts.report()
      // The latest may be of an earlier release.
      let isCurrent = report?.rollout.target == version
      RolloutOutput.show(
        isCurrent ? report : nil,
        otherwise: organizations == 0
          ? "Every organization has version \(version)."
          : RolloutOutput.waiting(organizations, for: version))
      await product.close()
    }
  }

  struct Pause: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "pause", abstract: "Have the migration of organizations pause.")

    func run() async throws {
      let product = try Product.load()
      RolloutOutput.show(
        try await product.controlPlane.rollouts.pause(),
        otherwise: "No migration of organizations is running.")
      await product.close()
    }
  }

  struct Resume: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "resume",
      abstract: "Go on with the migration of organizations, those that failed included.")

    @OptionGroup var limit: FailureLimit

    func run() async throws {
      let product = try Product.load()
      RolloutOutput.show(
        try await product.controlPlane.rollouts.start(failurePercentMax: limit.stopAtPercent),
        otherwise: "Every organization is up to date.")
      await product.close()
    }
  }
}

/// How much may go wrong.
struct FailureLimit: ParsableArguments {
  @Option(help: "Stop when more than this share of the organizations tried has failed.")
  var stopAtPercent = 5

  func validate() throws {
    guard (0...100).contains(stopAtPercent) else {
      throw ValidationError("--stop-at-percent is a number from 0 to 100.")
    }
  }
}

/// A rollout in words.
enum RolloutOutput {
  static func waiting(_ organizations: Int, for version: Int) -> String {
    "\(organizations) organizations wait for version \(version): tenure migrate --tenants"
  }

  static func show(_ report: RolloutReport?, otherwise: String) {
    guard let report else { return Output.line(otherwise) }
    let rollout = report.rollout
    Output.line(
      "Version \(rollout.target): \(rollout.state.rawValue), \(rollout.migrated) organizations migrated in \(rollout.wave) waves, \(report.pending) to go, \(report.failures.count) of them failed."
    )
    guard !report.failures.isEmpty else { return }
    Output.table(
      ["id", "slug", "error"],
      report.failures.map { [ID<Rollout>($0.organization).description, $0.slug, $0.error] })
    Output.line("The log of the worker says more. Then: tenure migrate resume")
  }
}
