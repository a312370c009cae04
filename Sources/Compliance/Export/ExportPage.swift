import Database
import FoundationEssentials
import Platform
import Tenancy

/// The readable page of an export: one file without scripts or links, everything escaped.
struct ExportPage {
  let tenant: Tenant
  let subject: UserID
  let createdAt: Date
  let sections: [ExportSection]
  let information: ProcessingRecord

  var html: String {
    let shown = sections.filter { $0.rowCount > 0 }
    let contents = shown.map { section in
      "<li><a href=\"#\(section.anchor)\">\(Self.escape(section.title))</a> <span>\(section.rowCount)</span></li>"
    }
    return """
      <!doctype html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="robots" content="noindex">
      <title>Your data at \(Self.escape(tenant.name))</title>
      <style>\(Self.style)</style>
      </head>
      <body>
      <header>
      <p class="eyebrow">Personal data export</p>
      <h1>Your data at \(Self.escape(tenant.name))</h1>
      <p>Everything we hold about you, as of \(Self.time(createdAt.rfc3339)). The folder <code>data</code> has the same \
      in a form that machines read; <code>manifest.json</code> lists every file with its checksum.</p>
      <dl class="facts"><div><dt>Your identifier</dt><dd><code>\(subject)</code></dd></div>\
      <div><dt>Service</dt><dd><code>\(Self.escape(tenant.issuer))</code></dd></div></dl>
      </header>
      <nav aria-label="Contents"><ul>\(contents.joined())<li><a href="#about">About this processing</a></li></ul></nav>
      <main>
      \(shown.map(Self.section).joined(separator: "\n"))
      \(about)
      </main>
      </body>
      </html>

      """
  }

  // MARK: Data

  private static func section(_ section: ExportSection) -> String {
    let isRecord = section.rowCount == 1
    let body =
      isRecord
      ? section.rows.map(record).joined() : table(section.rows, columns: columns(of: section.rows))
    let hidden = section.rowCount - section.rows.count
    let more =
      hidden > 0
      ? "<p class=\"more\">\(hidden) more in <code>data/\(escape(section.file)).json</code>.</p>"
      : ""
    return """
      <section id="\(section.anchor)">
      <h2>\(escape(section.title)) <span class="count">\(section.rowCount)</span></h2>
      \(body)\(more)
      </section>
      """
  }

  private static func record(_ row: JSONObject) -> String {
    let items = row.filter { !$0.value.isNull }.map { member in
      "<div><dt>\(label(member.name))</dt><dd>\(value(member.value))</dd></div>"
    }
    return "<dl>\(items.joined())</dl>"
  }

  private static func table(_ rows: [JSONObject], columns: [String]) -> String {
    let head = columns.map { "<th scope=\"col\">\(label($0))</th>" }.joined()
    let body = rows.map { row in
      "<tr>\(columns.map { "<td>\(value(row[$0] ?? .null))</td>" }.joined())</tr>"
    }
    return
      "<div class=\"scroll\" tabindex=\"0\"><table><thead><tr>\(head)</tr></thead><tbody>\(body.joined(separator: "\n"))</tbody></table></div>"
  }

  /// The members that have a value somewhere, in the order they come up.
  private static func columns(of rows: [JSONObject]) -> [String] {
    var names: [String] = []
    for row in rows {
      for member in row where !member.value.isNull && !names.contains(member.name) {
        names.append(member.name)
      }
    }
    // The id is for machines; when something happened comes first.
    if names.count > 1 { names.removeAll { $0 == "id" } }
    let times = ["occurred_at", "received_at", "auth_time", "created_at"]
    if let time = times.first(where: names.contains) {
      names.removeAll { $0 == time }
      names.insert(time, at: 0)
    }
    return names
  }

  private static func value(_ json: JSON) -> String {
    switch json {
    case .null: return "<span class=\"none\">–</span>"
    case .bool(let flag): return flag ? "yes" : "no"
    case .integer, .number: return escape(json.text)
    case .string(let text): return time(text)
    case .array(let elements): return elements.map(value).joined(separator: ", ")
    case .object(let object): return record(object)
    }
  }

  private static func time(_ text: String) -> String {
    guard let utc = ExportTime.utc(text) else { return escape(text) }
    return
      "<time datetime=\"\(utc)\">\(utc.prefix(10)) \(utc.dropFirst(11).prefix(8)) UTC</time>"
  }

  // MARK: About

