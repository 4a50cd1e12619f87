#!/bin/bash
# Prints what Troupe costs its user: compile times of clang 19 and the size of a program.
#   header_cost.sh LINKAGE HELLO_SOURCE HELLO_PROGRAM
# Only the size can fail the test. Times depend on the machine and on what else it does; they are there to be compared
# with those of another version on the same machine, each the median of 5 runs:
#   ./bazelw test //tests/header_cost --test_output=all --nocache_test_results --test_env=RUNS=5
set -euo pipefail
compile_flags=$(<"$1.compile_flags") link_flags=$(<"$1.link_flags") source=$2 program=$3
runs=${RUNS:-1}
most_bytes=$((1600 * 1024)) # not optimized; half of it is Abseil and libstdc++
work=$(mktemp -d "${TEST_TMPDIR:-/tmp}/header_cost.XXXXXX")
trap 'rm -rf "$work"' EXIT

compiler() { clang++-19 -std=c++20 "$@"; }

seconds() {  # seconds COMMAND...: the processor time it takes, which is less fickle than the time on the clock
  local TIMEFORMAT='%U %S'
  { time "$@" >&2; } 2>"$work/time" || { cat "$work/time" >&2; return 1; }
  tail -n 1 "$work/time" | awk '{ printf "%.3f\n", $1 + $2 }'
}

report() {  # report WHAT COMMAND...: the median
  local what=$1 times
  shift
  times=$(for ((run = 0; run < runs; ++run)); do seconds "$@"; done)
  printf '%-52s %s s\n' "$what" "$(sort -n <<<"$times" | sed -n "$((runs / 2 + 1))p")"
}

stripped_size() {  # stripped_size PROGRAM: in bytes
  strip -o "$work/stripped" "$1"
  stat -c %s "$work/stripped"
}

echo 'int main() {}' >"$work/nothing.cc"
echo '#include "troupe/troupe.h"' >"$work/umbrella.cc"
# What a file costs without Troupe that uses Status, Time and the standard library as its users do.
printf '#include %s\n' '<functional>' '<memory>' '<string>' '<vector>' '"absl/status/statusor.h"' '"absl/time/time.h"' \
  >"$work/others.cc"

report "an empty program, -O0 -c" compiler -O0 -c "$work/nothing.cc" -o "$work/nothing.o"
report "for comparison: StatusOr, Time and std headers, -c" compiler -O0 -c "$work/others.cc" -o "$work/others.o"
report "troupe/troupe.h, -fsyntax-only" compiler $compile_flags -fsyntax-only "$work/umbrella.cc"
report "troupe/troupe.h, -O0 -c" compiler $compile_flags -O0 -c "$work/umbrella.cc" -o "$work/umbrella.o"
report "hello world, -O0 -c" compiler $compile_flags -O0 -c "$source" -o "$work/hello.o"
report "hello world, -O2 -c" compiler $compile_flags -O2 -c "$source" -o "$work/hello_O2.o"
report "hello world, -O0, compile and link" compiler $compile_flags -O0 "$source" $link_flags -o "$work/hello"

bytes=$(stripped_size "$program")
printf '%-52s %d bytes\n' "hello world as Bazel links it, stripped" "$bytes"
printf '%-52s %d bytes\n' "hello world with sections collected, stripped" "$(
  compiler $compile_flags -O2 -ffunction-sections "$source" -Wl,--gc-sections $link_flags -o "$work/collected" >&2
  stripped_size "$work/collected"
)"
if [[ $bytes -gt $most_bytes ]]; then
  echo "FAILED: more than $most_bytes bytes"
  exit 1
fi
