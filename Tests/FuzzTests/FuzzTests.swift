import CFuzzer

/// `FuzzTests TARGET [libFuzzer's arguments]`, built and run by `deploy/fuzz.sh`.
@main
enum FuzzTests {
  /// Every target: a new one is a file under `Targets`, a line here and seeds under `Corpus`.
  static let targets: [FuzzTarget] = [
    .json, .form, .cookie, .basic, .jws, .jwk, .requestObject, .outgoingURL, .ipAddress,
    .redirect, .authorization, .claims, .registration, .traceparent,
  ]

  static func main() {
    if CommandLine.arguments.dropFirst() == ["--list"] {
      for target in targets { print(target.name) }
      return
    }
    _ = selected
    // libFuzzer reads its own flags and takes what is no flag for folders of inputs.
    var arguments = CommandLine.unsafeArgv
    var count = CommandLine.argc - 1
    arguments[1] = arguments[0]
    arguments += 1
    var list: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = arguments
    _ = LLVMFuzzerRunDriver(&count, &list) { data, size in
      selected.run(Array(UnsafeBufferPointer(start: data, count: size)))
      return 0
    }
  }
}

/// The target of this process; of the file, since a C function can't capture anything.
private let selected: FuzzTarget = {
  let name = CommandLine.arguments.dropFirst().first ?? ""
  guard let target = FuzzTests.targets.first(where: { $0.name == name }) else {
    preconditionFailure("no target '\(name)'")
  }
  return target
}()

/// One parser, with what must hold for every input it takes.
struct FuzzTarget: Sendable {
  let name: String
  let run: @Sendable ([UInt8]) -> Void
}

/// What must hold for whatever was read.
func hold(_ condition: Bool, _ rule: String) {
  precondition(condition, rule)
}

extension [UInt8] {
  /// As a server gets text: valid UTF-8 or nothing.
  var text: String? { String(validating: self, as: UTF8.self) }
}
