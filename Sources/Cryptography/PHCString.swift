import Platform

/// An Argon2id hash in the PHC string format: `$argon2id$v=19$m=19456,t=2,p=1$salt$tag`.
struct PHCString: Sendable, Hashable {
  let cost: Argon2id.Cost
  let salt: [UInt8]
  let tag: [UInt8]

  init(cost: Argon2id.Cost, salt: [UInt8], tag: [UInt8]) {
    self.cost = cost
    self.salt = salt
    self.tag = tag
  }

  /// Strict: one spelling per hash, and nothing the library would refuse later.
  init?(_ text: String) {
    guard text.utf8.count <= 512 else { return nil }
    let parts = text.split(separator: "$", omittingEmptySubsequences: false)
    guard parts.count == 6, parts[0].isEmpty, parts[1] == "argon2id", parts[2] == "v=19" else {
      return nil
    }
    let parameters = parts[3].split(separator: ",", omittingEmptySubsequences: false)
    guard parameters.count == 3, let memory = Self.number(parameters[0], "m="),
      let iterations = Self.number(parameters[1], "t="),
      let lanes = Self.number(parameters[2], "p="),
      let salt = Self.decode(parts[4]), (8...64).contains(salt.count),
      let tag = Self.decode(parts[5]), (16...64).contains(tag.count)
    else { return nil }
    let cost = Argon2id.Cost(memoryKiB: memory, iterations: iterations, lanes: lanes)
    guard cost.isAcceptable else { return nil }
    self.init(cost: cost, salt: salt, tag: tag)
  }

  var text: String {
    "$argon2id$v=19$m=\(cost.memoryKiB),t=\(cost.iterations),p=\(cost.lanes)$"
      + "\(Self.encode(salt))$\(Self.encode(tag))"
  }

  private static func number(_ text: Substring, _ prefix: String) -> Int? {
    guard text.hasPrefix(prefix) else { return nil }
    let digits = text.dropFirst(prefix.count)
    guard let value = Int(digits), String(value) == digits else { return nil }
    return value
  }

  /// The PHC format leaves base 64 without its padding.
  private static func encode(_ bytes: [UInt8]) -> Substring {
    Base64.encode(bytes)[...].trimmingPadding
  }

  private static func decode(_ text: Substring) -> [UInt8]? {
    guard !text.contains("=") else { return nil }
    let padding = String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
    return Base64.decode(text + padding)
  }
}

extension Substring {
  fileprivate var trimmingPadding: Substring {
    var text = self
    while text.last == "=" { text.removeLast() }
    return text
  }
}
