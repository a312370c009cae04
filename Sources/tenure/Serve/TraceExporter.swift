import AsyncHTTPClient
import Logging
import NIOCore
import NIOHTTP1
import Platform
import ServiceLifecycle

/// Whether traces are collected, and by whom.
struct TraceSettings: Sendable {
  let endpoint: BaseURL?
  let sampleRatio: Double

  init(_ read: inout SettingsReader) {
    endpoint = read.optional(
      "TRACES_ENDPOINT",
      "Where spans are sent by OTLP/HTTP, such as `http://localhost:4318/v1/traces`; without it none are recorded."
    )
    sampleRatio = read.value(
      "TRACES_SAMPLE_RATIO", default: 1.0, in: 0.0...1.0,
      "Share of the traces that begin here and are recorded; callers decide for theirs.")
  }
}

/// Sends recorded spans to a collector in batches (OTLP/HTTP with JSON).
///
/// A collector that is away is tried again, ever more rarely; what it has not taken after some tries is dropped and
/// counted. At shutdown it gets a last chance of a few seconds.
struct TraceExporter: Service {
  let recorder: SpanRecorder
  let endpoint: BaseURL
  let version: String
  let logger: Logger

  private static let batchMax = 512
  private static let triesMax = 5
  private static let interval = Duration.seconds(1)
  private static let timeout = TimeAmount.seconds(10)
  private static let farewell = Duration.seconds(5)

  func run() async throws {
    let client = HTTPClient(
      eventLoopGroupProvider: .singleton,
      configuration: HTTPClient.Configuration(redirectConfiguration: .disallow))
    let rest = await cancelWhenGracefulShutdown { await exportUntilCancelled(client) }
    await exportRest(rest, client)
    try await client.shutdown()
  }

  /// What was not taken when the end came.
  private func exportUntilCancelled(_ client: HTTPClient) async -> [FinishedSpan] {
    var batch: [FinishedSpan] = []
    var failures = 0
    while !Task.isCancelled {
      if batch.isEmpty { batch = recorder.take(max: Self.batchMax) }
      if !batch.isEmpty {
        switch await send(batch, client) {
        case .taken:
          batch = []
          failures = 0
        case .refused: drop(&batch)
        case .unreachable(let reason):
          failures += 1
          if failures == 1 {
            logger.warning("traces not exported", metadata: ["reason": "\(reason)"])
          }
          if failures % Self.triesMax == 0 { drop(&batch) }
        }
      }
      if failures > 0 {
        try? await Task.sleep(for: Self.interval * (1 << min(failures, 6)))
      } else if recorder.count < Self.batchMax {
        try? await Task.sleep(for: Self.interval)
      }
    }
    return batch
  }

  private func exportRest(_ batch: [FinishedSpan], _ client: HTTPClient) async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask {
        var batch = batch.isEmpty ? recorder.take(max: Self.batchMax) : batch
        while !batch.isEmpty {
          guard case .taken = await send(batch, client) else { return drop(&batch) }
          batch = recorder.take(max: Self.batchMax)
        }
      }
      group.addTask { try? await Task.sleep(for: Self.farewell) }
      await group.next()
      group.cancelAll()
    }
  }

  private enum Reply {
    case taken, refused
    case unreachable(String)
  }

  private func send(_ batch: [FinishedSpan], _ client: HTTPClient) async -> Reply {
    var request = HTTPClientRequest(url: endpoint.text)
    request.method = .POST
    request.headers.add(name: "Content-Type", value: "application/json")
    let document = OTLP.document(batch, serviceVersion: version)
    request.body = .bytes(ByteBuffer(bytes: document.encoded()))
    do {
      let response = try await client.execute(request, timeout: Self.timeout)
      _ = try? await response.body.collect(upTo: 64 * 1024)
      switch response.status.code {
      case 200..<300: return .taken
      // The collector says when it is worth trying again (OTLP/HTTP, "Retryable Response Codes").
      case 429, 502, 503, 504: return .unreachable("status \(response.status.code)")
      default:
        logger.error("traces refused", metadata: ["status": "\(response.status.code)"])
        return .refused
      }
    } catch {
      return .unreachable("\(error)")
    }
  }

  private func drop(_ batch: inout [FinishedSpan]) {
    recorder.noteDropped(batch.count)
    batch = []
  }
}
