import FoundationEssentials
import Platform
@testable import Tenancy
import Testing
import Web

@testable import TenantRuntime

@Suite("RFC 8693: what an exchange leads to")
struct TokenExchangePlanTests {
  static let now = Date(unixSeconds: 1_800_000_000)

  func client(_ policy: JSONObject?, scope: String = "") throws -> Client {
    var metadata: JSONObject = [
      "grant_types": ["urn:ietf:params:oauth:grant-type:token-exchange"], "response_types": [],
      "scope": .string(scope),
    ]
    metadata["token_exchange"] = policy.map(JSON.object)
    return Client(
      id: try #require(ClientID("service")), metadata: try ClientMetadata(validating: metadata),
      status: .active, secrets: ClientSecrets(), version: 1, createdAt: Self.now,
      updatedAt: Self.now)
  }

  func subject(
    scope: String = "openid email offline_access", client: String = "web", left: Double = 60,
    actor: JSONObject? = nil, eligible: JSONObject? = nil, before: TokenLineage? = nil,
    audience: [String] = ["https://id.example"]
  ) throws -> SubjectToken {
    let client = try #require(ClientID(client))
    return SubjectToken(
      subject: "alice", user: ID(UUID()), client: client,
      family: ID(UUID()), audience: audience, scope: try #require(OAuthScope(scope)),
      expiresAt: Self.now.addingTimeInterval(left), authentication: nil, actor: actor,
      eligibleActor: eligible, lineage: TokenLineage(token: "t", client: client, before: before))
  }

  func plan(
    _ policy: JSONObject?, subject: SubjectToken? = nil, actor: SubjectToken? = nil,
    targets: [String] = [], scope: String? = nil, registered: String = ""
  ) throws -> TokenExchange.Plan {
    try TokenExchange(
      subject: try subject ?? self.subject(), actor: actor, targets: targets,
      scope: scope.flatMap { OAuthScope($0) }
    ).plan(
      client: client(policy, scope: registered), issuer: "https://id.example",
      ownAudience: { _ in ["https://id.example"] }, lifetimeSeconds: 300, now: Self.now)
  }

  func refusal(_ body: () throws -> TokenExchange.Plan) -> OAuthError.Code? {
    do {
      _ = try body()
      return nil
    } catch {
      return (error as? OAuthError)?.code
    }
  }

  static let all: JSONObject = ["subject_clients": ["*"]]

  @Test func nothingWithoutPolicy() {
    #expect(refusal { try plan(nil) } == .unauthorizedClient)
    #expect(refusal { try plan(["subject_clients": []]) } == .invalidRequest)
    #expect(refusal { try plan(["subject_clients": ["web"]]) } == nil)
  }

  @Test("Scopes only narrow, to the client's own and never to what lives on by itself")
  func scopes() throws {
    #expect(try plan(Self.all).scope == OAuthScope("openid email"))
    #expect(try plan(Self.all, registered: "email api").scope == OAuthScope("email"))
    #expect(try plan(Self.all, scope: "email").scope == OAuthScope("email"))
    for wide in ["offline_access", "openid phone"] {
      #expect(refusal { try plan(Self.all, scope: wide) } == .invalidScope)
    }
  }

  @Test("It lives no longer than the subject's token")
  func lifetime() throws {
    #expect(try plan(Self.all).expiresAt == Self.now.addingTimeInterval(60))
    let long = try subject(left: 3600)
    #expect(try plan(Self.all, subject: long).expiresAt == Self.now.addingTimeInterval(300))
  }

  @Test("Section 4.1: the newest actor is outside")
  func actors() throws {
    let earlier: JSONObject = ["sub": "gateway"]
    let subject = try subject(actor: earlier)
    let delegated = try plan(Self.all, subject: subject)
    #expect(
      delegated.actor == ["sub": "service", "client_id": "service", "act": ["sub": "gateway"]])
    let impersonating = Self.all.merging(["impersonation": true])
    #expect(try plan(impersonating, subject: subject).actor == earlier)
    #expect(try plan(impersonating).actor == nil)
    let service = try #require(ClientID("service"))
    let actor = SubjectToken(
      subject: "bob", user: ID(UUID()), client: service, family: nil, audience: [], scope: .none,
      expiresAt: Self.now, authentication: nil, actor: nil, eligibleActor: nil,
      lineage: TokenLineage(token: "a", client: service, before: nil))
    #expect(try plan(impersonating, actor: actor).actor == ["sub": "bob"])
    let foreign = try self.subject(client: "other")
    #expect(refusal { try plan(Self.all, actor: foreign) } == .invalidRequest)
  }

  @Test("Exchanges of what was exchanged end somewhere, also where no actors tell of them")
  func lineage() throws {
    let impersonating = Self.all.merging(["impersonation": true])
    var lineage: TokenLineage?
    for _ in 0..<5 {
      #expect(try plan(impersonating, subject: subject(before: lineage)).actor == nil)
      lineage = TokenLineage(token: "t", client: try #require(ClientID("web")), before: lineage)
    }
    #expect(lineage?.tokens.count == 5 && lineage?.clients.map(\.text) == ["web"])
    let last = try subject(before: lineage)
    #expect(refusal { try plan(impersonating, subject: last) } == .invalidRequest)
  }

  @Test("Section 4.4: may_act")
  func mayAct() throws {
    func tries(_ eligible: JSONObject) throws -> OAuthError.Code? {
      let subject = try subject(eligible: eligible)
      return refusal { try plan(Self.all, subject: subject) }
    }
    #expect(try tries(["sub": "service"]) == nil)
    #expect(try tries(["sub": "service", "iss": "https://id.example"]) == nil)
    #expect(try tries(["sub": "service", "iss": "https://other.example"]) == .invalidRequest)
    #expect(try tries(["sub": "somebody"]) == .invalidRequest)
    #expect(try tries([:]) == .invalidRequest)
  }

  @Test func targets() throws {
    let policy = Self.all.merging(["audiences": ["https://api.example"]])
    #expect(try plan(policy, targets: ["https://api.example"]).audience == ["https://api.example"])
    #expect(refusal { try plan(policy, targets: ["https://other.example"]) } == .invalidTarget)
    // Without a target the token is for the issuer: not in exchange for one that was for others only.
    #expect(try plan(policy).audience == ["https://id.example"])
    let restricted = try subject(audience: ["https://web.example"])
    #expect(refusal { try plan(policy, subject: restricted) } == .invalidTarget)
    let api = ["https://api.example"]
    #expect(try plan(policy, subject: restricted, targets: api).audience == api)
  }
}
