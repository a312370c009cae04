extension String {
  /// A copy of the bytes; nil if they are not UTF-8 (RFC 3629).
  ///
  /// `init(validating:as:)` says the same; it is generic, is not specialised for bytes, and looks its types up at each call.
  package init?(utf8 bytes: Span<UInt8>) {
    guard let text = try? UTF8Span(validating: bytes) else { return nil }
    self.init(copying: text)
  }
}
