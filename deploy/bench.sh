#!/usr/bin/env bash
# Builds with optimisation and measures, beside a Postgres and a Redis of its own on a real disk:
#   deploy/bench.sh --rows token-es256 --runs 3 --tenants 1,100
set -euo pipefail
cd "$(dirname "$0")/.."

export TENURE_TEST_FOLDER=${TENURE_TEST_FOLDER:-/var/tmp}
export TENURE_TEST_POSTGRES_CONF=${TENURE_TEST_POSTGRES_CONF-deploy/postgresql.conf}
if [ "$(stat -f -c %T "$TENURE_TEST_FOLDER")" = tmpfs ]; then
  echo "$TENURE_TEST_FOLDER is in memory: TENURE_TEST_FOLDER must name a folder on a disk." >&2
  exit 1
fi
# As operators should build it: with the Swift libraries in the executable a request takes a quarter less time.
for product in tenure Benchmarks; do swift build -c release --static-swift-stdlib --product "$product"; done
# A kernel that groups processes by their terminals gives each Postgres backend, which is a session of its own, as much of the
# processors as the whole of Tenure. Services and containers are not grouped so. The setting is the whole machine's.
autogroup=/proc/sys/kernel/sched_autogroup_enabled
if [ "$(cat $autogroup 2>/dev/null)" = 1 ] && echo 0 2>/dev/null >$autogroup; then
  trap 'echo 1 >$autogroup' EXIT
  trap 'exit 130' INT TERM
fi
deploy/with-services.sh .build/release/Benchmarks "$@"
