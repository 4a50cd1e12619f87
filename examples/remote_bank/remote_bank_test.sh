#!/bin/bash
# The bank and its customers as processes of their own: C++ and Python, one bank killed with -9, one made anew.
set -u
server=$1 client=$2 python_client=$3
folder=$(mktemp -d /tmp/troupe-bank.XXXXXX)
trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$folder"' EXIT
address=unix://$folder/socket

fail() {
  echo "FAILED: $*"
  exit 1
}
expect() {  # expect TEXT COMMAND...
  local wanted=$1 got
  shift
  got=$(timeout 30 "$@" 2>&1) || fail "$* said: $got"
  [ "$got" = "$wanted" ] || fail "wanted '$wanted', got '$got'"
}
await_line() {  # await_line FILE TEXT
  for _ in $(seq 600); do
    grep -q "^$2\$" "$1" && return
    sleep 0.05
  done
  fail "no '$2' in $1: $(cat "$1")"
}
open_bank() {
  : >"$folder/server.log"
  tail -f /dev/null | "$server" "$address" >"$folder/server.log" 2>&1 &
  server_pid=$!
  await_line "$folder/server.log" open
}

open_bank
expect "alice has 100 cents" "$client" "$address" alice 100
expect "alice has 123 cents" "$client" "$address" alice 23
expect "bob has 5 cents" "$client" "$address" bob 5
expect "alice has 130 cents" "$python_client" "$folder/socket" alice 7

# Killed, it is noticed at once by who watches an account.
"$client" "$address" alice >"$folder/watcher.log" 2>&1 &
watcher=$!
await_line "$folder/watcher.log" waiting
kill -9 "$server_pid"
wait "$watcher"
grep -q "the bank is lost" "$folder/watcher.log" || fail "the watcher said: $(cat "$folder/watcher.log")"

# Another bank takes the place of the socket that the first one left behind, with books of its own.
open_bank
expect "alice has 1 cents" "$client" "$address" alice 1
# A customer that is killed harms nobody.
"$client" "$address" carol >"$folder/carol.log" 2>&1 &
carol=$!
await_line "$folder/carol.log" waiting
kill -9 "$carol"
expect "alice has 3 cents" "$client" "$address" alice 2
echo PASSED
