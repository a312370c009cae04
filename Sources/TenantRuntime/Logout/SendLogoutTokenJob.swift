import FoundationEssentials
import HTTPTypes
package import Jobs
import Outgoing
import Platform
package import Tenancy

/// Tells one application that a session of it has ended (OpenID Connect Back-Channel Logout 1.0
/// section 2.5).
package struct SendLogoutToken: Job {
  package static let kind = "session.logout_token"
  package static let options = JobOptions(
    attemptsMax: 10, timeoutSeconds: 60, priority: 20,
    concurrency: .limited(perKind: 64, perOrganization: 16))

  let organization: TenantID
  let client: String
  let session: ID<Session>
  let user: UserID
}

extension LogoutNotifier {
  /// A job for each application with a back channel.
  package static func backChannel(_ queue: JobQueue) -> LogoutNotifier {
    LogoutNotifier { clients, tenant, tx in
      for client in clients where client.logout.backChannelURI != nil {
        try await queue.enqueue(
          SendLogoutToken(
            organization: tenant.id, client: client.client.text, session: client.session,
            user: client.user),
          organization: tenant.id.uuid, uniqueKey: "\(client.session) \(client.client)", in: tx)
      }
    }
  }
}

/// Signs the token at each attempt, since it lives for minutes; an application that gets it twice signs
/// out once.
struct SendLogoutTokenHandler: JobHandler {
  private static let answerBytesMax = 64 * 1024

  let directory: TenantDirectory
  let clients: ClientStore
  let keys: SigningKeyRing
  let outgoing: OutgoingHTTP
  let metrics: RuntimeMetrics
  let clock: WallClock
  let random: RandomSource

  func run(_ job: SendLogoutToken, _ context: JobContext) async throws {
    guard let tenant = try await directory.find(id: job.organization), tenant.status.isRoutable,
      let id = ClientID(job.client), let client = try await clients.find(id, in: tenant),
      client.isActive, let uri = client.metadata.logout.backChannelURI
    else { return }
    let token = try await token(job, client, tenant)
    let failure = try await failure(of: token, to: uri, tenant)
    metrics.logoutToken(failure)
    if let failure { throw failure }
  }

  private func failure(of token: String, to uri: String, _ tenant: Tenant) async throws
    -> LogoutTokenFailure?
  {
    let body = FormEncoding.encode([("logout_token", token)])
    do {
      let request = OutgoingRequest.post(
        Array(body.utf8), contentType: "application/x-www-form-urlencoded",
        to: try OutgoingURL(uri), fields: [:], answerBytesMax: Self.answerBytesMax)
      let response = try await outgoing.send(request, partition: tenant.id.description)
      return LogoutTokenFailure(status: response.status)
    } catch let error as OutgoingError {
      return LogoutTokenFailure(error)
    }
  }

  private func token(_ job: SendLogoutToken, _ client: Client, _ tenant: Tenant) async throws
    -> String
  {
    let keys = try await keys.keys(of: tenant)
    return try LogoutToken(
      issuer: tenant.issuer, client: client.id,
      subject: tenant.subject(of: job.user, for: client.metadata),
      session: job.session, id: random.token(byteCount: 16), issuedAt: clock.now()
    ).signed(with: keys.current(client.metadata.idTokenAlgorithm.algorithm))
  }
}

/// Why an application could not be told.
struct LogoutTokenFailure: JobFailure, Equatable {
  let sentence: String
  let canRetry: Bool

  /// Nil for success: 200, or what frameworks make of an empty answer (section 2.8).
  ///
  /// What an application refuses it refuses again (section 2.8, 400); one that is overloaded or broken
  /// may recover.
  init?(status: Int) {
    guard !(200..<300).contains(status) else { return nil }
    sentence = "The application answered \(status)."
    canRetry = status == 408 || status == 429 || (status >= 500 && status != 501)
  }

  init(_ error: OutgoingError) {
    switch error {
    case .refusedURL, .refusedAddress:
      (sentence, canRetry) = ("The application's address may not be asked.", false)
    case .tooLarge:
      (sentence, canRetry) = ("The application's answer was too large.", false)
    case .unresolvable, .unreachable:
      (sentence, canRetry) = ("The application could not be reached.", true)
    case .busy, .circuitOpen:
      (sentence, canRetry) = ("The application was asked too often.", true)
    case .timedOut:
      (sentence, canRetry) = ("The application did not answer in time.", true)
    }
  }
}
