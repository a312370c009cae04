/// One line of the table: a piece of work, how it is measured and what it is held to.
protocol Row: Sendable {
  var name: String { get }
  /// What it measures, in the words of design section 10.
  var work: String { get }
  /// The figures that are shown, the row's own first, each with what it is held to.
  var bars: [Bar] { get }
  /// Whether the number of organizations that take part changes what is measured.
  var isMixed: Bool { get }
  /// Whether it needs organizations that people sign in to, rather than bare ones.
  var usesOrganizations: Bool { get }
  /// Whether it takes minutes, so that it is measured only when it is asked for by name.
  var isLong: Bool { get }
  /// One run. Ceilings are measured in it, right before or after the work itself.
  func measure(_ bench: Bench, tenants: Int) async throws -> Figures
}

extension Row {
  var isMixed: Bool { false }
  var usesOrganizations: Bool { true }
  var isLong: Bool { false }
}

/// What one run measured, by name.
typealias Figures = [String: Double]

/// A figure of a row and what it is held to (design section 10).
struct Bar: Sendable {
  let figure: String
  let unit: String
  let limit: Limit

  enum Limit: Sendable {
    case atLeast(Double)
    case atMost(Double)
    /// Shown for orientation.
    case none
  }

  init(_ figure: String, _ unit: String, _ limit: Limit = .none) {
    self.figure = figure
    self.unit = unit
    self.limit = limit
  }
}

extension Bar.Limit {
  func isMet(by value: Double) -> Bool {
    switch self {
    case .atLeast(let bar): value >= bar
    case .atMost(let bar): value <= bar
    case .none: true
    }
  }

  var text: String {
    switch self {
    case .atLeast(let bar): "≥ \(Number.text(bar))"
    case .atMost(let bar): "≤ \(Number.text(bar))"
    case .none: ""
    }
  }
}

/// What is measured, in the order of the table.
enum Rows {
  static let all: [any Row] = [
    // First: Postgres takes longer for each role the more there are.
    ProvisionRow(),
    PublishedRow(.discovery),
    PublishedRow(.keys),
    ClientCredentialsRow(.es256),
    ClientCredentialsRow(.rs256),
    BearerRow(.introspection),
    BearerRow(.userInfo),
    RefreshRow(),
    CodeRow(),
    LoginRow(),
    IsolationRow(),
    CrowdRow(),
    DatabaseRow(.select),
    DatabaseRow(.commit),
    ProvisionGrowthRow(),
    RolloutRow(),
    JobsRow(),
    AuditRow(),
    UsersRow(),
    ExportRow(),
    RetentionRow(),
    ProcessRow(),
    // a new row: one file in Rows, one line here
  ]
}
