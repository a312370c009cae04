#!/usr/bin/env bash
# The whole test suite: the style, the build, every test against a Postgres and a Redis of its own.
# With arguments, those go to 'swift test' instead: deploy/test.sh --filter TokenTests
set -euo pipefail
cd "$(dirname "$0")/.."

swift format lint --strict --recursive --parallel Sources Tests migrations Package.swift
swift build --build-tests

if [ $# -gt 0 ]; then exec deploy/with-services.sh swift test --skip-build "$@"; fi
# One layer after the other: tests of one run side by side, and two cores are soon full.
deploy/with-services.sh bash -euo pipefail -c '
  # One after the other: some have deadlines of milliseconds, which others on the same processors would have them miss.
  swift test --skip-build --no-parallel --skip "^(IntegrationTests|ProtocolTests)\\."
  swift test --skip-build --filter "^IntegrationTests\\."
  swift test --skip-build --filter "^ProtocolTests\\." --event-stream-output-path .build/events.jsonl
'
deploy/fuzz.sh
# What the conformance modules came to; a change of that is a change to look at.
deploy/conformance.py .build/events.jsonl
