package import HTTPTypes

/// A request to an address somebody else chose, with the most its answer may have.
package struct OutgoingRequest: Sendable {
  enum Content: Sendable {
    case none
    case body([UInt8], type: String)
  }

  let url: OutgoingURL
  let content: Content
  let fields: HTTPFields
  let answerBytesMax: Int

  /// A GET for a representation of one of these media types.
  package static func get(
    _ url: OutgoingURL, accept: String, answerBytesMax: Int
  ) -> OutgoingRequest {
    OutgoingRequest(
      url: url, content: .none, fields: [.accept: accept], answerBytesMax: answerBytesMax)
  }

  /// A POST; `fields` are what it needs beside `Content-Type` and `Content-Length`.
  package static func post(
    _ body: [UInt8], contentType: String, to url: OutgoingURL, fields: HTTPFields,
    answerBytesMax: Int
  ) -> OutgoingRequest {
    OutgoingRequest(
      url: url, content: .body(body, type: contentType), fields: fields,
      answerBytesMax: answerBytesMax)
  }
}

/// The answer, whole; a redirect is an answer like any other and is not followed.
package struct OutgoingResponse: Sendable {
  package let status: Int
  package let fields: HTTPFields
  package let body: [UInt8]

  /// The media type in lower case, without parameters (RFC 9110 section 8.3.1).
  package var mediaType: String? {
    fields[.contentType].map { value in
      let type = value.prefix { $0 != ";" }.lowercased()
      return String(type.drop { $0 == " " || $0 == "\t" }.prefix { $0 != " " && $0 != "\t" })
    }
  }
}
