#!/usr/bin/env bash
# Writes the table of settings, as the product prints it, into the README.
set -euo pipefail
cd "$(dirname "$0")/.."

swift build --product tenure >&2
table=$(mktemp)
trap 'rm -f "$table"' EXIT
.build/debug/tenure settings --markdown >"$table"
sed -i -e '/<!-- settings/,/<!-- \/settings/{/<!-- /!d}' -e "/<!-- settings/r $table" README.md
