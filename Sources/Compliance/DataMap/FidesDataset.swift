import Tenancy

extension DataMap {
  /// The declarations as a Fides dataset (fideslang `Dataset`), which privacy tools read.
  package func fidesDataset(key: String = "tenure_tenant", name: String = "Tenure tenant") -> String
  {
    var lines = [
      "dataset:", "  - fides_key: \(key)", "    name: \(Self.quoted(name))",
      "    description: \(Self.quoted("The tables of one organization."))",
      "    data_categories: []", "    collections:",
    ]
    for declaration in declarations {
      lines += [
        "      - name: \(declaration.table)",
        "        description: \(Self.quoted(declaration.fidesDescription))", "        fields:",
      ]
      for column in declaration.columns {
        lines.append("          - name: \(column.name)")
        let categories = column.isPersonal ? column.categories : [.operations]
        lines.append("            data_categories:")
        lines += categories.map { "              - \($0.key)" }
        if declaration.key.contains(column.name) {
          lines += ["            fides_meta:", "              primary_key: true"]
        }
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func quoted(_ text: String) -> String {
    let escaped = text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
    return "\"\(escaped)\""
  }
}

extension PersonalData {
  fileprivate var fidesDescription: String {
    switch erasure {
    case .none: "About nobody."
    case .delete: "Deleted when the person is erased."
    case .shred: "Deleted with its key when the person is erased."
    case .anonymise: "Anonymised when the person is erased."
    case .retain(let basis, let days): "Kept for \(days) days: \(basis.rawValue)."
    }
  }
}
