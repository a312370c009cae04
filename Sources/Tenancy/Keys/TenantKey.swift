package import Cryptography
import Platform
import Synchronization

/// What a derived key is for; each name gives an independent key.
package struct KeyPurpose: Sendable, Hashable {
  let name: String

  package init(_ name: StaticString) {
    self.name = String(describing: name)
  }

  package static let refreshToken = KeyPurpose("refresh-token")
  package static let interaction = KeyPurpose("interaction")
  package static let signedURL = KeyPurpose("signed-url")
  package static let form = KeyPurpose("form")
  package static let idempotency = KeyPurpose("idempotency")
  package static let throttle = KeyPurpose("throttle")
  package static let limit = KeyPurpose("limit")
  package static let replay = KeyPurpose("replay")
  package static let userCode = KeyPurpose("user-code")
  fileprivate static let blindIndex = KeyPurpose("blind-index")
}

/// The key of one tenant (KEK): wraps subject keys, seals what belongs to nobody in particular, and
/// keys the blind indexes (design section 4).
package struct TenantKey: Sendable {
  package let tenant: TenantID
  package let version: Int
  private let root: SymmetricKey
  private let sealing: SymmetricKey
  private let derived = DerivedKeys()

  init(tenant: TenantID, version: Int, key: SymmetricKey) {
    self.tenant = tenant
    self.version = version
    root = key
    sealing = HKDF.key(from: key, salt: tenant.bytes, info: "tenure.v1 seal")
  }

  /// The first key of a new tenant.
  package static func generate(for tenant: TenantID) -> TenantKey {
    TenantKey(tenant: tenant, version: 1, key: .generate())
  }

  package func seal(_ plaintext: [UInt8], at place: SealedPlace) -> [UInt8] {
    AESGCM.seal(plaintext, key: sealing, additionalData: place.additionalData(tenant: tenant))
  }

  package func open(_ sealed: [UInt8], at place: SealedPlace) throws(CryptographyError) -> [UInt8] {
    try AESGCM.open(sealed, key: sealing, additionalData: place.additionalData(tenant: tenant))
  }

  /// What a user with this value is found by; nil if the value has no normal form.
  package func blindIndex(_ kind: BlindIndex, _ value: String) -> [UInt8]? {
    guard let normal = kind.normalise(value) else { return nil }
    let key = derived.key(for: .blindIndex) {
      HMACKey(HKDF.key(from: root, salt: tenant.bytes, info: "tenure.v1 blind-index"))
    }
    return key.sha256("\(kind.rawValue)\u{0}\(normal)")
  }

  /// An independent key of this tenant for one purpose, derived when it is first asked for.
  package func macKey(_ purpose: KeyPurpose) -> HMACKey {
    derived.key(for: purpose) {
      HMACKey(HKDF.key(from: root, salt: tenant.bytes, info: "tenure.v1 purpose \(purpose.name)"))
    }
  }

  package func wrap(_ subjectKey: SubjectKey) -> [UInt8] {
    seal(subjectKey.reveal(), at: .subjectKey(subjectKey.user))
  }

  package func unwrap(_ wrapped: [UInt8], user: UserID) throws(CryptographyError) -> SubjectKey {
    let bytes = try open(wrapped, at: .subjectKey(user))
    return SubjectKey(tenant: tenant, user: user, key: try SymmetricKey(bytes))
  }

  func reveal() -> [UInt8] { root.reveal() }
}

extension TenantKey: CustomStringConvertible, CustomReflectable {
  package var description: String { "<redacted>" }
  package var customMirror: Mirror { Mirror(self, children: EmptyCollection()) }
}

/// Keys derived so far; they live as long as the cached tenant.
private final class DerivedKeys: Sendable {
  private let keys = Mutex<[KeyPurpose: HMACKey]>([:])

  /// Two callers may both derive it: they get the same key.
  func key(for purpose: KeyPurpose, derive: () -> HMACKey) -> HMACKey {
    if let known = keys.withLock({ $0[purpose] }) { return known }
    let key = derive()
    keys.withLock { $0[purpose] = key }
    return key
  }
}
