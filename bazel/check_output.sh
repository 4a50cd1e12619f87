#!/bin/bash
# Runs a program and judges what it prints.
#   check_output.sh --expected FILE PROGRAM [ARGUMENT...]   standard output must be exactly FILE
#   check_output.sh --checker SCRIPT PROGRAM [ARGUMENT...]  SCRIPT, called with the file of the output, must agree
set -u
how=$1 judge=$2 program=$3
shift 3

output=$(mktemp "${TEST_TMPDIR:-/tmp}/output.XXXXXX")
"./$program" "$@" >"$output" </dev/null
status=$?
if [[ $status -ne 0 ]]; then
  echo "$program ended with status $status; it printed:"
  cat "$output"
  exit 1
fi

case $how in
  --expected)
    diff -u --label "expected: $judge" --label "printed by $program" "$judge" "$output"
    ;;
  --checker)
    bash "$judge" "$output" || { echo "$judge is not content with:"; cat "$output"; exit 1; }
    ;;
  *)
    echo "unknown: $how"
    exit 2
    ;;
esac
