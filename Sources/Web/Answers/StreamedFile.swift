package import Hummingbird
import HTTPTypes

/// A file as a download, read in pieces: memory does not grow with its size.
package struct StreamedFile: Sendable {
  let path: String
  let fileName: String
  let contentType: String

  /// - Parameters:
  ///   - path: Where the file is.
  ///   - fileName: What the browser calls it: letters, digits, `.`, `-` and `_`; others become `_`.
  ///   - contentType: Its media type.
  package init(path: String, fileName: String, contentType: String) {
    self.path = path
    self.fileName = String(fileName.map { Self.isPlain($0) ? $0 : "_" })
    self.contentType = contentType
  }

  /// The answer; 404 when the file is gone.
  package func response(in context: some RequestContext) async throws -> Response {
    let body: ResponseBody
    do {
      body = try await FileIO().loadFile(path: path, context: context)
    } catch {
      throw Problem.notFound("The file is no longer available.")
    }
    return Response(
      status: .ok,
      headers: [
        .contentType: contentType,
        .contentDisposition: "attachment; filename=\"\(fileName)\"",
        .acceptRanges: "none",
      ], body: body)
  }

  private static func isPlain(_ character: Character) -> Bool {
    character.isASCII
      && (character.isLetter || character.isNumber || "._-".contains(character))
  }
}
