import Platform
import Tenancy
import Testing
import Web

@testable import ControlPlane

@Suite("Queries and pages")
struct QueryTests {
  @Test("A cursor leads to where the page ended")
  func cursor() throws {
    let ids = (0..<5).map { _ in TenantID.generate(.system, .system) }.sorted()
    let first = try AdminQuery(Query("limit=2"), allowed: AdminQuery.paging).paging()
    let page = first.answer("items", Array(ids.prefix(3)), position: \.description) {
      ["id": .string($0.description)]
    }
    #expect(page.json["items"]?.arrayValue?.count == 2)
    let cursor = try #require(page.json["next_cursor"]?.stringValue)
    let second = try AdminQuery(Query("cursor=\(cursor)"), allowed: AdminQuery.paging).paging()
    #expect(try second.position(TenantID.self) == ids[1])
    let last = second.answer("items", Array(ids.suffix(3)), position: \.description) { _ in [:] }
    #expect(last.json["next_cursor"] == .null)
  }

  @Test(
    "Bad parameters are refused",
    arguments: [
      "limit=0", "limit=201", "limit=x", "limit=1&limit=2", "cursor=!", "colour=red", "limit=-1",
      "limit=%zz",
    ])
  func refuses(_ text: String) {
    #expect(throws: (any Error).self) {
      _ = try AdminQuery(Query(text), allowed: AdminQuery.paging).paging()
    }
  }

  @Test("A cursor of another list is refused")
  func foreignCursor() throws {
    let cursor = Cursor(position: "17").text
    let paging = try AdminQuery(Query("cursor=\(cursor)"), allowed: AdminQuery.paging).paging()
    #expect(throws: OAuthError.self) { try paging.position(TenantID.self) }
  }

  @Test("Choices and ids are typed")
  func typed() throws {
    let query = try AdminQuery(
      Query("status=active&subject=nobody&state=gone"), allowed: ["status", "subject", "state"])
    #expect(try query.choice("status", TenantStatus.self) == .active)
    #expect(throws: Problem.self) { try query.id("subject", User.self) }
    #expect(throws: Problem.self) { try query.choice("state", TenantStatus.self) }
  }
}
