import Database
import Platform
import Tenancy

/// What an erasure says to one declared table.
extension PersonalData {
  /// The condition for rows that name the subject: in the subject column, or as the one who acted.
  func rows(of subject: UserID) -> ComposedSQL {
    var conditions: [ComposedSQL] = []
    if let column = self.subject { conditions.append("\(column) = \(bind: subject)") }
    for replacement in replaced where replacement.how == .nullIfSubject {
      conditions.append("\(replacement.column)::text = \(bind: subject.description)")
    }
    return "(\(ComposedSQL.joined(conditions, by: " or ")))"
  }

  func counting(_ subject: UserID) -> ComposedSQL {
    """
    select count(*)
      from \(tenant).\(table)
     where \(rows(of: subject))
    """
  }

  func deletion(of subject: UserID) -> ComposedSQL {
    """
    delete from \(tenant).\(table)
     where \(rows(of: subject))
    """
  }

  func anonymisation(of subject: UserID) -> ComposedSQL {
    let assignments = replaced.map { replacement -> ComposedSQL in
      let column = replacement.column
      switch replacement.how {
      case .null:
        guard let owner = self.subject else { return "\(column) = null" }
        // A row where the subject only acted keeps what it says about another person.
        return "\(column) = case when \(owner) = \(bind: subject) then null else \(column) end"
      case .nullIfSubject:
        return """
          \(column) = case when \(column)::text = \(bind: subject.description) then null
                           else \(column) end
          """
      }
    }
    return """
      update \(tenant).\(table)
         set \(ComposedSQL.joined(assignments, by: ", "))
       where \(rows(of: subject))
      """
  }

  /// The newest sealed documents of a column, each with the id it is sealed for.
  func sealedDocuments(
    _ column: Identifier, row: Identifier, of subject: UserID, limit: Int
  ) -> ComposedSQL {
    let order = ComposedSQL.joined(key.map { "\($0) desc" }, by: ", ")
    return """
      select \(row)::text, \(column)
        from \(tenant).\(table)
       where \(rows(of: subject))
         and \(column) is not null
       order by \(order)
       limit \(bind: limit)
      """
  }

  /// Which of the values, in lower case, stand in rows of others.
  func common(_ values: [String], notOf subject: UserID) -> ComposedSQL {
    let others: ComposedSQL = self.subject == nil ? "true" : "\(rows(of: subject)) is not true"
    return """
      select distinct n.value
        from (\(texts(where: others))) as row
        join unnest(\(bind: values)) as n (value) on strpos(row.content, n.value) > 0
      """
  }

  /// Whether one of the values, in lower case, stands in any row.
  func residue(_ values: [String]) -> ComposedSQL {
    """
    select exists (select
                     from (\(texts(where: "true"))) as row
                     join unnest(\(bind: values)) as n (value)
                       on strpos(row.content, n.value) > 0)
    """
  }

  /// Each row as one text in lower case, columns apart, binary columns as hexadecimal digits.
  ///
  /// The offset keeps the planner from making the text anew for each value.
  private func texts(where condition: ComposedSQL) -> ComposedSQL {
    let columns = columns.map { column -> ComposedSQL in "\(column.name)::text" }
    return """
      select lower(concat_ws(' | ', \(ComposedSQL.joined(columns, by: ", ")))) as content
        from \(tenant).\(table)
       where \(condition)
      offset 0
      """
  }
}
