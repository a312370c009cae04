import HTTPTypes
import NIOCore
import NIOExtras
import NIOHTTP1
import NIOHTTPTypes
import Platform

/// Watches over one connection: deadlines, answers to what the parser can't read, and its end.
///
/// It sits between the HTTP codec and the endpoints. Whatever leaves without our security headers was
/// not made by an endpoint but by the framework, after an error of the parser, and is replaced here.
final class ConnectionHandler: ChannelDuplexHandler {
  typealias InboundIn = HTTPRequestPart
  typealias InboundOut = HTTPRequestPart
  typealias OutboundIn = HTTPResponsePart
  typealias OutboundOut = HTTPResponsePart

  /// How long the client has to close its side after a last answer, so that it reads it.
  private static let lingering = TimeAmount.seconds(2)
  /// How long a request may be on its way when the connection is to end.
  private static let underWay = TimeAmount.milliseconds(500)

  private let connection: Connection
  private let drain: Drain
  private let refusals: BareRefusals
  private let published: PublishedAnswers
  /// Completed when the handler of this connection's request has to stop.
  private let overdue: EventLoopPromise<Bool>
  private var clock: ConnectionClock
  private var timer: Scheduled<Void>?
  /// Of the latest request: says how it is refused.
  private var path: String?
  private var parserStatus: HTTPResponse.Status?
  /// The length of the request line, as far as it is here.
  private var lineBytes = 0
  private var isLineOver = false
  /// Of the requests without a complete answer, which ask for a head alone (RFC 9110 section 9.3.2).
  private var headsOnly: [Bool] = []
  private var closesAfterAnswer = false
  /// The only request under way, if its answer could be given to others.
  private var candidate: PublishedAnswers.Candidate?
  /// What answers the request that is just coming in.
  private var answer: ByteBuffer?
  /// Stands before the codec, where finished bytes can leave.
  private var gauge: RequestLineGauge?
  /// After the last answer: nothing more goes out.
  private var isOver = false

  init(
    _ connection: Connection, limits: ConnectionLimits, drain: Drain, refusals: BareRefusals,
    published: PublishedAnswers, overdue: EventLoopPromise<Bool>
  ) {
    self.connection = connection
    self.drain = drain
    self.refusals = refusals
    self.published = published
    self.overdue = overdue
    clock = ConnectionClock(limits, now: .now())
  }

  func handlerAdded(context: ChannelHandlerContext) {
    armTimer(context)
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    timer?.cancel()
    overdue.succeed(false)
  }

  // MARK: In

  /// Called by ``RequestLineGauge`` with what came off the wire, before the parser sees it.
  func bytesArrived(_ bytes: ByteBuffer) {
    if clock.isIdle {
      lineBytes = 0
      isLineOver = false
    }
    clock.bytesArrived(.now())
    guard !isLineOver else { return }
    let end = bytes.readableBytesView.firstIndex(of: UInt8(ascii: "\n"))
    isLineOver = end != nil
    lineBytes += end.map { $0 - bytes.readerIndex } ?? bytes.readableBytes
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !isOver else { return }
    let now = NIODeadline.now()
    switch unwrapInboundIn(data) {
    case .head(let head):
      let isAlone = clock.pending == 0
      clock.requestHead(now)
      if isAlone, !closesAfterAnswer, !drain.isDraining {
        answer = published.answer(to: head, allocator: context.channel.allocator)
        guard answer == nil else { return }
      }
      candidate = isAlone ? published.candidate(head) : nil
      connection.noteHead(now)
      headsOnly.append(head.method == .head)
      path = head.path
    case .body: break
    case .end:
      clock.requestEnd(now)
      if let answer {
        self.answer = nil
        clock.answerEnd(now)
        gauge?.send(answer)
        if closesAfterAnswer { finish(context) }
        return
      }
      // It was answered before it was here.
      if closesAfterAnswer, clock.pending == 0 { finish(context) }
    }
    context.fireChannelRead(data)
  }

