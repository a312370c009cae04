import Platform

/// One claim: who gets it, what it is, what makes it valid.
struct ClaimRule: Sendable {
  let name: String
  /// The scope that releases it (OpenID Connect Core section 5.4); nil: never leaves.
  let scope: String?
  let category: DataCategory
  let form: Form

  enum Form: Sendable {
    case text(bytesMax: Int)
    case flag
    case url
    case email
    case phone
    case birthdate
    case zone
    case language
    case username
    case address
  }

  /// Our policy: what still is a name.
  static let nameBytesMax = 256

  static let all: [ClaimRule] = [
    .init("username", nil, .accountUsername, .username),
    .init("name", "profile", .name, .text(bytesMax: nameBytesMax)),
    .init("given_name", "profile", .name, .text(bytesMax: nameBytesMax)),
    .init("family_name", "profile", .name, .text(bytesMax: nameBytesMax)),
    .init("middle_name", "profile", .name, .text(bytesMax: nameBytesMax)),
    .init("nickname", "profile", .name, .text(bytesMax: nameBytesMax)),
    .init("preferred_username", "profile", .accountUsername, .text(bytesMax: nameBytesMax)),
    .init("profile", "profile", .contactURL, .url),
    .init("picture", "profile", .image, .url),
    .init("website", "profile", .contactURL, .url),
    .init("email", "email", .contactEmail, .email),
    .init("email_verified", "email", .contactEmail, .flag),
    .init("gender", "profile", .gender, .text(bytesMax: 64)),
    .init("birthdate", "profile", .dateOfBirth, .birthdate),
    .init("zoneinfo", "profile", .timeZone, .zone),
    .init("locale", "profile", .language, .language),
    .init("phone_number", "phone", .contactPhone, .phone),
    .init("phone_number_verified", "phone", .contactPhone, .flag),
    .init("address", "address", .contactAddress, .address),
  ]

  init(_ name: String, _ scope: String?, _ category: DataCategory, _ form: Form) {
    self.name = name
    self.scope = scope
    self.category = category
    self.form = form
  }

  func read(_ read: inout ObjectReader) -> JSON? {
    switch form {
    case .flag: return read.bool(name).map(JSON.bool)
    case .address: return address(&read)
    case .text(let bytesMax): return text(&read, bytesMax: bytesMax) { _ in nil }
    case .url: return text(&read, bytesMax: 2048, problem: Self.urlProblem)
    case .email: return text(&read, bytesMax: 254, problem: Self.emailProblem)
    case .phone: return text(&read, bytesMax: 64, problem: Self.phoneProblem)
    case .birthdate: return text(&read, bytesMax: 10, problem: Self.birthdateProblem)
    case .zone: return text(&read, bytesMax: 64, problem: Self.zoneProblem)
    case .language: return text(&read, bytesMax: 35, problem: Self.languageProblem)
    case .username: return text(&read, bytesMax: 254, problem: Self.usernameProblem)
    }
  }

  private func text(_ read: inout ObjectReader, bytesMax: Int, problem: (String) -> String?)
    -> JSON?
  {
    guard let text = read.string(name, bytesMax: bytesMax) else { return nil }
    if let problem = problem(text) {
      read.refuse(name, problem)
      return nil
    }
    return .string(text)
  }

  /// OpenID Connect Core section 5.1.1.
  ///
  /// Lines of `formatted` and `street_address` may break.
  private func address(_ read: inout ObjectReader) -> JSON? {
    guard let value = read.value(name) else { return nil }
    guard let object = value.objectValue else {
      read.refuse(name, "must be an object")
      return nil
    }
    var address: JSONObject = [:]
    for part in Self.addressParts {
      guard let value = object[part], value != .null else { continue }
      guard let text = value.stringValue else {
        read.refuse("\(name).\(part)", "must be a string")
        continue
      }
      let multiline = part == "formatted" || part == "street_address"
      if let problem = TextRule.problem(
        text, bytesMax: multiline ? 1024 : Self.nameBytesMax, multiline: multiline)
      {
        read.refuse("\(name).\(part)", problem)
        continue
      }
      address[part] = value
    }
    for part in object.names where !Self.addressParts.contains(part) {
      read.refuse("\(name).\(part.prefix(64))", "is not known")
    }
    return address.count == 0 ? nil : .object(address)
  }

  static let addressParts = [
    "formatted", "street_address", "locality", "region", "postal_code", "country",
  ]
}

extension ClaimRule {
  /// RFC 5321 sizes; the form `local@domain` without blanks.
  ///
  /// Whether it exists, only a mail shows.
  static func emailProblem(_ text: String) -> String? {
    let problem = "must be an e-mail address"
    guard let at = text.lastIndex(of: "@") else { return problem }
    let local = text[..<at]
    let domain = text[text.index(after: at)...]
    guard (1...64).contains(local.utf8.count), !domain.isEmpty,
      !text.contains(where: \.isWhitespace), !local.contains("@"), !domain.hasPrefix("."),
      !domain.hasSuffix("."), !domain.contains("..")
    else { return problem }
    return nil
  }

  static func phoneProblem(_ text: String) -> String? {
    BlindIndex.phone.normalise(text) == nil
      ? "must be an international number such as +49 30 1234567" : nil
  }

  static func usernameProblem(_ text: String) -> String? {
    text.first?.isWhitespace == true || text.last?.isWhitespace == true
      ? "must not start or end with a blank" : nil
  }

  static func urlProblem(_ text: String) -> String? {
    guard let uri = URIParts(text), uri.scheme == "https" || uri.scheme == "http", uri.host != nil
    else { return "must be a web address" }
    return nil
  }

  /// `YYYY-MM-DD`, `0000-MM-DD` when the year is withheld, or `YYYY` alone.
  static func birthdateProblem(_ text: String) -> String? {
    let problem = "must be a date such as 1990-12-31"
    let bytes = Array(text.utf8)
    guard bytes.count == 4 || bytes.count == 10 else { return problem }
    for (index, byte) in bytes.enumerated() {
      let isDash = index == 4 || index == 7
      guard isDash ? byte == UInt8(ascii: "-") : (0x30...0x39).contains(byte) else {
        return problem
      }
    }
    guard bytes.count == 10 else { return nil }
    let number = { (range: Range<Int>) in bytes[range].reduce(0) { $0 * 10 + Int($1 - 0x30) } }
    let (year, month, day) = (number(0..<4), number(5..<7), number(8..<10))
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    let days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    guard (1...12).contains(month), (1...days[month - 1]).contains(day) else { return problem }
    return nil
  }

  static func zoneProblem(_ text: String) -> String? {
    text.utf8.allSatisfy { $0.isAlphanumeric || "_+-/".utf8.contains($0) }
      ? nil : "must be a time zone such as Europe/Berlin"
  }

  static func languageProblem(_ text: String) -> String? {
    text.utf8.allSatisfy { $0.isAlphanumeric || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
      ? nil : "must be a language tag such as en or pt-BR"
  }
}
