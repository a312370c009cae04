#!/usr/bin/env bash
# The whole test suite: the style, the build, every test against a Postgres and a Redis of its own.
set -euo pipefail
cd "$(dirname "$0")/.."

swift format lint --strict --recursive --parallel Sources Tests migrations Package.swift
swift build --build-tests
deploy/with-services.sh swift test --skip-build "$@"
