import Logging
import Platform
import Testing

@Suite("Settings")
struct SettingsTests {
  enum Color: String, CaseIterable, SettingValue {
    case red, green
    static let settingPlaceholder = Color.red
  }

  static func reader(_ environment: [String: String], files: [String: [UInt8]] = [:])
    -> SettingsReader
  {
    SettingsReader(environment: environment) { files[$0] }
  }

  static func problems(_ reader: SettingsReader) -> [String] {
    do throws(SettingsProblems) {
      try reader.validated()
      return []
    } catch {
      return error.problems
    }
  }

  @Test("absent and empty variables give the default")
  func defaults() {
    var read = Self.reader(["TENURE_HOST": ""])
    let host = read.value("HOST", default: "127.0.0.1", "…")
    #expect(host == "127.0.0.1")
    let port = read.value("PORT", default: 8080, in: 0...65535, "…")
    #expect(port == 8080)
    let on = read.value("ON", default: true, "…")
    #expect(on)
    let wait = read.value("WAIT_SECONDS", default: Duration.seconds(30), "…")
    #expect(wait == .seconds(30))
    let url = read.value("URL", default: BaseURL("http://localhost:8080"), "…")
    #expect(url.port == 8080)
    let color = read.value("COLOR", default: Color.green, "…")
    #expect(color == .green)
    let roles = read.value("ROLES", default: ["a", "b"], "…")
    #expect(roles == ["a", "b"])
    let directory = read.optional("DIRECTORY", "…") as FilePath?
    #expect(directory == nil)
    let key = read.optionalSecret("KEY", "…")
    #expect(key == nil)
    #expect(Self.problems(read) == [])
  }

  @Test("values are parsed into types")
  func parses() {
    var read = Self.reader([
      "TENURE_PORT": "0", "TENURE_ON": "false", "TENURE_WAIT_SECONDS": "90",
      "TENURE_URL": "https://id.example.com/", "TENURE_COLOR": "green", "TENURE_ROLES": "x,y",
      "TENURE_DIRECTORY": "/var/lib/tenure", "TENURE_LOG_LEVEL": "debug", "HOME": "/root",
    ])
    let port = read.value("PORT", default: 8080, in: 0...65535, "…")
    #expect(port == 0)
    let on = read.value("ON", default: true, "…")
    #expect(!on)
    let wait = read.value("WAIT_SECONDS", default: Duration.seconds(30), "…")
    #expect(wait == .seconds(90))
    let url = read.required("URL", "…") as BaseURL
    #expect(url.text == "https://id.example.com")
    let color = read.required("COLOR", "…") as Color
    #expect(color == .green)
    let roles = read.value("ROLES", default: [], "…") as [String]
    #expect(roles == ["x", "y"])
    let directory = read.required("DIRECTORY", "…") as FilePath
    #expect(directory.appending("a").text == "/var/lib/tenure/a")
    let level = read.value("LOG_LEVEL", default: Logger.Level.info, "…")
    #expect(level == .debug)
    #expect(Self.problems(read) == [])
  }

