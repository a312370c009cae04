import Database
import FoundationEssentials
import Platform
import Tenancy

/// An enabled rule with the moment before which rows are too old.
struct DueRule: Sendable {
  let declaration: PersonalData
  let target: PersonalData.RetentionTarget
  let cutoff: Date

  var count: RetentionCount { count(0) }

  func count(_ rows: Int) -> RetentionCount {
    RetentionCount(rule: target.id, table: declaration.table.name, rows: rows)
  }
}

/// A foreign key of the schema, in declared names.
struct ForeignKey: Sendable {
  let child: PersonalData
  let childColumn: Identifier
  let parent: Identifier
  let parentColumn: Identifier
}

/// Builds the conditions of a retention run; rows that are referred to stay.
struct RetentionEngine: Sendable {
  /// Rules of referring tables come before those of the tables they refer to.
  let rules: [DueRule]
  let keys: [ForeignKey]

  /// Aliases of nested tables; deeper chains than these count as referred to.
  private static let aliases: [Identifier] = ["t", "t1", "t2", "t3", "t4"]

  init(map: DataMap, stored: [StoredRule], keys names: [ForeignKeyName], now: Date) {
    let keys = names.compactMap { ForeignKey($0, map) }
    var rest: [DueRule] = []
    for declaration in map.declarations {
      for target in declaration.retention {
        guard let rule = stored.first(where: { $0.id == target.id }), rule.isEnabled else {
          continue
        }
        let cutoff = now.addingTimeInterval(-Double(rule.keepDays) * 86400)
        rest.append(DueRule(declaration: declaration, target: target, cutoff: cutoff))
      }
    }
    var ordered: [DueRule] = []
    while !rest.isEmpty {
      let tables = Set(rest.map(\.declaration.table))
      let free = rest.filter { rule in
        !keys.contains {
          $0.parent == rule.declaration.table && $0.child.table != $0.parent
            && tables.contains($0.child.table)
        }
      }
      // A circle cannot be ordered; what is referred to stays anyway.
      let next = free.isEmpty ? rest : free
      ordered += next
      rest.removeAll { rule in next.contains { $0.target.id == rule.target.id } }
    }
    rules = ordered
    self.keys = keys
  }

  /// Which rows, as `t`, the rule takes away now that the rules before it are done.
  func due(_ rule: DueRule) -> ComposedSQL {
    "\(own(rule, "t")) and \(unreferenced(rule.declaration, depth: 0, isPlan: false))"
  }

  /// Which rows the rule would take away once the rules before it were done.
  func planned(_ rule: DueRule) -> ComposedSQL {
    "\(own(rule, "t")) and \(unreferenced(rule.declaration, depth: 0, isPlan: true))"
  }

  /// Old enough, and not taken by an earlier rule for the same table.
  private func own(_ rule: DueRule, _ alias: Identifier) -> ComposedSQL {
    let earlier = rules.prefix { $0.target.id != rule.target.id }
      .filter { $0.declaration.table == rule.declaration.table && $0.target.action == .delete }
    var conditions = [aged(rule, alias)]
    for other in earlier { conditions.append("(\(aged(other, alias))) is not true") }
    if rule.target.action == .eraseSubject {
      conditions.append(
        """
        not exists (select
                      from \(tenant).data_request as r
                     where r.subject_id = \(alias).\(rule.declaration.subject ?? "id")
                       and r.kind = 'erasure')
        """)
    }
    return ComposedSQL.joined(conditions, by: " and ")
  }

  private func aged(_ rule: DueRule, _ alias: Identifier) -> ComposedSQL {
    let times = rule.target.since.map { column -> ComposedSQL in "\(alias).\(column)" }
    return "coalesce(\(ComposedSQL.joined(times, by: ", "))) < \(bind: rule.cutoff)"
  }

  private func unreferenced(
    _ declaration: PersonalData, depth: Int, isPlan: Bool
  ) -> ComposedSQL {
    // An erasure takes what refers to the account along.
    var conditions: [ComposedSQL] = ["true"]
    guard declaration.erasure != .shred, depth + 1 < Self.aliases.count else {
      return declaration.erasure == .shred ? "true" : "false"
    }
    let (parent, child) = (Self.aliases[depth], Self.aliases[depth + 1])
    for key in keys where key.parent == declaration.table && key.child.table != key.parent {
      var going: ComposedSQL = "false"
      let childRules = rules.filter {
        $0.declaration.table == key.child.table && $0.target.action == .delete
      }
      if isPlan, !childRules.isEmpty {
        let tooOld = ComposedSQL.joined(childRules.map { aged($0, child) }, by: " or ")
        going =
          "coalesce(\(tooOld), false) and \(unreferenced(key.child, depth: depth + 1, isPlan: true))"
      }
      conditions.append(
        """
        not exists (select
                      from \(tenant).\(key.child.table) as \(child)
                     where \(child).\(key.childColumn) = \(parent).\(key.parentColumn)
                       and not (\(going)))
        """)
    }
    return ComposedSQL.joined(conditions, by: " and ")
  }
}

extension ForeignKey {
  fileprivate init?(_ name: ForeignKeyName, _ map: DataMap) {
    guard let child = map.declarations.first(where: { $0.table.name == name.child }),
      let parent = map.declarations.first(where: { $0.table.name == name.parent }),
      let childColumn = child.columns.first(where: { $0.name.name == name.childColumn }),
      let parentColumn = parent.columns.first(where: { $0.name.name == name.parentColumn })
    else { return nil }
    self.init(
      child: child, childColumn: childColumn.name, parent: parent.table,
      parentColumn: parentColumn.name)
  }
}
