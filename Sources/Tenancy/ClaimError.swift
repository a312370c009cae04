/// What is wrong with one field of an input; the admin API answers it as an entry of `errors`.
///
/// The message never repeats the value: it may be personal data.
package struct ClaimError: Sendable, Hashable {
  /// The field's name on the wire; a member of an object is `address.country`.
  package let field: String
  package let message: String

  package init(_ field: String, _ message: String) {
    self.field = field
    self.message = message
  }
}

/// Everything that is wrong with an input, collected in one pass.
package struct ClaimErrors: Error, Sendable, Hashable {
  package let errors: [ClaimError]

  package init(_ errors: [ClaimError]) {
    self.errors = errors
  }
}
