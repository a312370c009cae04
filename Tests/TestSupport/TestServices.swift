package import Platform

import FoundationEssentials

/// The servers the tests run against, as the environment names them.
package enum TestServices {
  /// A login role that may create databases and roles, on a server that is otherwise empty.
  package static func databaseURL() throws -> Secret<String> {
    Secret(
      try variable(
        "TENURE_TEST_DATABASE_URL", example: "postgresql://tenure:…@127.0.0.1:5432/postgres"))
  }

  package static func redisURL() throws -> Secret<String> {
    Secret(try variable("TENURE_TEST_REDIS_URL", example: "redis://127.0.0.1:6379"))
  }

  private static func variable(_ name: String, example: String) throws -> String {
    guard let value = ProcessInfo.processInfo.environment[name], !value.isEmpty else {
      throw MissingTestService(
        description:
          "\(name) is not set: these tests need a server (\(example)); `make test` starts one.")
    }
    return value
  }
}

/// The sentence a test fails with when its server is missing.
package struct MissingTestService: Error, CustomStringConvertible {
  package let description: String
}