  private var about: String {
    let activities = information.activities.map { activity in
      """
      <tr><td>\(Self.escape(activity.purpose.sentence))</td><td>\(Self.escape(activity.basis.sentence))</td>\
      <td>\(activity.categories.map { "<code>\(Self.escape($0.key))</code>" }.joined(separator: " "))</td>\
      <td>\(Self.escape(activity.sources.map(\.sentence).joined(separator: "; ")))</td></tr>
      """
    }
    let periods = information.retention.map { entry in
      "<tr><td>\(Self.label(entry.table))</td><td><code>\(Self.escape(entry.target.id))</code></td><td>\(entry.target.defaultDays) days</td></tr>"
    }
    let rights = ProcessingRecord.rights.map { "<li>\(Self.escape($0))</li>" }
    return """
      <section id="about">
      <h2>About this processing</h2>
      <p>\(Self.escape(tenant.name)) is the controller. There are no automated decisions. Applications receive the data \
      you agreed to; they are listed among your consents.</p>
      <h3>What for, and on what ground</h3>
      <div class="scroll" tabindex="0"><table><thead><tr><th scope="col">Purpose</th><th scope="col">Legal basis</th>\
      <th scope="col">Categories</th><th scope="col">Source</th></tr></thead><tbody>\(activities.joined())</tbody></table></div>
      <h3>How long</h3>
      <p>As long as you have an account, unless a rule ends it earlier:</p>
      <div class="scroll" tabindex="0"><table><thead><tr><th scope="col">What</th><th scope="col">Rule</th>\
      <th scope="col">Usual period</th></tr></thead><tbody>\(periods.joined())</tbody></table></div>
      <h3>Your rights</h3>
      <ul class="rights">\(rights.joined())</ul>
      </section>
      """
  }

  // MARK: Text

  /// `ip_address` becomes "IP address".
  static func label(_ name: String) -> String {
    let words = name.split(separator: "_").map { word in
      initials.contains(String(word)) ? word.uppercased() : String(word)
    }
    let text = words.joined(separator: " ")
    return escape(text.prefix(1).uppercased() + text.dropFirst())
  }

  private static let initials: Set<String> = ["id", "ip", "url", "acr", "amr"]

  static func escape(_ text: String) -> String {
    var escaped = ""
    escaped.reserveCapacity(text.utf8.count)
    for character in text.unicodeScalars {
      switch character {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      case "'": escaped += "&#39;"
      // Overrides of direction could make a text read as another.
      case "\u{202A}"..."\u{202E}", "\u{2066}"..."\u{2069}": escaped += "\u{FFFD}"
      default: escaped.unicodeScalars.append(character)
      }
    }
    return escaped
  }

  private static let style = """
    :root{color-scheme:light dark;--ink:#1b2430;--soft:#5b6675;--line:#dfe4ea;--paper:#f6f7f9;--card:#fff;--accent:#2457c5}
    @media(prefers-color-scheme:dark){:root{--ink:#e8ecf2;--soft:#9aa6b6;--line:#2c3542;--paper:#12171e;--card:#1a212b;--accent:#8ab0ff}}
    *{box-sizing:border-box}
    body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
    header,nav,main{max-width:62rem;margin:0 auto;padding:0 1.25rem}
    header{padding-top:3rem}
    .eyebrow{margin:0;color:var(--accent);font-weight:600;letter-spacing:.02em}
    h1{margin:.2rem 0 .6rem;font-size:2rem;line-height:1.2}
    h2{margin:0 0 1rem;font-size:1.2rem}
    h3{margin:1.6rem 0 .5rem;font-size:1rem}
    code{font:.86em ui-monospace,SFMono-Regular,Menlo,monospace;overflow-wrap:anywhere}
    a{color:var(--accent)}
    nav ul{display:flex;flex-wrap:wrap;gap:.5rem;margin:1.5rem 0;padding:0;list-style:none}
    nav a{display:inline-block;padding:.25rem .2rem}
    nav li{padding:0 .6rem;border:1px solid var(--line);border-radius:999px;background:var(--card)}
    nav span,.count{color:var(--soft);font-weight:400;font-size:.9em}
    section{margin:0 0 1.25rem;padding:1.5rem;border:1px solid var(--line);border-radius:12px;background:var(--card)}
    dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(15rem,1fr));gap:1rem 2rem;margin:0}
    dl.facts{margin-top:1.5rem}
    dt{color:var(--soft);font-size:.85rem}
    dd{margin:0;overflow-wrap:anywhere}
    dd dl,td dl{gap:.4rem 1rem;margin-top:.25rem}
    .scroll{overflow-x:auto}
    table{width:100%;border-collapse:collapse;font-size:.92rem}
    th,td{padding:.5rem 1.25rem .5rem 0;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
    th{color:var(--soft);font-weight:600;white-space:nowrap}
    td{overflow-wrap:break-word}
    time{white-space:nowrap;font-variant-numeric:tabular-nums}
    .none,.more{color:var(--soft)}
    .rights{columns:2 16rem;margin:0;padding-left:1.2rem}
    @media print{body{background:#fff}nav{display:none}section{break-inside:avoid-page;border:0;padding:0 0 1rem}}
    """
}

extension ExportSection {
  var anchor: String { "\(file)-\(declaration.table)" }

  var title: String {
    switch declaration.table.name {
    case "user_account": "Account"
    case "credential": "Ways to sign in"
    case "session": "Sessions"
    case "token_family": "Applications with access"
    case "consent_event": "Consents"
    case "audit_event": "Activity"
    case "data_request": "Privacy requests"
    case "export_package": "Exports"
    default: ExportPage.label(declaration.table.name)
    }
  }
}
