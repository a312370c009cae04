// swift-tools-version: 6.3
import PackageDescription

/// libFuzzer, where `deploy/fuzz.sh` builds: only then there are fuzz targets, and ours are instrumented.
let fuzzRuntime = Context.environment["FUZZ_RUNTIME"]

/// Settings of every target of ours; dependencies keep their own.
let settings: [SwiftSetting] =
  [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    .enableUpcomingFeature("ImmutableWeakCaptures"),
    .treatAllWarnings(as: .error),
    .treatWarning("DeprecatedDeclaration", as: .warning),
  ] + (fuzzRuntime == nil ? [] : [.unsafeFlags(["-sanitize=fuzzer,address"])])
/// Settings of the targets that wrap a C library.
let unsafeSettings = settings + [.strictMemorySafety()]

func module(
  _ name: String, _ dependencies: [Target.Dependency], settings: [SwiftSetting] = settings
)
  -> Target
{
  .target(
    name: name, dependencies: dependencies, resources: resources[name] ?? [],
    swiftSettings: settings)
}

func tests(
  _ name: String, _ dependencies: [Target.Dependency], exclude: [String] = [],
  resources: [Resource] = []
) -> Target {
  .testTarget(
    name: name, dependencies: dependencies, exclude: exclude, resources: resources,
    swiftSettings: settings)
}

/// Page templates are compiled in.
let resources: [String: [Resource]] = [
  "ControlPlane": [.embedInCode("Documentation/Pages")],
  "TenantRuntime": [.embedInCode("Pages")],
  "Web": [.embedInCode("Pages")],
]

