import Platform

/// What a worker counts, by kind of job: the kinds are those it has handlers for.
struct JobMetrics: Sendable {
  /// What can come of a job, as a label.
  enum End: String, CaseIterable {
    case completed, cancelled
    /// It failed and will be tried again.
    case retried
    /// It failed for good.
    case dead
    /// Handed back unfinished, at shutdown.
    case returned
    /// Another worker has it.
    case lost

    init(_ outcome: JobOutcome) {
      self =
        switch outcome {
        case .completed: .completed
        case .cancelled: .cancelled
        case .failed(_, _, let dead): dead ? .dead : .retried
        case .returned: .returned
        case .lost: .lost
        }
    }
  }

  struct OfKind: Sendable {
    let started = Counter()
    let durations = DurationHistogram(.background)
    fileprivate let ended = End.allCases.map { ($0, Counter()) }

    func note(_ outcome: JobOutcome) {
      let end = End(outcome)
      for (candidate, counter) in ended where candidate == end { counter.add() }
    }
  }

  private let kinds: [String: OfKind]
  private let running = Gauge()

  init(kinds: [String]) {
    self.kinds = Dictionary(kinds.map { ($0, OfKind()) }, uniquingKeysWith: { first, _ in first })
  }

  /// Counts a job from here to its end.
  func measuring(
    _ job: ClaimedJob, _ body: () async -> JobOutcome
  ) async -> JobOutcome {
    let kind = kinds[job.kind]
    let watch = Stopwatch()
    kind?.started.add()
    running.add(1)
    let outcome = await body()
    running.add(-1)
    kind?.durations.observe(watch)
    kind?.note(outcome)
    return outcome
  }

  func families(slots: Int) -> [MetricFamily] {
    let kinds = kinds.sorted { $0.key < $1.key }
    return [
      MetricFamily("tenure_jobs_started_total", "Jobs begun here.", .counter, by: ["kind"]) {
        kinds.map { MetricSample($0.value.started.value, $0.key) }
      },
      MetricFamily(
        "tenure_jobs_ended_total", "Jobs that came to an end here, and which.", .counter,
        by: ["kind", "outcome"]
      ) {
        kinds.flatMap { kind, counts in
          counts.ended.map { MetricSample($1.value, kind, $0.rawValue) }
        }
      },
      MetricFamily(
        "tenure_job_duration_seconds", "How long jobs ran here.", .histogram, by: ["kind"]
      ) {
        kinds.map { MetricSample(.durations($0.value.durations.snapshot), $0.key) }
      },
      .gauge("tenure_jobs_running", "Jobs that run here right now.") { [running] in running.value },
      .gauge("tenure_job_slots", "Jobs that may run here at the same time.") { slots },
    ]
  }
}
