import FoundationEssentials
import Platform
import Tenancy
import Testing

@testable import Compliance

@Suite("Design section 7: what the residue scan looks for")
struct SubjectNeedlesTests {
  private let subject = UserID(UUID())

  private func needles(_ document: JSONObject) -> SubjectNeedles {
    SubjectNeedles(
      subject: subject, indexes: [(.email, [0xab, 0xcd]), (.phone, Array(0x12...0x19))],
      documents: [document])
  }

  @Test("ids, addresses, numbers and whole names are certain")
  func certain() {
    let needles = needles([
      "email": "a@b.example", "phone_number": "+491701234567", "name": "Ann Lee-Smith",
      "address": ["formatted": "Main Street 1\n04109 Leipzig"],
    ])
    for value in [
      subject.description, "a@b.example", "+491701234567", "ann lee-smith",
      "main street 1", "04109 leipzig", Hex.encode(Array("a@b.example".utf8)),
      "main street 1\\n04109 leipzig",
    ] {
      #expect(needles.certain.contains(value), "\(value)")
    }
  }

  @Test("single words, and indexes that others may have by now, are ambiguous")
  func ambiguous() {
    let needles = needles(["username": "granted", "given_name": "Ann", "locality": "Leipzig"])
    #expect(needles.ambiguous.contains("granted") && needles.ambiguous.contains("leipzig"))
    #expect(needles.ambiguous.contains("1213141516171819") && needles.ambiguous.contains("abcd"))
    #expect(!needles.ambiguous.contains("ann") && !needles.certain.contains("ann"))
    #expect(!needles.certain.contains("granted"))
  }

  @Test(
    "what random ids and digests hold by chance is not looked for",
    arguments: ["04109", "Abbe", "17-b", "12", "Bo"])
  func chance(value: String) {
    let needles = needles(["value": .string(value)])
    let empty = self.needles([:])
    #expect(needles.ambiguous == empty.ambiguous && needles.certain == empty.certain)
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
    #expect(window.start == 0 && window.end == 64)
    window.advance(afterDeleting: 0)
    #expect(window.start == 64 && window.end == 192)
    for _ in 0..<20 { window.advance(afterDeleting: 0) }
    #expect(window.width == RetentionWindow.widthMax)
    let start = window.end
    window.advance(afterDeleting: 6000)
    #expect(window.start == start && window.width == RetentionWindow.widthMax / 2)
    for _ in 0..<20 { window.advance(afterDeleting: 6000) }
    #expect(window.width == 1)
  }
}
