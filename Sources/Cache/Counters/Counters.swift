/// Counts events in fixed windows, for limits that may be approximate but must always answer.
///
/// A window begins with the first event of a key and ends `windowSeconds` later; then counting starts over. Keys are opaque: callers hash
/// what they count, with a key, so that no store learns an address or a name.
package protocol Counters: Sendable {
  /// Counts one event and returns how many there are in the window, this one included.
  func increment(_ key: String, windowSeconds: Int) async -> Int
  /// The events in the current window.
  func value(_ key: String) async -> Int
  /// Forgets a key, for instance after a successful sign-in.
  func reset(_ key: String) async
}
