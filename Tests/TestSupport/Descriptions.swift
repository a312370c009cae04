package import Database
import Testing

/// A failed test prints what the log would.
extension DatabaseError: CustomTestStringConvertible {
  package var testDescription: String { debugDescription }
}
