import Hummingbird
import NIOCore

extension Request {
  /// The whole body, or a refusal: too large, cut off.
  ///
  /// ``ConnectionHandler`` ends a request whose body takes too long.
  func bytes(limit: Int) async throws -> [UInt8] {
    if let length = headers[text: .contentLength].flatMap(Int.init), length > limit {
      throw Problem.payloadTooLarge(limit: limit)
    }
    var bytes: [UInt8] = []
    do {
      for try await part in body {
        guard bytes.count + part.readableBytes <= limit else {
          throw Problem.payloadTooLarge(limit: limit)
        }
        bytes.append(contentsOf: part.readableBytesView)
      }
    } catch let problem as Problem {
      throw problem
    } catch {
      throw Problem.badRequest("The body could not be read.", reason: String(reflecting: error))
    }
    return bytes
  }

  /// The media type of the body in lower case, without parameters.
  var mediaType: String? {
    guard let value = headers[text: .contentType] else { return nil }
    // As almost everybody writes it; taking it apart costs as much as reading the form.
    if value == "application/x-www-form-urlencoded" || value == "application/json" { return value }
    return value.split(separator: ";", maxSplits: 1).first.map {
      $0.filter { $0 != " " && $0 != "\t" }.lowercased()
    }
  }
}
