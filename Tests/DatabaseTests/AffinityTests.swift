import FoundationEssentials
import Testing

@testable import Database

@Suite("Where tenants are at home")
struct AffinityTests {
  @Test("a thousand tenants spread evenly, each over one or two places")
  func spread() {
    var tenants = Array(repeating: 0, count: 16)
    for _ in 0..<1000 {
      let affinity = Affinity(TenantSchema(id: UUID()))
      let homes = (0..<16).filter { affinity.prefers($0, of: 16) }
      #expect((1...2).contains(homes.count))
      for home in homes { tenants[home] += 1 }
    }
    #expect(tenants.allSatisfy { (70...190).contains($0) })
  }

  @Test("the homes follow from the name alone, and the platform is at home everywhere")
  func stable() {
    let id = UUID()
    let (one, two) = (Affinity(TenantSchema(id: id)), Affinity(TenantSchema(id: id)))
    #expect((0..<16).allSatisfy { one.prefers($0, of: 16) == two.prefers($0, of: 16) })
    #expect((0..<16).allSatisfy { Affinity(nil).prefers($0, of: 16) })
  }

  @Test("a place that was left is taken by the next connection")
  func places() {
    var places = Places()
    #expect((0..<3).map { _ in places.take() } == [0, 1, 2])
    places.leave(1)
    #expect(places.count == 3)
    #expect(places.take() == 1)
    #expect(places.take() == 3)
  }
}
