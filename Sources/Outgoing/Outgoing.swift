/// Requests to addresses chosen by others, and the key sets found there.
///
/// - ``OutgoingURL``: an address, read strictly.
/// - ``OutgoingHTTP``: resolves, checks, connects, and bounds the answer.
/// - ``RemoteJWKSets``: verifies with keys published elsewhere.
///
/// The executable builds one of each for the whole process.
package enum Outgoing {}
