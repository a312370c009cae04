import Glibc

/// Runs a blocking call on a thread made for it.
enum OwnThread {
  static func run(_ body: @escaping @Sendable () throws -> Void) async throws {
    try await withCheckedThrowingContinuation { continuation in
      let work = Work { continuation.resume(with: Result(catching: body)) }
      var thread = pthread_t()
      // The reference travels through C to the thread, which takes it over.
      let reference = unsafe Unmanaged.passRetained(work)
      let code = unsafe pthread_create(
        &thread, nil,
        { reference in
          guard let reference = unsafe reference else { return nil }
          unsafe Unmanaged<Work>.fromOpaque(reference).takeRetainedValue().body()
          return nil
        }, reference.toOpaque())
      guard code == 0 else {
        unsafe reference.release()
        continuation.resume(
          throwing: ArchiveError.fileFailed(operation: "pthread_create", code: code))
        return
      }
      pthread_detach(thread)
    }
  }

  private final class Work: Sendable {
    let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) {
      self.body = body
    }
  }
}
