package import Platform

/// An input of a form, rendered by the partial `field`: label, hint, error, and how they belong.
package struct FormField: Sendable {
  package enum Kind: String, Sendable { case text, email, password, tel, date, url, number }

  /// The input's id and name.
  package var name: String
  package var label: String
  package var kind: Kind = .text
  package var value: String?
  package var hint: String?
  package var error: String?
  /// What browsers and password managers fill in (HTML section 4.10.18.7).
  package var autocomplete: String?
  package var isRequired = true
  package var isFocused = false

  package init(_ name: String, _ label: String, _ kind: Kind = .text) {
    self.name = name
    self.label = label
    self.kind = kind
  }

  package var json: JSON {
    var described: [String] = []
    if error != nil { described.append("\(name)-error") }
    if hint != nil { described.append("\(name)-hint") }
    return [
      "name": .string(name), "label": .string(label), "type": .string(kind.rawValue),
      // A password is never sent back.
      "value": kind == .password ? .null : .optional(value),
      "hint": .optional(hint), "error": .optional(error),
      "autocomplete": .optional(autocomplete),
      "described": described.isEmpty ? .null : .string(described.joined(separator: " ")),
      "required": .bool(isRequired), "autofocus": .bool(isFocused),
    ]
  }
}

/// A coloured bar with a sentence, rendered by the partial `notice`.
package struct Notice: Sendable {
  package enum Tone: String, Sendable { case info, success, warning, danger }

  package let tone: Tone
  package let text: String

  package init(_ tone: Tone, _ text: String) {
    self.tone = tone
    self.text = text
  }

  /// Errors interrupt a screen reader, others wait their turn.
  package var json: JSON {
    [
      "tone": .string(tone.rawValue), "text": .string(text),
      "role": tone == .danger ? "alert" : "status",
    ]
  }
}