  /// Where ``PublishedAnswers`` leave.
  func sends(through gauge: RequestLineGauge?) { self.gauge = gauge }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if let error = error as? HTTPParserError {
      // The parser does not tell which part is too long.
      let isLineTooLong = lineBytes > clock.limits.headerBytes
      parserStatus =
        error != .headerOverflow
        ? .badRequest : isLineTooLong ? .uriTooLong : .requestHeaderFieldsTooLarge
      // Where an endpoint is at work it is for the endpoint to answer.
      if clock.pending == 0, !isOver { refuse(parserStatus ?? .badRequest, context) }
    }
    context.fireErrorCaught(error)
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    switch event {
    case is ChannelShouldQuiesceEvent:
      // A client that just connected, or takes up a connection again, has sent what is not here yet.
      closesAfterAnswer = true
      let loop = context.eventLoop.assumeIsolated()
      loop.scheduleTask(in: Self.underWay) {
        if self.clock.isIdle { self.finish(context) }
      }
      loop.scheduleTask(in: clock.limits.drain) { context.close(promise: nil) }
    case ChannelEvent.inputClosed where isOver:
      context.close(promise: nil)
    default:
      context.fireUserInboundEventTriggered(event)
    }
  }

  // MARK: Out

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    guard !isOver else {
      promise?.fail(ChannelError.ioOnClosedChannel)
      return
    }
    let now = NIODeadline.now()
    switch unwrapOutboundIn(data) {
    case .head(var head):
      if parserStatus != nil, !head.headerFields.contains(.contentSecurityPolicy) {
        refuse(parserStatus ?? .badRequest, context)
        promise?.fail(ChannelError.ioOnClosedChannel)
        return
      }
      clock.answerPart(now)
      if candidate?.begins(head) != true { candidate = nil }
      closesAfterAnswer = closesAfterAnswer || drain.isDraining || parserStatus != nil
      guard closesAfterAnswer else { return context.write(data, promise: promise) }
      head.headerFields[.connection] = "close"
      context.write(wrapOutboundOut(.head(head)), promise: promise)
    case .body(let part):
      clock.answerPart(now)
      if candidate?.goesOn(part) != true { candidate = nil }
      // What follows the head of such an answer would be taken for the next answer.
      guard headsOnly.first != true else {
        promise?.succeed()
        return
      }
      context.write(data, promise: promise)
    case .end:
      clock.answerEnd(now)
      if let candidate, let origin = connection.takeAnswerOrigin() {
        published.keep(candidate, from: origin)
      }
      candidate = nil
      if !headsOnly.isEmpty { headsOnly.removeFirst() }
      if closesAfterAnswer, clock.pending == 0 {
        context.writeAndFlush(data, promise: promise)
        finish(context)
      } else {
        context.write(data, promise: promise)
      }
    }
  }

  /// Answers in place of the endpoint, and ends the connection.
  private func refuse(_ status: HTTPResponse.Status, _ context: ChannelHandlerContext) {
    if clock.pending > 0 { overdue.succeed(true) }
    let format = path.map { ErrorFormat(path: $0) } ?? .problem
    let (head, body) = refusals.answer(status, format)
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    if headsOnly.first != true { context.write(wrapOutboundOut(.body(body)), promise: nil) }
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    finish(context)
  }

  /// Ends the connection in the order of RFC 9112 section 9.6: first our side, so that an answer is not
  /// lost to a reset.
  private func finish(_ context: ChannelHandlerContext) {
    guard !isOver else { return }
    isOver = true
    timer?.cancel()
    context.close(mode: .output, promise: nil)
    timer = context.eventLoop.assumeIsolated().scheduleTask(in: Self.lingering) {
      context.close(promise: nil)
    }
  }

  // MARK: Time

  /// One timer a connection, set anew when it fires, and never for longer than the grain: an exchange
  /// costs no timer, and what is due is found at most a grain later.
  private func armTimer(_ context: ChannelHandlerContext) {
    let next = min(clock.deadline.at, .now() + clock.limits.grain)
    timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: next) {
      self.timerFired(context)
    }
  }

  private func timerFired(_ context: ChannelHandlerContext) {
    guard !isOver else { return }
    switch clock.due(.now()) {
    case .nothing: armTimer(context)
    case .close: context.close(promise: nil)
    case .refuseSlowRequest: refuse(.requestTimeout, context)
    case .refuseSlowAnswer: refuse(.serviceUnavailable, context)
    }
  }
}

/// Stands before the parser and shows the handler behind it what came; finished bytes leave here.
final class RequestLineGauge: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let handler: ConnectionHandler
  private var context: ChannelHandlerContext?

  init(_ handler: ConnectionHandler) {
    self.handler = handler
  }

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    handler.sends(through: self)
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    self.context = nil
    handler.sends(through: nil)
  }

  func send(_ bytes: ByteBuffer) {
    context?.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    handler.bytesArrived(unwrapInboundIn(data))
    context.fireChannelRead(data)
  }
}

/// Answers that no endpoint makes, with the headers every answer has.
struct BareRefusals: Sendable {
  let headers: HTTPFields

  func answer(_ status: HTTPResponse.Status, _ format: ErrorFormat) -> (HTTPResponse, ByteBuffer) {
    let document = Self.problem(status).document(format == .oauth ? .oauth : .problem)
    let body = ByteBuffer(bytes: document.body.encoded())
    var head = HTTPResponse(status: status, headerFields: headers)
    head.headerFields[.contentType] = document.contentType
    head.headerFields[.contentLength] = String(body.readableBytes)
    head.headerFields[.connection] = "close"
    if status == .serviceUnavailable { head.headerFields[.retryAfter] = "5" }
    return (head, body)
  }

  private static func problem(_ status: HTTPResponse.Status) -> Problem {
    switch status {
    case .uriTooLong:
      Problem(status, kind: "uri-too-long", detail: "The address is too long.")
    case .requestHeaderFieldsTooLarge:
      Problem(status, kind: "headers-too-large", detail: "The headers are too large.")
    case .requestTimeout:
      Problem(status, kind: "request-timeout", detail: "The request took too long to arrive.")
    case .serviceUnavailable:
      Problem(status, kind: "unavailable", detail: "The answer took too long. Try again.")
    default: Problem(status, kind: "bad-request", detail: "The request is not valid HTTP.")
    }
  }
}
