import NIOCore

/// How long each part of an exchange may take (our policy).
package struct ConnectionLimits: Sendable {
  /// Silence between two requests, and while an answer is streamed.
  var idle: TimeAmount
  /// From the first byte of a request to the last of its head.
  var head: TimeAmount
  /// From the end of the head to the end of the body.
  var body: TimeAmount
  /// From the end of the head to the first byte of the answer.
  var answer: TimeAmount
  /// From the wish to stop to the end of what is under way.
  var drain: TimeAmount
  /// Bytes of a request line, and of all headers.
  var headerBytes: Int

  /// How exactly the times are kept: a quarter of the shortest.
  var grain: TimeAmount { .nanoseconds(min(idle, head, body, answer).nanoseconds / 4) }
}

/// Where a connection is in the exchange of requests and answers, and until when it may stay there.
///
/// No I/O: the channel handler tells it what happens and asks what is due.
struct ConnectionClock {
  enum Due: Equatable {
    case nothing
    /// Nobody waits for an answer.
    case close
    /// The request did not arrive in time (RFC 9110 section 15.5.9).
    case refuseSlowRequest
    /// There is no answer in time (RFC 9110 section 15.6.4).
    case refuseSlowAnswer
  }

  let limits: ConnectionLimits
  private var activeAt: NIODeadline
  private var headBeganAt: NIODeadline?
  private var requestBeganAt: NIODeadline
  /// Between the head and the end of a request.
  private(set) var isReading = false
  /// Requests whose answer is not complete.
  private(set) var pending = 0
  /// Whether the answer to the oldest of them has begun.
  private(set) var isAnswerBegun = false

  init(_ limits: ConnectionLimits, now: NIODeadline) {
    self.limits = limits
    activeAt = now
    requestBeganAt = now
  }

  /// Neither a request nor a part of one is there.
  var isIdle: Bool { pending == 0 && !isReading && headBeganAt == nil }

  mutating func bytesArrived(_ now: NIODeadline) {
    if pending == 0, !isReading, headBeganAt == nil { headBeganAt = now }
  }

  mutating func requestHead(_ now: NIODeadline) {
    headBeganAt = nil
    isReading = true
    pending += 1
    requestBeganAt = now
  }

  mutating func requestEnd(_ now: NIODeadline) {
    isReading = false
    activeAt = now
  }

  mutating func answerPart(_ now: NIODeadline) {
    isAnswerBegun = true
    activeAt = now
  }

  mutating func answerEnd(_ now: NIODeadline) {
    isAnswerBegun = false
    pending = max(0, pending - 1)
    activeAt = now
    // The next of several requests that came at once has waited through no fault of its own.
    if pending > 0 { requestBeganAt = now }
  }

  /// What is due next, and when.
  var deadline: (at: NIODeadline, due: Due) {
    if pending == 0, !isReading {
      guard let headBeganAt else { return (activeAt + limits.idle, .close) }
      return (headBeganAt + limits.head, .refuseSlowRequest)
    }
    let body = requestBeganAt + limits.body
    if isAnswerBegun || pending == 0 {
      // An answer that began before the request ended can't be taken back.
      return isReading ? (body, .close) : (activeAt + limits.idle, .close)
    }
    let answer = requestBeganAt + limits.answer
    return isReading && body < answer ? (body, .refuseSlowRequest) : (answer, .refuseSlowAnswer)
  }

  func due(_ now: NIODeadline) -> Due {
    let (at, due) = deadline
    return at <= now ? due : .nothing
  }
}
