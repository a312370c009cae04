/// Why a request was not sent or its answer not used; carries nothing of the address or the answer.
package enum OutgoingError: Error, Sendable, Hashable {
  /// The address itself is not acceptable: the text says what about it.
  case refusedURL(String)
  /// The host has an address that is not of the public Internet.
  case refusedAddress
  case unresolvable
  /// Too many requests to this host, or in all, are on their way.
  case busy
  /// The host has failed too often to be asked again so soon.
  case circuitOpen
  /// No connection, no TLS, or one that broke.
  case unreachable
  case timedOut
  /// The answer's head or body is larger than the caller takes.
  case tooLarge
}

extension OutgoingError {
  /// For metrics.
  var label: String {
    switch self {
    case .refusedURL: "refused_url"
    case .refusedAddress: "refused_address"
    case .unresolvable: "unresolvable"
    case .busy: "busy"
    case .circuitOpen: "circuit_open"
    case .unreachable: "unreachable"
    case .timedOut: "timed_out"
    case .tooLarge: "too_large"
    }
  }
}
