package import Cryptography
package import Platform

/// The key that wraps every tenant key (design section 4).
///
/// It comes from outside the database, so that a dump alone opens nothing.
package struct MasterKey: Sendable {
  private let key: SymmetricKey

  package init(_ key: SymmetricKey) {
    self.key = key
  }

  /// The setting's form: 32 bytes as base64url.
  package init(_ text: Secret<String>) throws(KeyError) {
    guard let bytes = Base64URL.decode(text.reveal()), let key = try? SymmetricKey(bytes) else {
      throw .malformed("the master key must be 32 bytes as base64url")
    }
    self.key = key
  }

  /// A new key in the setting's form.
  package static func generateText() -> Secret<String> {
    Secret(Base64URL.encode(SymmetricKey.generate().reveal()))
  }

  /// The wrapped form for `control.tenant_key`.
  package func wrap(_ tenantKey: TenantKey) -> [UInt8] {
    AESGCM.seal(
      tenantKey.reveal(), key: key,
      additionalData: Self.place(tenantKey.version).additionalData(tenant: tenantKey.tenant))
  }

  package func unwrap(_ wrapped: [UInt8], tenant: TenantID, version: Int) throws -> TenantKey {
    let bytes = try AESGCM.open(
      wrapped, key: key, additionalData: Self.place(version).additionalData(tenant: tenant))
    return TenantKey(tenant: tenant, version: version, key: try SymmetricKey(bytes))
  }

  /// A key for the platform's own needs, such as signed cursors or idempotency digests.
  package func derive(_ purpose: KeyPurpose) -> SymmetricKey {
    HKDF.key(from: key, salt: [], info: "tenure.v1 platform \(purpose.name)")
  }

  private static func place(_ version: Int) -> SealedPlace {
    SealedPlace(table: "tenant_key", column: "wrapped", row: String(version))
  }
}

extension MasterKey: CustomStringConvertible, CustomReflectable {
  package var description: String { "<redacted>" }
  package var customMirror: Mirror { Mirror(self, children: EmptyCollection()) }
}

/// Why a key can't be used; never says anything of its bytes.
package enum KeyError: Error, Sendable, Hashable {
  case malformed(String)
  /// A tenant without a key of the wanted algorithm: provisioning did not finish.
  case missing(String)
}
