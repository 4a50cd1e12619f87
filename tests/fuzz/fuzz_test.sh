#!/bin/bash
# Runs a fuzzer for a while, from its corpus on: fuzz_test.sh FUZZER RUNS INPUT...
# Leaks are looked for at the end, and not after each input: what actors hold lies where LeakSanitizer does not look.
# What it finds anew stays in the test's folder; an input that fails, in the test's outputs.
set -euo pipefail
fuzzer=$1 runs=$2
shift 2
found="$TEST_TMPDIR/found" corpus="$TEST_TMPDIR/corpus"
mkdir -p "$found" "$corpus"
cp -L "$@" "$corpus"
exec "$fuzzer" -runs="$runs" -seed=1 -max_len=4096 -timeout=30 -rss_limit_mb=2048 -verbosity=0 -print_final_stats=1 \
  -detect_leaks=0 -artifact_prefix="${TEST_UNDECLARED_OUTPUTS_DIR:-$TEST_TMPDIR}/" "$found" "$corpus"
