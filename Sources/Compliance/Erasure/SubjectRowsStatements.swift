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

  /// Which of the values stand in rows of others, whatever the case.
  func common(_ values: [String], notOf subject: UserID) -> ComposedSQL {
    let others: ComposedSQL = self.subject == nil ? "true" : "\(rows(of: subject)) is not true"
    return """
      with needle as materialized (select value, lower(value) as text
                                     from unnest(\(bind: values)) as n (value))
      select distinct n.value
        from (\(texts(where: others, isShared: "false"))) as row
        join needle as n on strpos(row.content, n.text) > 0
      """
  }

  /// The accounts, of which this is the table, that one of the blind indexes leads to.
  func sharers(of indexes: [[UInt8]]) -> ComposedSQL? {
    let matches = columns.filter { $0.storage == .blindIndex }.map { column -> ComposedSQL in
      "a.\(column.name) = any(\(bind: indexes))"
    }
    guard let subject, !indexes.isEmpty, !matches.isEmpty else { return nil }
    return """
      select a.\(subject)
        from \(tenant).\(table) as a
       where \(ComposedSQL.joined(matches, by: " or "))
      """
  }

  /// Whether something of a subject whose rows are gone stands in any row.
  ///
  /// The sharers have identifiers of the subject today: in their rows only the subject's id counts. They are looked up by
  /// the same statement, so that nobody can become one in between. A table that is about nobody has the words of others:
  /// there only the identifiers count.
  func residue(_ needles: SubjectNeedles, sharers: ComposedSQL?) -> ComposedSQL {
    let shareable = needles.identifiers + (subject == nil ? [] : needles.ambiguous)
    let values = needles.ids + shareable
    let own = needles.ids.map { _ in true } + shareable.map { _ in false }
    var isShared: ComposedSQL = "false"
    if let subject, let sharers { isShared = "coalesce(\(subject) in (\(sharers)), false)" }
    return """
      with needle as materialized (select lower(value) as text, is_own
                                     from unnest(\(bind: values), \(bind: own)) as n (value, is_own))
      select exists (select
                       from (\(texts(where: "true", isShared: isShared))) as row
                       join needle as n
                         on strpos(row.content, n.text) > 0 and (n.is_own or not row.is_shared))
      """
  }

  /// Each row as one text in lower case, columns apart, binary columns as hexadecimal digits.
  ///
  /// The offset keeps the planner from making the text anew for each value.
  private func texts(where condition: ComposedSQL, isShared: ComposedSQL) -> ComposedSQL {
    let columns = columns.map { column -> ComposedSQL in "\(column.name)::text" }
    return """
      select lower(concat_ws(' | ', \(ComposedSQL.joined(columns, by: ", ")))) as content,
             \(isShared) as is_shared
        from \(tenant).\(table)
       where \(condition)
      offset 0
      """
  }
}
