import Database
import Migrations
import TestSupport
import Testing

/// The rules that let a tenant's schema move to Citus unchanged (design section 3).
@Suite("Rules for tenant schemas")
struct TenantSchemaRuleTests {
  @Test("a tenant has plain tables and their indexes only", arguments: Rule.all)
  func catalogue(_ rule: Rule) async throws {
    let test = try await TestDatabase.shared()
    let schema = try await test.freshTenant().schema
    let offenders = try await test.database.all(rule.sql(schema), in: nil) { row in
      try row.next(String.self)
    }
    #expect(offenders == [], "\(rule)")
  }

  @Test("every table in the scripts is named with its schema", arguments: Migrations.tenant)
  func qualified(_ migration: Migration) throws {
    for script in [migration.up, migration.down] {
      let text = script.split(separator: "\n").filter { !$0.trimmed.hasPrefix("--") }
        .joined(separator: "\n")
      let names = text.matches(
        of:
          #/(?:create\s+table|drop\s+table|alter\s+table|references|insert\s+into|update|index\s+\w+\s+on)\s+(?:if\s+(?:not\s+)?exists\s+)?(?<name>[^\s(;]+)/#
      ).map(\.output.name)
      #expect(!names.isEmpty)
      for name in names { #expect(name.hasPrefix("{tenant}."), "\(name)") }
      for word in [
        "create schema", "search_path", "create extension", "create type", "create function",
      ] {
        #expect(!text.contains(word))
      }
    }
  }

  struct Rule: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let sql: @Sendable (TenantSchema) -> ComposedSQL

    init(_ description: String, _ sql: @escaping @Sendable (TenantSchema) -> ComposedSQL) {
      testDescription = description
      self.sql = sql
    }

    static let all = [
      Rule("relations are ordinary, permanent tables and indexes") {
        """
        select relname::text from pg_class
         where relnamespace = \(bind: $0.name)::regnamespace
           and (relkind not in ('r', 'i') or relpersistence <> 'p' or relispartition or relhasrules
                or relhastriggers and exists (
                  select from pg_trigger where tgrelid = pg_class.oid and not tgisinternal))
        """
      },
      Rule("every table has a primary key") {
        """
        select relname::text from pg_class
         where relnamespace = \(bind: $0.name)::regnamespace and relkind = 'r'
           and not exists (select from pg_constraint where conrelid = pg_class.oid and contype = 'p')
        """
      },
      Rule("foreign keys stay inside the schema") {
        """
        select conname::text from pg_constraint
          join pg_class target on target.oid = confrelid
         where connamespace = \(bind: $0.name)::regnamespace and contype = 'f'
           and target.relnamespace <> connamespace
        """
      },
      Rule("foreign keys are called table_column_fkey") {
        """
        select conname::text from pg_constraint
          join pg_class c on c.oid = conrelid
          join pg_attribute a on a.attrelid = conrelid and a.attnum = conkey[1]
         where connamespace = \(bind: $0.name)::regnamespace and contype = 'f'
           and conname <> relname || '_' || attname || '_fkey'
        """
      },
      Rule("no enums, domains or ranges") {
        """
        select typname::text from pg_type
         where typnamespace = \(bind: $0.name)::regnamespace and typtype not in ('c', 'b')
        """
      },
      Rule("no functions") {
        "select proname::text from pg_proc where pronamespace = \(bind: $0.name)::regnamespace"
      },
      Rule("no defaults that call functions, no identity, no generated columns") {
        """
        select attname::text from pg_attribute
          join pg_class c on c.oid = attrelid
          left join pg_attrdef on adrelid = attrelid and adnum = attnum
         where relnamespace = \(bind: $0.name)::regnamespace and relkind = 'r' and attnum > 0
           and (attidentity <> '' or attgenerated <> '' or pg_get_expr(adbin, adrelid) like '%(%')
        """
      },
      Rule("no types of extensions or schemas") {
        """
        select attname::text from pg_attribute
          join pg_class c on c.oid = attrelid
          join pg_type t on t.oid = atttypid
         where relnamespace = \(bind: $0.name)::regnamespace and relkind = 'r' and attnum > 0
           and not attisdropped and typnamespace <> 'pg_catalog'::regnamespace
        """
      },
    ]
  }
}

extension Substring {
  fileprivate var trimmed: Substring { drop { $0.isWhitespace } }
}
