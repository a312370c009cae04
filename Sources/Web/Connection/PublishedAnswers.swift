import FoundationEssentials
import HTTPTypes
import NIOCore
import Platform

/// Answers that everybody may have, kept for half a second and given again without asking the endpoint.
///
/// A shared cache (RFC 9111) in front of everything: it keeps whole answers as the endpoints and the middleware made
/// them, by address, if they say `Cache-Control: public`, and tells log, metrics and traces of each time it answers.
/// What the database says of a tenant can change, so an answer counts no longer than nothing has changed here;
/// what this process does not hear of is over in half a second. Nothing is kept or given while it hears of nothing.
struct PublishedAnswers: Sendable {
  /// Below the second in which a change has to reach every process.
  static let lifetimeSeconds = 0.5
  static let answersMax = 1024
  /// Host and path, query included: nobody fills the memory with addresses.
  static let addressBytesMax = 512
  static let bodyBytesMax = 16 * 1024

  /// The answer to a request, but for its id.
  struct Answer: Sendable {
    let origin: AnswerOrigin
    let status: Int
    let generation: UInt64
    /// From the status line to the last header, without the empty line.
    let head: [UInt8]
    let body: [UInt8]
  }

  struct Address: Hashable, Sendable {
    let authority: String
    let path: String
  }

  /// A request whose answer could be kept.
  struct Candidate {
    let address: Address
    let generation: UInt64
    var head: HTTPResponse?
    var body = ByteBuffer()
  }

  private let log: AccessLog
  private let clock: WallClock
  private let generation: @Sendable () -> UInt64?
  private let answers = BoundedCache<Address, Answer>(
    capacity: answersMax, lifetimeSeconds: lifetimeSeconds)
  private let reused = Counter()

  /// - Parameters:
  ///   - log: Told of each answer.
  ///   - clock: How old answers are.
  ///   - generation: Another number after each change of what answers are made from; nil while changes are not heard of.
  init(log: AccessLog, clock: WallClock, generation: @escaping @Sendable () -> UInt64?) {
    self.log = log
    self.clock = clock
    self.generation = generation
  }

  var metrics: [MetricFamily] {
    [
      .counter(
        "tenure_http_answers_reused_total",
        "Public documents given again without asking their endpoint.", reused)
    ]
  }

  /// Whether an answer is for everybody (RFC 9111 section 5.2.2.9), and the same for everybody (section 4.1).
  static func isPublic(_ headers: HTTPFields) -> Bool {
    headers[text: .cacheControl]?.hasPrefix("public") == true && !headers.contains(.vary)
      && !headers.contains(.setCookie)
  }

  // MARK: Giving

  /// Everything that is to be sent in answer, or nil where an endpoint has to be asked.
  func answer(to request: HTTPRequest, allocator: ByteBufferAllocator) -> ByteBuffer? {
    guard let address = Self.address(of: request),
      let answer = answers.value(for: address, now: clock.now()),
      answer.generation == generation()
    else { return nil }
    let visit = log.begin(request)
    reused.add()
    var bytes = allocator.buffer(
      capacity: answer.head.count + answer.body.count + 96)
    bytes.writeBytes(answer.head)
    bytes.writeStaticString("x-request-id: ")
    bytes.writeString(visit.requestID)
    bytes.writeStaticString("\r\n\r\n")
    bytes.writeBytes(answer.body)
    log.tell(
      visit, route: answer.origin.route, tenant: answer.origin.tenant, status: answer.status)
    return bytes
  }

  /// A plain question for a document: nothing in it asks for another form, a part, or a condition.
  private static func address(of request: HTTPRequest) -> Address? {
    guard request.method == .get, let path = request.path, let authority = request.authority,
      path.utf8.count + authority.utf8.count <= addressBytesMax,
      !request.headerFields.contains(where: isParticular)
    else { return nil }
    return Address(authority: authority, path: path)
  }

  private static func isParticular(_ field: HTTPField) -> Bool {
    switch field.name {
    case .contentLength: field.value != "0"
    case .connection: field.value != "keep-alive"
    default: particular.contains(field.name)
    }
  }

  private static let particular: Set<HTTPField.Name> = [
    .host, .upgrade, .expect, .transferEncoding, .origin, .range,
    .ifMatch, .ifNoneMatch, .ifModifiedSince, .ifUnmodifiedSince, .ifRange, .cacheControl,
  ]

  // MARK: Keeping

  /// To be asked before an endpoint is: a change while it answers must not go unnoticed.
  func candidate(_ request: HTTPRequest) -> Candidate? {
    guard let generation = generation(), let address = Self.address(of: request) else {
      return nil
    }
    return Candidate(address: address, generation: generation)
  }

  func keep(_ candidate: Candidate, from origin: AnswerOrigin) {
    guard let head = candidate.head, Self.isPublic(head.headerFields),
      head.headerFields[.contentLength] == String(candidate.body.readableBytes)
    else { return }
    answers.store(
      Answer(
        origin: origin, status: head.status.code, generation: candidate.generation,
        head: Self.encoded(head), body: Array(candidate.body.readableBytesView)),
      for: candidate.address, now: clock.now())
  }

  /// RFC 9112 sections 4 and 5.
  private static func encoded(_ head: HTTPResponse) -> [UInt8] {
    var bytes = Array("HTTP/1.1 \(head.status.code) \(head.status.reasonPhrase)\r\n".utf8)
    for field in head.headerFields where field.name != .requestID {
      bytes += Array("\(field.name.rawName): ".utf8)
      bytes += field.value.utf8
      bytes += Array("\r\n".utf8)
    }
    return bytes
  }
}

extension PublishedAnswers.Candidate {
  /// Takes the head of the answer, if it can be kept.
  mutating func begins(_ head: HTTPResponse) -> Bool {
    guard head.status == .ok, PublishedAnswers.isPublic(head.headerFields),
      !head.headerFields.contains(.connection)
    else { return false }
    self.head = head
    return true
  }

  /// Takes a part of its body, unless it grows too long.
  mutating func goesOn(_ part: ByteBuffer) -> Bool {
    guard body.readableBytes + part.readableBytes <= PublishedAnswers.bodyBytesMax else {
      return false
    }
    body.writeImmutableBuffer(part)
    return true
  }
}

/// What answered: for the log and the metrics of an answer that is given again.
struct AnswerOrigin: Sendable {
  let route: String
  let tenant: String?
}
