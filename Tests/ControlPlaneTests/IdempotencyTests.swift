import Cryptography
import HTTPTypes
import Platform
import Tenancy
import Testing
import Web

@testable import ControlPlane

@Suite("Claims of Idempotency-Keys (decision 0002)")
struct IdempotencyTests {
  let claims = IdempotencyClaims(masterKey: MasterKey(.generate()))

  private func claim(
    key: String = "k", on operation: String = "POST /x", by caller: String = "c",
    _ body: JSON = ["a": 1]
  ) -> IdempotencyClaim {
    claims.claim(key, on: operation, by: caller, body: body)
  }

  @Test("The same request makes the same claim, whatever the order of its members")
  func same() {
    let one = claim(["a": 1, "b": ["c": 2, "d": 3]])
    let two = claim(["b": ["d": 3, "c": 2], "a": 1])
    #expect(one.keyHash == two.keyHash && one.requestMAC == two.requestMAC)
  }

  @Test("Key, operation and caller keep claims apart")
  func apart() {
    let hashes = [
      claim(), claim(key: "l"), claim(on: "POST /y"), claim(by: "d"),
      // Parts cannot run into each other.
      claim(key: "ck", by: ""), claim(on: "POST /xc", by: ""),
    ].map(\.keyHash)
    #expect(Set(hashes).count == hashes.count)
  }

  @Test("Another body with the same key is refused")
  func otherBody() throws {
    let first = claim(["password": "one"])
    let stored = StoredIdempotencyKey(
      requestMAC: first.requestMAC, resource: "r", sealedSecret: nil)
    #expect(try first.match(stored).resource == "r")
    #expect {
      _ = try claim(["password": "two"]).match(stored)
    } throws: { error in
      (error as? Problem)?.status == .unprocessableContent
    }
  }

  @Test("A secret opens with the key as it was sent, and with nothing else")
  func secret() throws {
    let sealed = claim().seal(Secret("s3cret"))
    #expect(!sealed.contains(Array("s3cret".utf8)))
    let stored = { (claim: IdempotencyClaim) in
      StoredIdempotencyKey(requestMAC: claim.requestMAC, resource: "r", sealedSecret: sealed)
    }
    #expect(try claim().match(stored(claim())).secret?.reveal() == "s3cret")
    let other = claim(key: "l")
    #expect(throws: CryptographyError.self) { try other.match(stored(other)) }
  }
}
