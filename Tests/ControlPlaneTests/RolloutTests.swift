import Foundation
import Platform
import Testing

@testable import ControlPlane

@Suite("The waves of a rollout (decision 0009)")
struct RolloutDecisionTests {
  private func rollout(wave: Int, percent: Int) -> Rollout {
    Rollout(
      id: .generate(.system, .system), target: 2, state: .running, wave: wave, migrated: 0,
      failurePercentMax: percent, createdAt: Date(), updatedAt: Date())
  }

  @Test("One canary, ten, then many", arguments: [(0, 1), (1, 10), (2, 200), (7, 200)])
  func waves(_ wave: Int, _ size: Int) {
    #expect(rollout(wave: wave, percent: 5).batchSize == size)
  }

  @Test(
    "It stops when more than the share of those tried has failed",
    arguments: [
      (5, 0, 1, Rollout.State.stopped), (5, 10, 1, .stopped), (5, 19, 1, .running),
      (5, 18, 1, .stopped), (5, 950, 50, .running), (5, 949, 51, .stopped),
      (0, 1000, 1, .stopped), (0, 1000, 0, .running), (100, 0, 3, .running),
    ])
  func share(_ percent: Int, _ migrated: Int, _ failed: Int, _ expected: Rollout.State) {
    #expect(
      rollout(wave: 2, percent: percent).state(migrated: migrated, failed: failed) == expected)
  }

  @Test("With nobody left to try it is complete only if nobody failed")
  func end() {
    #expect(Rollout.finalState(failed: 0) == .completed)
    #expect(Rollout.finalState(failed: 1) == .stopped)
  }
}
