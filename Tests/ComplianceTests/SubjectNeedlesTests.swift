import FoundationEssentials
import Platform
import Tenancy
import Testing

@testable import Compliance

@Suite("Design section 7: what the residue scan looks for")
struct SubjectNeedlesTests {
  private let subject = UserID(UUID())

  private func needles(_ account: JSONObject, others: [JSONObject] = []) -> SubjectNeedles {
    SubjectNeedles(
      subject: subject, indexes: [[0xab, 0xcd]],
      documents: others.map { SubjectDocument(isAccount: false, members: $0) }
        + [SubjectDocument(isAccount: true, members: account)])
  }

  @Test("ids, blind indexes, the e-mail and the phone number of the account are certain")
  func certain() {
    let needles = needles(
      ["email": "a@b.example", "phone_number": "+491701234567", "name": "Ann Lee-Smith"],
      others: [["email": "old@b.example"]])
    #expect(needles.ids == [subject.description, Hex.encode(subject.bytes)])
    for value in [
      "abcd", "a@b.example", "+491701234567", Hex.encode(Array("a@b.example".utf8)),
    ] {
      #expect(needles.identifiers.contains(value), "\(value)")
    }
    #expect(!needles.identifiers.contains("Ann Lee-Smith"))
    // Somebody else's today, perhaps.
    #expect(!needles.identifiers.contains("old@b.example"))
    #expect(needles.ambiguous.contains("old@b.example"))
    #expect(!needles.ambiguous.contains("a@b.example"))
  }

  @Test("names, places and other words are ambiguous")
  func ambiguous() {
    let needles = needles([
      "username": "granted", "given_name": "Ann", "name": "Ann Lee-Smith",
      "address": ["formatted": "Main Street 1\n04109 Leipzig"],
    ])
    for value in [
      "granted", "Ann Lee-Smith", "Main Street 1", "04109 Leipzig",
      "Main Street 1\\n04109 Leipzig",
    ] {
      #expect(needles.ambiguous.contains(value), "\(value)")
    }
    #expect(!needles.ambiguous.contains("Ann"))
  }

  @Test("a hundred failed sign-ins do not push out what the account says")
  func bounded() {
    let agents = (0..<300).map { index -> JSONObject in
      ["user_agent": .string("Agent number \(index)"), "email": .string("\(index)@b.example")]
    }
    let needles = needles(["email": "z@b.example", "family_name": "Zuse-Mann"], others: agents)
    #expect(needles.identifiers.contains("z@b.example"))
    #expect(needles.ambiguous.contains("Zuse-Mann"))
    #expect(needles.ambiguous.count <= SubjectNeedles.countMax * 3)
  }

  @Test(
    "what random ids and digests hold by chance is not looked for",
    arguments: ["04109", "Abbe", "17-b", "12", "Bo"])
  func chance(value: String) {
    let needles = needles(["value": .string(value)])
    let empty = self.needles([:])
    #expect(needles.ambiguous == empty.ambiguous && needles.identifiers == empty.identifiers)
  }
}

@Suite("The readable page of an export")
struct ExportPageTests {
  @Test(
    "escapes what a person may have written",
    arguments: [
      ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
      ("\" onload='x'", "&quot; onload=&#39;x&#39;"), ("a & b", "a &amp; b"),
      ("\u{202E}txt.exe", "\u{FFFD}txt.exe"), ("日本 é", "日本 é"),
    ])
  func escapes(text: String, html: String) {
    #expect(ExportPage.escape(text) == html)
  }

  @Test("makes labels of names")
  func label() {
    #expect(ExportPage.label("last_sign_in_at") == "Last sign in at")
    #expect(ExportPage.label("ip_address") == "IP address")
    #expect(ExportPage.label("<b>") == "&lt;b&gt;")
  }
}

@Suite("Batches of retention")
struct RetentionWindowTests {
  @Test("grow over what is sparse and shrink over what is dense")
  func window() {
    var window = RetentionWindow()
    #expect(window.start == 0 && window.end == 8)
    window.advance(afterDeleting: 1499)
    #expect(window.start == 8 && window.end == 24)
    window.advance(afterDeleting: 1500)
    window.advance(afterDeleting: 4500)
    #expect(window.start == 40 && window.width == 16)
    for _ in 0..<20 { window.advance(afterDeleting: 0) }
    #expect(window.width == RetentionWindow.widthMax)
    let start = window.end
    window.advance(afterDeleting: 20_480)
    #expect(window.start == start && window.width == 75)
    window.advance(afterDeleting: 4501)
    #expect(window.width == 49)
    for _ in 0..<20 { window.advance(afterDeleting: 6000) }
    #expect(window.width == 1)
  }
}
