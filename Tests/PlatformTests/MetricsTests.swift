import Foundation
import Testing

@testable import Platform

@Suite("Metrics")
struct MetricsTests {
  static func text(_ families: MetricFamily...) -> String {
    String(decoding: MetricsRegistry(families).exposition(), as: UTF8.self)
  }

  @Test("exposition format 0.0.4: help, type, samples, in the order of names")
  func plain() {
    let counter = Counter()
    counter.add()
    counter.add(41)
    let text = Self.text(
      .gauge("b_level", "A level.") { 7 }, .counter("a_things_total", "Things.", counter),
      .gauge("c_nothing", "Not there.") { nil })
    #expect(
      text == """
        # HELP a_things_total Things.
        # TYPE a_things_total counter
        a_things_total 42
        # HELP b_level A level.
        # TYPE b_level gauge
        b_level 7
        # HELP c_nothing Not there.
        # TYPE c_nothing gauge

        """)
  }

  @Test("backslashes and line feeds are escaped, in label values quotes too")
  func escapes() {
    let family = MetricFamily("x", "a\\b\n\"c\"", .gauge, by: ["one", "two"]) {
      [MetricSample(1, "a\\b\n\"c\"", "é")]
    }
    #expect(
      Self.text(family) == """
        # HELP x a\\\\b\\n"c"
        # TYPE x gauge
        x{one="a\\\\b\\n\\"c\\"",two="é"} 1

        """)
  }

  @Test("a histogram is cumulative, ends with +Inf, and its count is that of the last bucket")
  func histogram() {
    let histogram = DurationHistogram(DurationHistogram.Bounds(milliseconds: [0.5, 10, 1000]))
    for nanoseconds in [400_000, 500_000, 500_001, 2_000_000_000, -5] {
      histogram.observe(nanoseconds: nanoseconds)
    }
    let family = MetricFamily("d_seconds", "D.", .histogram, by: ["route"]) {
      [MetricSample(.durations(histogram.snapshot), "/a")]
    }
    #expect(
      Self.text(family) == """
        # HELP d_seconds D.
        # TYPE d_seconds histogram
        d_seconds_bucket{route="/a",le="0.0005"} 3
        d_seconds_bucket{route="/a",le="0.01"} 4
        d_seconds_bucket{route="/a",le="1"} 4
        d_seconds_bucket{route="/a",le="+Inf"} 5
        d_seconds_sum{route="/a"} 2.001400001
        d_seconds_count{route="/a"} 5

        """)
  }

  @Test(
    "numbers are what Go reads",
    arguments: [
      (1.0, "1"), (0.25, "0.25"), (1e-7, "1e-07"), (.infinity, "+Inf"), (-.infinity, "-Inf"),
      (.nan, "NaN"), (1_700_000_000.5, "1700000000.5"),
    ] as [(Double, String)])
  func numbers(_ value: Double, _ text: String) {
    #expect(MetricText.number(value) == text)
  }

  @Test("a series never has more values than its bound; the rest share one")
  func bounded() {
    let series = Series(valuesMax: 2) { Counter() }
    for value in ["a", "b", "c", "d", "a"] { series[value].add() }
    let text = Self.text(.counter("s_total", "S.", by: "who", series))
    #expect(
      text.split(separator: "\n").dropFirst(2) == [
        "s_total{who=\"a\"} 2", "s_total{who=\"b\"} 1", "s_total{who=\"_other\"} 2",
      ])
    for value in 0..<10_000 { series["\(value)"].add() }
    #expect(series.all.count == 3)
  }

  @Test("counting is safe from many threads at once")
  func concurrent() async {
    let series = Series(valuesMax: 4) { Counter() }
    await withTaskGroup(of: Void.self) { group in
      for task in 0..<8 {
        group.addTask { for _ in 0..<1000 { series["\(task)"].add() } }
      }
    }
    #expect(series.all.reduce(0) { $0 + $1.instrument.value } == 8000)
    #expect(series.all.count == 5)
  }

  @Test("what the kernel says of this process")
  func process() throws {
    let text = String(
      decoding: MetricsRegistry(ProcessMetrics.families).exposition(), as: UTF8.self)
    func value(_ name: String) throws -> Double {
      let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("\(name) ") })
      return try #require(Double(line.split(separator: " ")[1]))
    }
    #expect(try value("process_resident_memory_bytes") > 1_000_000)
    #expect(try value("process_cpu_seconds_total") > 0)
    #expect(try value("process_open_fds") > 2)
    #expect(try value("process_max_fds") > 10)
    let age = Date().timeIntervalSince1970 - (try value("process_start_time_seconds"))
    #expect((-2...3600).contains(age))
  }

  @Test(
    "names", arguments: [("a_b:c", true), ("9a", false), ("a-b", false), ("", false), ("A9", true)])
  func names(_ text: String, _ isName: Bool) {
    #expect(MetricText.isName(text) == isName)
  }
}
