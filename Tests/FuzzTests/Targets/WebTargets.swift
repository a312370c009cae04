import HTTPTypes
import Hummingbird
import Platform
import Web

@testable import TenantRuntime

extension FuzzTarget {
  /// Names and values survive being written and read again.
  static let form = FuzzTarget(name: "form") { bytes in
    guard let form = try? Form(bytes) else { return }
    let pairs = form.names.flatMap { name in form.all(name).map { (name, $0) } }
    hold(pairs.allSatisfy { !$0.0.isEmpty }, "every parameter has a name")
    hold(pairs.allSatisfy { !$0.0.utf8.contains(0) && !$0.1.utf8.contains(0) }, "no NUL")
    guard let again = try? Form(Array(FormEncoding.encode(pairs).utf8)) else {
      return hold(false, "a form that is written is read again")
    }
    hold(again.names == form.names, "with the same names")
    hold(form.names.allSatisfy { again.all($0) == form.all($0) }, "and the same values")
  }

  static let cookie = FuzzTarget(name: "cookie") { bytes in
    guard let text = bytes.text, HTTPField.isValidValue(text) else { return }
    let request = Request(
      head: HTTPRequest(
        method: .get, scheme: nil, authority: nil, path: "/", headerFields: [.cookie: text]),
      body: RequestBody(buffer: .init()))
    for path in ["/", "/t/acme"] {
      let name = CookieName("session", path: path, of: "https://id.example")
      guard let value = request.cookie(name) else { continue }
      hold(!value.isEmpty && value.utf8.count <= 4096, "a cookie has a value of bounded length")
      hold(!value.contains(";"), "and ends with its pair")
      hold(text.contains(name.name + "=" + value), "and is what was sent")
    }
  }

  static let basic = FuzzTarget(name: "basic") { bytes in
    guard let text = bytes.text else { return }
    for header in [text, "Basic " + text, "Basic " + Base64.encode(bytes)] {
      guard let credentials = try? ClientSecretBasic.parse(header) else { continue }
      hold(!credentials.clientID.isEmpty, "credentials name a client")
    }
  }
}
