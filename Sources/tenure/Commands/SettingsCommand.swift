import ArgumentParser
import Platform

/// `tenure settings`: every setting, with its default and meaning.
struct SettingsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "settings", abstract: "List every setting of 'tenure serve'.")

  @Flag(help: "As a Markdown table.") var markdown = false

  func run() {
    var read = SettingsReader.documentation
    _ = ServeSettings(&read)
    if markdown { return Output.line(read.markdown) }
    Output.table(
      ["setting", "default", "meaning"],
      read.declared.map { setting in
        let fallback = setting.presence == .required ? "required" : setting.defaultText ?? "-"
        return [setting.name, fallback, setting.meaning]
      })
  }
}
