// swift-tools-version: 6.3
import PackageDescription

/// Settings of every target of ours; dependencies keep their own.
let settings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InferIsolatedConformances"),
  .enableUpcomingFeature("ImmutableWeakCaptures"),
  .treatAllWarnings(as: .error),
  .treatWarning("DeprecatedDeclaration", as: .warning),
]
/// Settings of the targets that wrap a C library.
let unsafeSettings = settings + [.strictMemorySafety()]

func module(_ name: String, _ dependencies: [Target.Dependency], settings: [SwiftSetting] = settings)
  -> Target
{
  .target(name: name, dependencies: dependencies, exclude: excludes[name] ?? [], resources: resources[name] ?? [], swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
  .testTarget(name: name, dependencies: dependencies, resources: resources, swiftSettings: settings)
}

let excludes: [String: [String]] = [:]
let resources: [String: [Resource]] = [:]

let log = Target.Dependency.product(name: "Logging", package: "swift-log")
let lifecycle = Target.Dependency.product(
  name: "ServiceLifecycle", package: "swift-service-lifecycle")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let mustache = Target.Dependency.product(name: "Mustache", package: "swift-mustache")
let httpClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
  name: "tenure",
  products: [.executable(name: "tenure", targets: ["tenure"])],
  dependencies: [
    .package(
      url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
    .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
  ],
  targets: [
    .systemLibrary(name: "CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
    .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CArgon2", pkgConfig: "libargon2", providers: [.apt(["libargon2-dev"])]),
    .systemLibrary(name: "CHiredis", pkgConfig: "hiredis", providers: [.apt(["libhiredis-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

    module("Platform", [log]),
    module("Database", ["CPostgres", "Platform", log, lifecycle], settings: unsafeSettings),
    module("Cryptography", ["COpenSSL", "CArgon2", "Platform"], settings: unsafeSettings),
    module(
      "Cache",
      ["CHiredis", "Platform", log, lifecycle, .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio")],
      settings: unsafeSettings),
    module("Archive", ["CZlib", "Cryptography", "Platform"], settings: unsafeSettings),
    module("JOSE", ["Cryptography", "Platform"]),
    module("Web", ["Platform", "Cryptography", hummingbird, mustache, log, lifecycle, .product(name: "HTTPTypes", package: "swift-http-types"), .product(name: "NIOCore", package: "swift-nio")]),
    module("Tenancy", ["Platform", "Database", "Cryptography", "JOSE", log, lifecycle]),
    module("Jobs", ["Platform", "Database", log, lifecycle]),
    module("Compliance", ["Platform", "Database", "Cryptography", "JOSE", "Archive", "Tenancy", "Jobs", log]),
    module(
      "ControlPlane",
      ["Platform", "Database", "Cryptography", "JOSE", "Cache", "Web", "Tenancy", "Jobs", "Compliance", log, hummingbird, .product(name: "HTTPTypes", package: "swift-http-types")]),
    module(
      "TenantRuntime",
      ["Platform", "Database", "Cryptography", "JOSE", "Cache", "Web", "Tenancy", "Jobs", "Compliance", log, hummingbird, .product(name: "HTTPTypes", package: "swift-http-types")]),
    .executableTarget(
      name: "tenure",
      dependencies: [
        "Platform", "Database", "Cryptography", "JOSE", "Cache", "Archive", "Web", "Tenancy", "Jobs",
        "Compliance", "ControlPlane", "TenantRuntime", arguments, httpClient, lifecycle, log, hummingbird,
      ],
      swiftSettings: settings),
  ],
  swiftLanguageModes: [.v6]
)
