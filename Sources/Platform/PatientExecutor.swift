import Dispatch

/// Runs what can wait a moment, so that what cannot never stands behind it.
///
/// Applications ask for tokens while their users wait for the application; pages, administration and
/// jobs do more work at a time and come in waves. They have threads of their own here, which Dispatch
/// gives the niceness of its quality of service: 2 on Linux, between requests (0) and hashing (5).
package final class PatientExecutor: TaskExecutor {
  package static let shared = PatientExecutor()

  private let queue = DispatchQueue.global(qos: .utility)

  package func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }
}
