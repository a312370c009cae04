import Database
import FoundationEssentials
import Platform
import Tenancy

/// Spare schemas that may be taken, and organizations, each as far as it matters.
struct CountSpareSchemas: Statement {
  let spareMax: Int
  let organizationsMax: Int
  static let sql: SQL<Self> = """
    select (select count(*)
              from (select from control.spare_schema
                     where published
                       and to_regrole(name) is not null
                     limit \(\.spareMax)) as spare),
           (select count(*) from (select from control.organization limit \(\.organizationsMax)) as owner)
    """
  static func decode(_ row: inout RowReader) throws -> (spare: Int, organizations: Int) {
    (try row.next(), try row.next())
  }
}

struct InsertSpareSchemas: Statement {
  let organizations: [UUID]
  let names: [String]
  let now: Date
  static let sql: SQL<Self> = """
    insert into control.spare_schema (organization_id, name, published, created_at)
    select spare.organization_id, spare.name, false, \(\.now)
      from unnest(\(\.organizations)::uuid[], \(\.names)::text[]) as spare (organization_id, name)
    """
}

/// Lets others take what was made before; under the lock of those who make them (``PublishReadyOrganizations``).
struct PublishSpareSchemas: Statement {
  static let sql: SQL<Self> = "update control.spare_schema set published = true where not published"
}

/// Whose schema it is from the commit on; of transactions at the same time each gets another.
///
/// A dump of the database holds row and schema, and not the role.
struct TakeSpareSchema: Statement {
  static let sql: SQL<Self> = """
    delete from control.spare_schema
     where organization_id = (select organization_id
                                from control.spare_schema
                               where published
                                 and to_regrole(name) is not null
                               limit 1
                                 for update skip locked)
    returning organization_id
    """
  static func decode(_ row: inout RowReader) throws -> TenantID { try row.next() }
}

/// Makes the processes that make spare schemas take turns.
struct LockSpareSchemas: Statement {
  static let sql: SQL<Self> = "select pg_try_advisory_xact_lock(7306862947003)"
  static func decode(_ row: inout RowReader) throws -> Bool { try row.next() }
}
