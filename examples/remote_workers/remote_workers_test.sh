#!/bin/bash
# A foreman and workers as processes of their own. One that has jobs in hand is killed with -9: they are done
# by another, and each result is reported once.
set -u
foreman=$1 worker=$2
folder=$(mktemp -d /tmp/troupe-workers.XXXXXX)
trap 'kill -9 $(jobs -p) 2>/dev/null; rm -rf "$folder"' EXIT
address=unix://$folder/socket

fail() {
  echo "FAILED: $*"
  cat "$folder/log"
  exit 1
}
await() {  # await TEXT: until the foreman has printed it
  for _ in $(seq 1200); do
    grep -q "^$1\$" "$folder/log" && return
    sleep 0.05
  done
  fail "no '$1'"
}

mkfifo "$folder/jobs"
"$foreman" "$address" <"$folder/jobs" >"$folder/log" 2>&1 &
foreman_pid=$!
exec {jobs}>"$folder/jobs"
await open

# This one has been hired, and stands still when the jobs come: the first ones are in its hands.
"$worker" "$address" {jobs}>&- &
first=$!
await hired
kill -STOP "$first"
seq 1 100 >&"$jobs"
exec {jobs}>&-

"$worker" "$address" &
second=$!
await "100 = 2 \* 2 \* 5 \* 5"
kill -9 "$first"
await lost
wait "$foreman_pid" || fail "the foreman failed"
wait "$second" || fail "the second worker failed"

[ "$(grep -c = "$folder/log")" = 100 ] || fail "not 100 results"
[ "$(grep = "$folder/log" | sort -u | wc -l)" = 100 ] || fail "not 100 different results"
echo PASSED
