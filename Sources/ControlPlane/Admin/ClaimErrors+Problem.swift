import Tenancy
import Web

extension Fields {
  /// Takes over the mistakes a domain type of Tenancy found, under an optional prefix.
  mutating func refuse(_ errors: ClaimErrors, under prefix: String = "") {
    refuse(errors.fieldErrors(under: prefix))
  }
}

extension ClaimErrors {
  /// As sentences, which is how Web words its own.
  func fieldErrors(under prefix: String = "") -> [FieldError] {
    errors.map { FieldError(prefix + $0.field, $0.message + ".") }
  }

  var problem: Problem { .validation(fieldErrors()) }
}
