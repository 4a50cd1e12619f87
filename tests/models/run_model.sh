#!/bin/bash
# Checks a Promela model exhaustively with Spin, and then that it is worth something: each mutant must fail.
#
#   run_model.sh MODEL.pml [MUTANT...]
#
# A model passes if the search was complete, found no error, and reached every assertion in it. A mutant,
# the same model with -DMUTANT, passes if an error was found. What a model means by "all has come to rest"
# it asserts itself, in a process that waits for `timeout`; so blocked processes are no error (pan -E).
set -euo pipefail

model=$(readlink -f "$1")
shift
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT

fail() {
  echo "$(basename "$model"): $1"
  shift
  [[ $# -eq 0 ]] || cat "$@"
  exit 1
}

# Writes Spin's verdict to ./verdict. Arguments: preprocessor definitions.
search() {
  cp "$model" model.pml
  spin -a "$@" model.pml >spin.log 2>&1 || fail "spin does not understand it" spin.log
  cc -O1 -DSAFETY -DCOLLAPSE -DMEMLIM=2048 -o pan pan.c >cc.log 2>&1 ||
    fail "pan.c does not compile" cc.log
  ./pan -E -m100000 >verdict 2>&1 || fail "pan did not end well" verdict
  [[ $(errors) -gt 0 ]] ||
    ! grep -qiE 'search not completed|max search depth too small|out of memory' verdict ||
    fail "the search is not complete" verdict
}

errors() { sed -n 's/.*errors: \([0-9]*\).*/\1/p' verdict; }

search
[[ $(errors) -eq 0 ]] ||
  fail "an error; to see it: spin -a, cc -DSAFETY pan.c, ./a.out -E, spin -t -p" verdict
! grep -E 'state [0-9]+, "assert' verdict || fail "these assertions are never reached"
echo "no error in $(sed -n 's/ *\([0-9.e+]*\) states, stored.*/\1/p' verdict) states"

for mutant in "$@"; do
  grep -q "$mutant" "$model" || fail "there is no mutant $mutant"
  search "-D$mutant"
  [[ $(errors) -gt 0 ]] ||
    fail "mutant $mutant survives: the model does not see what it breaks" verdict
  echo "mutant $mutant is caught"
done
