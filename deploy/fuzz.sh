#!/usr/bin/env bash
# Builds our parsers with coverage and AddressSanitizer and lets libFuzzer loose on them (Tests/FuzzTests):
#   deploy/fuzz.sh               each target, 50,000 inputs or 15 seconds, from a fixed seed
#   deploy/fuzz.sh jws 3600      one target for so many seconds, from where it ended the last time
# An input that breaks something is left in the folder it names, to be added to Tests/FuzzTests/Corpus with the fix.
set -euo pipefail
cd "$(dirname "$0")/.."

# Compilation differs from that of the tests, so it has a folder of its own; FUZZ_BUILD=.build saves a clean machine
# from compiling the packages twice.
build=${FUZZ_BUILD:-.build-fuzz}
FUZZ_RUNTIME=$(ls "$(dirname "$(realpath "$(command -v swiftc)")")"/../lib/clang/*/lib/linux/"libclang_rt.fuzzer_no_main-$(uname -m).a" | tail -n 1)
export FUZZ_RUNTIME
swift build --product FuzzTests --scratch-path "$build"
fuzz=$(swift build --product FuzzTests --scratch-path "$build" --show-bin-path)/FuzzTests

# libFuzzer reports a trap itself, and sooner. Swift keeps bits of its own in references, so that what only a global
# holds looks leaked; what a parser leaks shows in the memory limit. AddressSanitizer would hold 256 MiB of freed memory
# back, more than anything of ours: with 32 MiB a target that leaks nothing stays far below the limit.
export SWIFT_BACKTRACE=enable=no ASAN_OPTIONS=detect_leaks=0:quarantine_size_mb=32
limits=(-max_len=4096 -timeout=5 -rss_limit_mb=512 -detect_leaks=0)
run() { # target, folder for new inputs, further arguments
  mkdir -p "$2"
  "$fuzz" "$1" "${limits[@]}" -artifact_prefix="$2/" "${@:3}" "$2" "Tests/FuzzTests/Corpus/$1"
}

if [ $# -gt 0 ]; then
  run "$1" "$build/corpus/$1" -max_total_time="${2:-60}"
  exit
fi
new=$(mktemp -d /tmp/tenure-fuzz.XXXXXX)
for target in $("$fuzz" --list); do
  if ! run "$target" "$new/$target" -seed=1 -runs=50000 -max_total_time=15 >"$new/$target.log" 2>&1; then
    tail -n 40 "$new/$target.log"
    echo "The fuzzer has broken '$target'; the input is in $new/$target" >&2
    exit 1
  fi
  echo "$target: $(awk '/^#[0-9]+.*cov:/ {line = $0} END {print line}' "$new/$target.log" | tr -s '\t ' ' ')"
done
rm -rf "$new"
