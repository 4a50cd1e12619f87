#!/bin/bash
# Counts the instructions that an operation takes, and fails if one takes more than its bound.
#   instructions_test.sh SAVINA BOUNDS
# Times on a busy machine say little; the instructions of one worker are the same every time. Each
# workload runs twice under callgrind. What the longer run takes more, divided by the operations it
# does more, is the price of one: beginning and end cancel out.
set -euo pipefail
savina=$1 bounds=$2
short=10000 long=40000
work=$(mktemp -d "${TEST_TMPDIR:-/tmp}/instructions.XXXXXX")
trap 'rm -rf "$work"' EXIT
failures=0

fail() {
  echo "FAILED: $*" >&2
  failures=$((failures + 1))
}

broken() {  # broken WHY: nothing was measured, so nothing may pass
  echo "BROKEN: $*" >&2
  tail -v -n 20 "$work"/output "$work"/log >&2 || true
  exit 1
}

# count N ARGUMENT...: runs savina with these, N for an argument N; sets operations and instructions.
# --fair-sched: who waits longest goes on, or else how long threads look for work before they sleep
# would depend on what else the machine does.
count() {
  local n=$1
  shift
  set -- "${@/#N/$n}" workers=1
  rm -f "$work"/threads*
  valgrind --tool=callgrind --fair-sched=yes --separate-threads=yes \
    --callgrind-out-file="$work/threads" "$savina" "$@" >"$work/output" 2>"$work/log" ||
    broken "savina $* under callgrind exits with $?"
  operations=$(sed -n 's/^workload=.* ops=\([1-9][0-9]*\) .*/\1/p' "$work/output")
  [[ $operations ]] || broken "savina $* does not say what it did"
  instructions=$(spent)
  [[ $instructions ]] || broken "callgrind says nothing about savina $*"
}

# The first thread is the main one, the second the worker. A third, which fires timers, is left out:
# how often it wakes depends on the time that has passed, not on what there was to do.
spent() {
  awk '$1 == "totals:" { sum += $2; ++threads } END { if (threads == 2 && sum > 0) print sum }' \
    "$work/threads-01" "$work/threads-02" 2>>"$work/log" || true
}

bound_of() { awk -v name="$1" '$1 == name { print $2 }' "$bounds"; }

# judge NAME ARGUMENT...: NAME's price, with savina's arguments, against its bound.
judge() {
  local name=$1 bound price fewer_operations fewer_instructions
  shift
  bound=$(bound_of "$name")
  count $short "$@"
  fewer_operations=$operations fewer_instructions=$instructions
  count $long "$@"
  [[ $operations -gt $fewer_operations && $instructions -gt $fewer_instructions ]] ||
    broken "$name: more operations do not take more instructions"
  price=$(((instructions - fewer_instructions) / (operations - fewer_operations)))
  printf '%-17s %19d %6s\n' "$name" "$price" "${bound:-none}"
  if [[ ! $bound =~ ^[1-9][0-9]*$ ]]; then
    fail "$name has no bound in $bounds"
  elif [[ $price -gt $bound ]]; then
    fail "$name takes $price instructions, and may take $bound ($bounds says what to do)"
  fi
}

printf '%-17s %19s %6s\n' workload instructions_per_op bound
judge ping_pong ping_pong N
judge counting counting N
judge thread_ring thread_ring 100 N
# One increment and one ask, from an actor with Then. An ask from a plain thread (ask_latency) has
# no price: that thread and the worker spin while they wait for each other, for as long as it takes.
judge ask counting_windowed N 1
judge spawn_from_actor fork_join_create N from=actor
judge spawn_from_main fork_join_create N from=main
[[ $failures == 0 ]]
