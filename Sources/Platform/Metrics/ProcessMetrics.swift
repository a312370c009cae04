import FoundationEssentials
import Glibc

/// What the kernel says of this process, under the names every Prometheus client uses (proc(5)).
package enum ProcessMetrics {
  package static let families = [
    MetricFamily("process_cpu_seconds_total", "Processor time spent.", .counter, by: []) {
      ProcessStatus().map { [MetricSample(.real($0.cpuSeconds))] } ?? []
    },
    MetricFamily(
      "process_start_time_seconds", "When the process started, in seconds since 1970.", .gauge,
      by: []
    ) {
      guard let status = ProcessStatus(), let boot = bootSeconds else { return [] }
      return [MetricSample(.real(boot + status.startSeconds))]
    },
    .gauge("process_resident_memory_bytes", "Memory held in RAM.") {
      ProcessStatus().map { $0.residentPages * Int(sysconf(CInt(_SC_PAGESIZE))) }
    },
    .gauge("process_virtual_memory_bytes", "Address space in use.") {
      ProcessStatus()?.virtualBytes
    },
    .gauge("process_open_fds", "Open file descriptors.") {
      (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd"))?.count
    },
    .gauge("process_max_fds", "File descriptors that may be open.") {
      var limit = rlimit()
      guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return nil }
      return Int(clamping: limit.rlim_cur)
    },
  ]

  /// When the machine started, in seconds since 1970.
  private static let bootSeconds: Double? = {
    guard let bytes = FileManager.default.contents(atPath: "/proc/stat") else { return nil }
    let line = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
      .first { $0.hasPrefix("btime ") }
    return line.flatMap { Double($0.dropFirst(6)) }
  }()
}

/// The fields of `/proc/self/stat` that are of interest.
private struct ProcessStatus {
  let cpuSeconds: Double
  let startSeconds: Double
  let virtualBytes: Int
  let residentPages: Int

  init?() {
    guard let bytes = FileManager.default.contents(atPath: "/proc/self/stat") else { return nil }
    let text = String(decoding: bytes, as: UTF8.self)
    // The second field is the program's name in parentheses and may hold anything.
    guard let end = text.lastIndex(of: ")") else { return nil }
    let fields = text[text.index(after: end)...].split(separator: " ").map { Double($0) ?? 0 }
    guard fields.count > 21 else { return nil }
    let ticks = Double(sysconf(CInt(_SC_CLK_TCK)))
    // Counted from the third field on: utime 14, stime 15, starttime 22, vsize 23, rss 24.
    cpuSeconds = (fields[11] + fields[12]) / ticks
    startSeconds = fields[19] / ticks
    virtualBytes = Int(fields[20])
    residentPages = Int(fields[21])
  }
}
