package import HTTPTypes
package import Hummingbird
package import Platform
import NIOCore

/// A JSON document as an answer.
package struct JSONResponse: ResponseGenerator, Sendable {
  package var status: HTTPResponse.Status
  package var json: JSON
  package var headers: HTTPFields

  package init(
    _ status: HTTPResponse.Status = .ok, _ json: JSON, headers: HTTPFields = [:],
    etag: ETag? = nil
  ) {
    self.status = status
    self.json = json
    self.headers = headers
    if let etag { self.headers[.eTag] = etag.description }
  }

  package func response(from request: Request, context: some RequestContext) -> Response {
    BytesResponse(
      status, contentType: "application/json", json.encoded(), headers: headers
    ).response
  }
}

/// Bytes that were encoded before, for example a cached key set.
package struct BytesResponse: ResponseGenerator, Sendable {
  let response: Response

  package init(
    _ status: HTTPResponse.Status = .ok, contentType: String, _ bytes: [UInt8],
    headers: HTTPFields = [:]
  ) {
    var headers = headers
    headers[.contentType] = contentType
    response = Response(
      status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
  }

  package func response(from request: Request, context: some RequestContext) -> Response {
    response
  }
}

/// An answer without a body.
package struct EmptyResponse: ResponseGenerator, Sendable {
  let response: Response

  package init(_ status: HTTPResponse.Status = .noContent, headers: HTTPFields = [:]) {
    var response = Response(status: status, headers: headers)
    // RFC 9110 section 8.6: there is no body whose length could be told.
    if status == .noContent { response.headers[.contentLength] = nil }
    self.response = response
  }

  package func response(from request: Request, context: some RequestContext) -> Response {
    response
  }
}

/// A redirect that makes the browser fetch the target with GET (RFC 9110 section 15.4.4).
///
/// Always 303: under 307 a browser would send a login form, password included, to the target
/// (RFC 9700 section 4.12).
package struct Redirect: ResponseGenerator, Sendable {
  let response: Response

  package init(to location: String, cookies: [SetCookie] = []) {
    var headers: HTTPFields = [.location: location]
    for cookie in cookies { headers.append(cookie.field) }
    response = Response(status: .seeOther, headers: headers)
  }

  package func response(from request: Request, context: some RequestContext) -> Response {
    response
  }
}