let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let httpClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let lifecycle = Target.Dependency.product(
  name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals = Target.Dependency.product(
  name: "UnixSignals", package: "swift-service-lifecycle")
let log = Target.Dependency.product(name: "Logging", package: "swift-log")
let tracing = Target.Dependency.product(name: "Tracing", package: "swift-distributed-tracing")
let mustache = Target.Dependency.product(name: "Mustache", package: "swift-mustache")
let nio = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
/// For tests alone: a channel without a socket.
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioHTTPTypes = Target.Dependency.product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let nioHTTPTypesHTTP1 = Target.Dependency.product(
  name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras")
let nioExtras = Target.Dependency.product(name: "NIOExtras", package: "swift-nio-extras")
/// For tests alone: another implementation to compare ours with (decision 0011).
let jwtKit = Target.Dependency.product(name: "JWTKit", package: "jwt-kit")
let nioTLS = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let nioHTTP = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")

/// What both planes stand on.
let plane: [Target.Dependency] = [
  "Platform", "Database", "Cryptography", "JOSE", "Cache", "Outgoing", "Web", "Tenancy", "Jobs",
  "Compliance", log, hummingbird, httpTypes, nio,
]

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
    .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
  ],
  targets: [
    .systemLibrary(name: "CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
    .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CArgon2", pkgConfig: "libargon2", providers: [.apt(["libargon2-dev"])]),
    .systemLibrary(name: "CScheduling"),
    .systemLibrary(name: "CHiredis", pkgConfig: "hiredis", providers: [.apt(["libhiredis-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

    module("Platform", [log, tracing]),
    module("Database", ["CPostgres", "Platform", log, lifecycle], settings: unsafeSettings),
    .target(
      name: "Migrations", dependencies: ["Database"], path: "migrations", exclude: ["schema.sql"],
      resources: [.embedInCode("control"), .embedInCode("tenant")], swiftSettings: settings),
    module(
      "Cryptography", ["COpenSSL", "CArgon2", "CScheduling", "Platform", lifecycle],
      settings: unsafeSettings),
    module(
      "Cache", ["CHiredis", "Platform", log, lifecycle, nio, nioPosix], settings: unsafeSettings),
    module("Archive", ["CZlib", "Cryptography", "Platform"], settings: unsafeSettings),
    module("JOSE", ["Cryptography", "Platform"]),
    module(
      "Outgoing",
      ["JOSE", "Platform", httpClient, httpTypes, log, nio, nioHTTP, nioPosix, nioTLS]),
    module(
      "Web",
      [
        "Platform", "Cryptography", hummingbird, hummingbirdCore, mustache, log, lifecycle,
        httpTypes, nio, nioHTTP, nioExtras, nioHTTPTypes, nioHTTPTypesHTTP1, tracing,
      ]),
    module("Tenancy", ["Platform", "Database", "Cryptography", "JOSE", log, lifecycle]),
    module("Jobs", ["Platform", "Database", log, lifecycle, tracing]),
    module(
      "Compliance",
      ["Platform", "Database", "Cryptography", "JOSE", "Archive", "Tenancy", "Jobs", log]),
    module("ControlPlane", plane),
    module("TenantRuntime", plane + ["Archive"]),
    .executableTarget(
      name: "tenure",
      dependencies: plane + [
        "Migrations", "Archive", "ControlPlane", "TenantRuntime", arguments, httpClient, lifecycle,
        signals, nioHTTP,
      ],
      swiftSettings: settings),
    .executableTarget(
      name: "Benchmarks",
      dependencies: [
        "Platform", "Cryptography", "Database", "Migrations", "Tenancy", "Jobs", arguments,
        httpClient,
        hummingbird, lifecycle, log, nio, nioHTTP,
      ],
      path: "Benchmarks", exclude: ["Load", "history.jsonl"], swiftSettings: settings),

    tests("TidyTests", []),
    tests(
      "WebTests",
      [
        "Web", "Platform", "Cryptography", hummingbird, httpTypes, httpClient, nio, nioHTTP,
        nioPosix, nioEmbedded, nioHTTPTypes, nioExtras, log,
      ]),
    tests("PlatformTests", ["Platform", log, tracing]),
    tests("ArchiveTests", ["Archive", "Cryptography", "Platform"]),
    tests("CacheTests", ["Cache", "Platform", log, lifecycle, nio, nioPosix]),
    tests("CryptographyTests", ["Cryptography", "COpenSSL", "Platform"]),
    tests("JOSETests", ["JOSE", "Cryptography", "Platform", jwtKit], exclude: ["Vectors"]),
    tests(
      "OutgoingTests",
      [
        "Outgoing", "JOSE", "Cryptography", "Platform", httpTypes, log, nio, nioPosix, nioTLS,
        tracing,
      ]),
    tests("TenancyTests", ["Tenancy", "Database", "Cryptography", "JOSE", "Platform"]),
    tests(
      "TenantRuntimeTests",
      ["TenantRuntime", "Cache", "Platform", "Cryptography", "Database", "JOSE", "Tenancy", "Web"]),
    .target(
      name: "TestSupport", dependencies: ["CPostgres", "Database", "Migrations", "Platform", log],
      path: "Tests/TestSupport", swiftSettings: settings),
    tests("DatabaseTests", ["Database", "Platform"]),
    tests("JobsTests", ["Jobs", "Database", "Platform"]),
    tests("ComplianceTests", ["Compliance", "Tenancy", "Database", "Platform"]),
    tests(
      "ControlPlaneTests",
      [
        "ControlPlane", "Compliance", "Cryptography", "Database", "Platform", "Tenancy", "Web",
        httpTypes,
      ]),
    tests(
      "IntegrationTests",
      plane + ["Archive", "ControlPlane", "TenantRuntime", "Migrations", "TestSupport", lifecycle]),
    tests(
      "ProtocolTests",
      ["tenure", "Web", "JOSE", "Cryptography", "Platform", httpClient, nio, nioHTTP, nioPosix],
      exclude: ["RealClients/authlib_login.py"]),
  ],
  swiftLanguageModes: [.v6]
)

if let fuzzRuntime {
  package.targets += [
    .systemLibrary(name: "CFuzzer", path: "Tests/CFuzzer"),
    .executableTarget(
      name: "FuzzTests",
      dependencies: plane + ["CFuzzer", "TenantRuntime"], path: "Tests/FuzzTests",
      exclude: ["Corpus"], swiftSettings: settings,
      linkerSettings: [.unsafeFlags(["-sanitize=address", fuzzRuntime, "-lstdc++"])]),
  ]
}
