import HTTPTypes
import Hummingbird
import Web

extension PublishedDocument {
  /// 304 if the client has it (RFC 9110 section 13.1.2); any origin may read it, since it is public.
  func response(to request: Request, in context: some RequestContext) -> Response {
    let headers: HTTPFields = [
      .eTag: etag, .cacheControl: "public, max-age=\(maxAgeSeconds)",
      .accessControlAllowOrigin: "*",
    ]
    if isKnown(to: request) {
      return EmptyResponse(.notModified, headers: headers)
        .response(from: request, context: context)
    }
    return BytesResponse(contentType: "application/json", bytes, headers: headers)
      .response(from: request, context: context)
  }

  private func isKnown(to request: Request) -> Bool {
    for header in request.headers[values: .ifNoneMatch] {
      for tag in header.split(separator: ",") {
        let tag = tag.drop { $0 == " " }
        if tag == "*" || tag == etag || tag == "W/" + etag { return true }
      }
    }
    return false
  }
}
