package import Database

/// What one table of a tenant holds about people and what happens to it (design section 7).
///
/// Values only: the engines of Compliance turn them into export, erasure, retention and records.
/// Every table of the tenant schema has exactly one, also those without a person in them.
package struct PersonalData: Sendable {
  package let table: Identifier
  /// The primary key, in order: what pages, batches and deletions go by.
  package let key: [Identifier]
  /// The column that names the person, and nil for a table that is about nobody.
  package let subject: Identifier?
  /// Tables of the same schema this one refers to: they are erased after it.
  package let references: [Identifier]
  package let erasure: Erasure
  package let retention: [RetentionTarget]
  /// The file of the export this table's rows go to, and nil if nothing of it is exported.
  package let export: String?
  package let columns: [Column]

  package init(
    table: Identifier, key: [Identifier], subject: Identifier?, references: [Identifier] = [],
    erasure: Erasure, retention: [RetentionTarget] = [], export: String? = nil,
    columns: [ColumnGroup]
  ) {
    self.table = table
    self.key = key
    self.subject = subject
    self.references = references
    self.erasure = erasure
    self.retention = retention
    self.export = export
    self.columns = columns.flatMap(\.columns)
  }
}

extension PersonalData {
  /// What erasing a subject does to the rows that name them.
  package enum Erasure: Sendable, Hashable {
    /// The table is about nobody.
    case none
    case delete
    /// The row goes away together with the subject key it holds; what was sealed with it is lost
    /// everywhere, backups included. Done after every other table.
    case shred
    /// The rows stay; the named columns change. Columns that are not named stay as they are.
    case anonymise([Replacement])
    /// The rows stay for a legal reason.
    case retain(basis: LegalBasis, periodDays: Int)
  }

  /// How one column of an anonymised row changes.
  package struct Replacement: Sendable, Hashable {
    package enum How: Sendable, Hashable {
      case null
      /// Null where the column's text is the subject's id; other values stay.
      case nullIfSubject
    }
    package let column: Identifier
    package let how: How

    package init(_ column: Identifier, _ how: How) {
      self.column = column
      self.how = how
    }
  }

  /// A class of rows a tenant may keep for a number of days: `session.ended`, `user.inactive`.
  package struct RetentionTarget: Sendable, Hashable {
    package enum Action: Sendable, Hashable {
      case delete
      /// Each row is a person: an erasure request is opened for each.
      case eraseSubject
    }
    /// The rule's name; also the primary key of `retention_rule`.
    package let id: String
    /// The row's age counts from the first of these that is not null; without any it is kept.
    package let since: [Identifier]
    package let action: Action
    package let defaultDays: Int
    /// Whether a new tenant starts with the rule switched on.
    package let enabledByDefault: Bool

    package init(
      _ id: String, since: [Identifier], days: Int, action: Action = .delete,
      enabledByDefault: Bool = true
    ) {
      self.id = id
      self.since = since
      self.action = action
      self.defaultDays = days
      self.enabledByDefault = enabledByDefault
    }
  }

  /// One column: what it is, where it comes from, what for, and how the person gets to see it.
  package struct Column: Sendable, Hashable {
    package let name: Identifier
    /// Empty for a technical column.
    ///
    /// A sealed document has one or more.
    package let categories: [DataCategory]
    package let source: DataSource?
    package let purpose: Purpose?
    package let basis: LegalBasis?
    package let storage: Storage
    package let export: ExportForm

    package var isPersonal: Bool { !categories.isEmpty }
  }

  package enum Storage: Sendable, Hashable {
    case plain
    /// A keyed digest of a value that is sealed elsewhere; nothing to show.
    case blindIndex
    /// A one-way digest or hash: nothing to show.
    case digest
    /// A JSON document sealed under the subject key; `row` is the column whose text form is the
    /// row id in the additional data (``SealedPlace``).
    case sealed(row: Identifier)
    /// A key wrapped by the tenant key.
    case wrappedKey
  }

  package enum ExportForm: Sendable, Hashable {
    case value
    /// A sealed JSON document: opened, its members beside the row's other columns.
    case opened
    /// Not handed out, and why (GDPR Article 15(4): rights of others, security).
    case withheld(StaticReason)
  }

  /// A reason from a closed list, so that it can be translated later.
  package enum StaticReason: String, Sendable, Hashable {
    /// Of no meaning to a person.
    case technical = "technical"
    /// Handing it out would weaken the protection of the account.
    case security = "security"
    /// Derived from a value that is exported already.
    case derived = "derived"
  }

  /// One entry of the declaration; stands for one column, or for several technical ones.
  package struct ColumnGroup: Sendable {
    package let columns: [Column]

    /// A column that tells something about a person.
    package init(
      _ name: Identifier, _ categories: DataCategory..., source: DataSource, purpose: Purpose,
      basis: LegalBasis, storage: Storage = .plain, export: ExportForm = .value
    ) {
      columns = [
        Column(
          name: name, categories: categories, source: source, purpose: purpose, basis: basis,
          storage: storage, export: export)
      ]
    }

    /// A sealed document with a category for each of its members.
    package init(
      sealed name: Identifier, row: Identifier, categories: [DataCategory], source: DataSource,
      purpose: Purpose, basis: LegalBasis
    ) {
      columns = [
        Column(
          name: name, categories: categories, source: source, purpose: purpose, basis: basis,
          storage: .sealed(row: row), export: .opened)
      ]
    }

    /// Columns that only make the row work: ids, versions, states, times.
    ///
    /// They are part of the export when the row is, since they say when and what.
    package static func technical(_ names: Identifier...) -> ColumnGroup {
      ColumnGroup(columns: names.map { technical($0, export: .value) })
    }

    /// Technical columns a person has no use for; never exported.
    package static func withheld(_ names: Identifier..., reason: StaticReason = .technical)
      -> ColumnGroup
    {
      ColumnGroup(columns: names.map { technical($0, export: .withheld(reason)) })
    }

    private static func technical(_ name: Identifier, export: ExportForm) -> Column {
      Column(
        name: name, categories: [], source: nil, purpose: nil, basis: nil, storage: .plain,
        export: export)
    }

    private init(columns: [Column]) {
      self.columns = columns
    }
  }
}

/// Where a value comes from (GDPR Article 14(2)(f)).
package enum DataSource: String, Sendable, Hashable {
  case provided, observed, derived
}

/// What a value is processed for.
package enum Purpose: String, Sendable, Hashable {
  case account = "account"
  case authentication = "authentication"
  case authorization = "authorization"
  case security = "security"
  case accountability = "accountability"
  case privacyRequests = "privacy_requests"
}

/// The legal basis of a processing (GDPR Article 6(1)).
package enum LegalBasis: String, Sendable, Hashable {
  case consent = "consent"
  case contract = "contract"
  case legalObligation = "legal_obligation"
  case legitimateInterest = "legitimate_interest"
}
