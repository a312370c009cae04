import FoundationEssentials
import Testing

@testable import Database

@Suite("Where tenants are at home")
struct AffinityTests {
  private let tenants = (0..<1000).map { _ in Affinity(TenantSchema(id: UUID())) }

  private func places(_ count: Int) -> Places {
    var places = Places()
    for _ in 0..<count { _ = places.take() }
    return places
  }

  private func homes(_ affinity: Affinity, _ places: Places) throws -> Homes {
    try #require(places.homes(of: affinity))
  }

  @Test("a thousand tenants spread evenly, each over two places")
  func spread() throws {
    let places = places(16)
    var count = Array(repeating: 0, count: 16)
    for tenant in tenants {
      let homes = try homes(tenant, places)
      #expect(homes.first != homes.second)
      count[homes.first] += 1
      count[homes.second] += 1
    }
    #expect(count.allSatisfy { (70...190).contains($0) })
  }

  @Test("the homes follow from the name alone; the platform has none")
  func stable() throws {
    let id = UUID()
    let (one, two) = (Affinity(TenantSchema(id: id)), Affinity(TenantSchema(id: id)))
    #expect(one == two)
    #expect(try homes(one, places(16)) == homes(two, places(16)))
    #expect(places(16).homes(of: .platform) == nil)
    #expect(one != .platform)
  }

  @Test("no two lanes share a home, also when the place of one is left", arguments: [12, 16, 40])
  func lanes(count: Int) throws {
    for left in [nil] + (0..<4).map(Optional.some) {
      var places = places(count)
      if let left { places.leave(left) }
      let all = try (0..<Database.lanes).map { try homes(.lane($0), places) }
      #expect(Set(all.flatMap { [$0.first, $0.second] }).count == 2 * Database.lanes)
    }
  }

  @Test("a lane whose place is there is at home in it first, however few there are")
  func crowdedLanes() throws {
    for count in 1...7 {
      let places = places(count)
      for lane in 0..<min(count, Database.lanes) {
        #expect(try homes(.lane(lane), places).first == lane)
      }
    }
  }

  @Test(
    "when a place is left, only those move whose home it was; when it is taken again, they move back"
  )
  func moving() throws {
    var places = places(16)
    let before = try tenants.map { try homes($0, places) }
    places.leave(5)
    for (tenant, before) in zip(tenants, before) {
      let after = try homes(tenant, places)
      #expect(!after.contains(5))
      if !before.contains(5) { #expect(after == before) }
      if before.second == 5 { #expect(after.first == before.first) }
      if before.first == 5 { #expect(after.first == before.second) }
    }
    #expect(places.take() == 5)
    #expect(try tenants.map { try homes($0, places) } == before)
  }

  @Test("one place is everybody's home, none is nobody's")
  func few() throws {
    #expect(try homes(tenants[0], places(1)) == Homes(first: 0, second: 0))
    #expect(places(0).homes(of: tenants[0]) == nil)
  }

  @Test(
    "waiting makes no sense while a tenant fills its homes itself, or others keep them for long")
  func taken() throws {
    var places = places(4)
    let (mine, other) = (tenants[0], tenants[1])
    let homes = try homes(mine, places)
    func areTaken(at now: UInt64) -> Bool {
      places.areTaken(homes, from: mine, longerThan: 10, now: now)
    }
    #expect(!areTaken(at: 100))
    places.lend(homes.first, to: mine, now: 100)
    #expect(!areTaken(at: 1000))
    places.lend(homes.second, to: other, now: 100)
    #expect(!areTaken(at: 110))
    #expect(areTaken(at: 111))
    places.lend(homes.second, to: mine, now: 111)
    #expect(areTaken(at: 111))
    places.giveBack(homes.first)
    #expect(!areTaken(at: 1000))
  }

  @Test("a place that was left is taken by the next connection")
  func reuse() {
    var places = Places()
    #expect((0..<3).map { _ in places.take() } == [0, 1, 2])
    places.leave(1)
    #expect(places.take() == 1)
    #expect(places.take() == 3)
  }
}
