import Compliance
import Platform
import Tenancy

/// A purpose with the text a person reads before they decide.
struct PurposeChoice: Sendable {
  let purpose: ConsentPurpose
  let text: String
  let state: ConsentState?

  /// What a form sends back: which purpose, and which version of the text was on the page.
  var value: String { "\(purpose.id).\(purpose.noticeVersion)" }
}

/// The purposes a person can decide on.
struct PurposeChoices: Sendable {
  static let language = "en"

  let consents: Consents

  /// Every active purpose with the last decision of this user.
  func all(for user: UserID, in tenant: Tenant) async throws -> [PurposeChoice] {
    let purposes = try await consents.purposes(retired: false, in: tenant)
    guard !purposes.isEmpty else { return [] }
    let states = try await consents.state(of: user, in: tenant)
    var choices: [PurposeChoice] = []
    for purpose in purposes {
      let notice = try await consents.notice(
        of: purpose.id, language: Self.language, in: tenant)
      choices.append(
        PurposeChoice(
          purpose: purpose, text: notice?.body ?? purpose.description,
          state: states.first { $0.purpose == purpose.id }))
    }
    return choices
  }

  /// Those this user has never decided on.
  func undecided(for user: UserID, in tenant: Tenant) async throws -> [PurposeChoice] {
    try await all(for: user, in: tenant).filter { $0.state == nil }
  }
}
