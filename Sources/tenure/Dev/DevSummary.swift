import Platform

/// What `tenure dev` prints once it serves: where things are and how to get in.
struct DevSummary {
  let document: JSON
  /// Absolute, for the reader.
  let folder: String
  /// As it was named on the command line.
  let data: String

  func show() {
    let base = text(document["base_url"])
    Output.line()
    Output.line("  Tenure is running on \(base)  (Ctrl-C stops it and all that it started)")
    Output.line()
    for organization in document["organizations"]?.arrayValue ?? [] {
      let issuer = text(organization["issuer"])
      Output.line("  Organization \(text(organization["slug"]))")
      Output.line("    issuer      \(issuer)")
      Output.line("    discovery   \(issuer)/.well-known/openid-configuration")
      Output.line("    privacy     \(issuer)/privacy")
      Output.line(
        "    user        \(text(organization["user"]?["username"])) / "
          + text(organization["user"]?["password"]))
      for (name, client) in organization["clients"]?.objectValue ?? [:] {
        let secret = client["client_secret"].map { " / \(text($0))" } ?? "  (public)"
        let padding = String(repeating: " ", count: max(0, 12 - name.count))
        Output.line("    \(name)\(padding)\(text(client["client_id"]))\(secret)")
      }
    }
    let admin = document["admin"]
    Output.line("  Administration")
    Output.line("    API         \(base)/admin/v1    documented on \(base)/docs")
    Output.line("    token       \(text(admin?["token_endpoint"]))")
    Output.line("    client      \(text(admin?["client_id"])) / \(text(admin?["client_secret"]))")
    Output.line("  Internal")
    Output.line("    listener    \(text(document["internal_url"]))/metrics, /healthz and /readyz")
    Output.line()
    Output.line("  All of this is in \(folder)/dev.json.  Try: tenure org list --data \(data)")
    Output.line()
  }

  private func text(_ value: JSON?) -> String {
    value?.stringValue ?? "?"
  }
}
