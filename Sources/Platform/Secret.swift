/// A value that does not print: not in a log line, an interpolation, a dump or a failed expectation.
///
/// It guards against accidents, not against code that wants to know: `reveal()` is the word to search for in review.
package struct Secret<Value: Sendable>: Sendable {
  private let value: Value

  package init(_ value: Value) {
    self.value = value
  }

  package func reveal() -> Value { value }

  /// A secret derived from this one, still covered.
  package func map<Other: Sendable>(_ transform: (Value) throws -> Other) rethrows -> Secret<Other>
  {
    Secret<Other>(try transform(value))
  }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  package var description: String { "<redacted>" }
  package var debugDescription: String { "<redacted>" }
  package var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}
