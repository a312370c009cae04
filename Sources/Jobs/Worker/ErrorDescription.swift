import Database

/// An error as it may be stored with a job: names and codes, never values (design section 8).
struct ErrorDescription {
  let sentence: String
  let canRetry: Bool

  init(_ error: any Error) {
    switch error {
    case let failure as any JobFailure:
      sentence = failure.sentence
      canRetry = failure.canRetry
    case let error as DatabaseError:
      sentence = "database error \(error.sqlState.rawValue)"
      canRetry = true
    case is DecodingError:
      sentence = "The payload cannot be read."
      canRetry = false
    default:
      sentence = String(describing: type(of: error))
      canRetry = true
    }
  }
}