  @Test("all problems are reported together, by name")
  func collects() {
    var read = Self.reader([
      "TENURE_PORT": "80a", "TENURE_BIG": "70000", "TENURE_ON": "yes", "TENURE_WAIT_SECONDS": "1m",
      "TENURE_URL": "ftp://x", "TENURE_COLOR": "blue", "TENURE_ROLES": "a,,b", "TENURE_TYPO": "1",
      "TENURE_KEY": "k", "TENURE_KEY_FILE": "/k", "TENURE_OTHER_FILE": "/none",
    ])
    let port = read.value("PORT", default: 8080, "…")
    #expect(port == 8080)
    _ = read.value("BIG", default: 8080, in: 0...65535, "…")
    _ = read.value("ON", default: true, "…")
    _ = read.value("WAIT_SECONDS", default: Duration.seconds(30), "…")
    _ = read.required("URL", "…") as BaseURL
    _ = read.required("COLOR", "…") as Color
    _ = read.value("ROLES", default: [], "…") as [String]
    _ = read.required("MISSING", "…") as String
    _ = read.secret("KEY", "…")
    _ = read.secret("OTHER", "…")
    _ = read.secret("ABSENT", "…")
    #expect(
      Self.problems(read) == [
        "TENURE_PORT must be an integer", "TENURE_BIG must be 0 to 65535",
        "TENURE_ON must be true or false", "TENURE_WAIT_SECONDS must be a number of seconds",
        "TENURE_URL must be an http or https URL in lower case, without user, query and fragment",
        "TENURE_COLOR must be one of red, green", "TENURE_ROLES must be a list separated by commas",
        "TENURE_MISSING is required", "TENURE_KEY and TENURE_KEY_FILE are both set; set one",
        "TENURE_OTHER_FILE names a file that cannot be read",
        "TENURE_ABSENT is required (or TENURE_ABSENT_FILE, the path of a file)",
        "TENURE_TYPO is not a setting",
      ])
  }

  @Test(
    "secrets come from a file, without its final line break",
    arguments: [
      ("s3cret\n", "s3cret"), ("s3cret\r\n", "s3cret"), ("s3cret", "s3cret"), ("a\n\n", "a\n"),
    ])
  func secretFiles(_ content: String, _ secret: String) {
    var read = Self.reader(["TENURE_KEY_FILE": "/k"], files: ["/k": Array(content.utf8)])
    let key = read.secret("KEY", "…")
    #expect(key.reveal() == secret)
    #expect(Self.problems(read) == [])
  }

  @Test(
    "unusable secret files",
    arguments: [[], [0x0a], [0xff, 0xfe], [UInt8](repeating: 0x61, count: 70_000)] as [[UInt8]])
  func unusableSecretFiles(_ content: [UInt8]) {
    var read = Self.reader(["TENURE_KEY_FILE": "/k"], files: ["/k": content])
    let key = read.optionalSecret("KEY", "…")
    #expect(key == nil)
    #expect(
      Self.problems(read) == ["TENURE_KEY_FILE names a file that is empty, too long or not UTF-8"])
  }

  @Test("problems never show a value")
  func valuesStayHidden() {
    var read = Self.reader(["TENURE_URL": "https://u:hunter2@x"])
    _ = read.required("URL", "…") as BaseURL
    #expect(!Self.problems(read).joined().contains("hunter2"))
  }

  @Test("variables of the test suite and of Kubernetes service links are not ours to judge")
  func foreignVariables() {
    var environment = ["TENURE_TEST_DATABASE_URL": "x", "TENURE_PORT_80_TCP": "tcp://10.0.0.1:80"]
    #expect(Self.problems(Self.reader(environment)) == ["TENURE_PORT_80_TCP is not a setting"])
    environment["KUBERNETES_SERVICE_HOST"] = "10.0.0.1"
    #expect(Self.problems(Self.reader(environment)) == [])
  }

  @Test("a setting read twice must be declared alike")
  func readTwice() {
    var read = Self.reader([:])
    _ = read.value("PORT", default: 1, "Port.")
    _ = read.value("PORT", default: 1, "Port.")
    #expect(read.declared.count == 1)
    #expect(Self.problems(read) == [])
    _ = read.value("PORT", default: 2, "Port.")
    #expect(Self.problems(read) == ["TENURE_PORT is declared twice, and differently"])
  }

  @Test("the table for the documentation")
  func markdown() {
    var read = SettingsReader.documentation
    _ = read.value("PORT", default: 8080, in: 0...65535, "Port the server binds.")
    _ = read.required("URL", "Where it is reached.") as BaseURL
    _ = read.secret("KEY", "The key.")
    _ = read.optional("DIR", "A directory.") as FilePath?
    #expect(
      read.markdown == """
        | setting | type | default | meaning |
        |---|---|---|---|
        | `TENURE_PORT` | integer, 0 to 65535 | `8080` | Port the server binds. |
        | `TENURE_URL` | URL | required | Where it is reached. |
        | `TENURE_KEY` or `TENURE_KEY_FILE` | secret | required | The key. |
        | `TENURE_DIR` | path | none | A directory. |

        """)
  }

  @Test(
    "base URLs",
    arguments: [
      ("http://localhost:8080", "http://localhost:8080"),
      ("https://id.example.com/", "https://id.example.com"),
      ("https://example.com/auth", "https://example.com/auth"),
      ("http://127.0.0.1:1", "http://127.0.0.1:1"),
      ("http://[::1]:8080", "http://[::1]:8080"),
    ])
  func acceptsBaseURL(_ text: String, _ canonical: String) throws {
    #expect(try #require(BaseURL(text)).text == canonical)
  }

  @Test(arguments: [
    "", "localhost", "//x", "http://", "http:///a", "HTTP://x", "http://X", "http://x:80",
    "https://x:443", "http://x:0",
    "http://x:65536", "http://x?", "http://x?a=b", "http://x#f", "http://u@x", "http://u:p@x",
    "ftp://x", "http://x//a",
    "http://x/a//", "http://x y", "http://é", "javascript:alert(1)", "http://x\n",
  ])
  func refusesBaseURL(_ text: String) {
    #expect(BaseURL(text) == nil)
  }
}
