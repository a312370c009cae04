import ArgumentParser

/// `make bench`: drives the built product and prints the table of design section 10.
@main
struct Benchmarks: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measures Tenure against its bars; docs/benchmarks.md says how to read the table.",
    subcommands: [RunCommand.self, HelloCommand.self], defaultSubcommand: RunCommand.self)
}

/// Runs rows and reports.
struct RunCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "run", abstract: "Run rows.")

  @Option(help: "Rows by name, with commas between; all but the long ones by default.")
  var rows = ""

  @Option(help: "How often each row is measured.")
  var runs = 3

  @Option(help: "How many active organizations take part, uniformly mixed: 1,100,1000.")
  var tenants = "1,100,1000"

  @Option(help: "Seconds of load in each run.")
  var seconds = 5

  @Flag(help: "Keep the figures out of history.jsonl: for a look in between.")
  var trial = false

  @Flag(help: "Write the table into the README.")
  var readme = false

  @Flag(help: "List the rows.")
  var list = false

  func run() async throws {
    guard !list else {
      for row in Rows.all {
        Terminal.line("\(row.name): \(row.work)\(row.isLong ? " (long)" : "")")
      }
      return
    }
    let plan = try Plan(rows: rows, runs: runs, tenants: tenants, seconds: seconds)
    let bench = try await Bench(plan)
    let results = await Runner(bench: bench).run()
    await bench.end()
    let report = Report(plan: plan, machine: .current, results: results)
    Terminal.line(report.markdown)
    try report.write(toHistory: !trial)
    if readme { try report.writeReadme() }
    guard !results.contains(where: { $0.failure != nil }) else { throw ExitCode.failure }
  }
}

/// What is asked for.
struct Plan: Sendable {
  let rows: [any Row]
  let runs: Int
  let tenants: [Int]
  let seconds: Int

  init(rows names: String, runs: Int, tenants: String, seconds: Int) throws {
    let names = names.split(separator: ",").map(String.init)
    let unknown = names.filter { name in !Rows.all.contains { $0.name == name } }
    guard unknown.isEmpty else {
      throw BenchFailure(
        "Unknown rows: \(unknown.joined(separator: ", ")). There are \(Rows.all.map(\.name).joined(separator: ", "))."
      )
    }
    rows =
      names.isEmpty
      ? Rows.all.filter { !$0.isLong } : Rows.all.filter { names.contains($0.name) }
    let counts = tenants.split(separator: ",").map { Int($0) }
    guard !counts.isEmpty, runs > 0, seconds > 0,
      counts.allSatisfy({ $0.map { (1...10_000).contains($0) } ?? false })
    else { throw BenchFailure("--runs, --seconds and --tenants are numbers above 0.") }
    self.tenants = counts.compactMap { $0 }.sorted()
    self.runs = runs
    self.seconds = seconds
  }
}

/// Why nothing could be measured, or why what was measured does not count.
struct BenchFailure: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) {
    self.description = description
  }
}
