#!/bin/bash
# manual_loop with somebody typing: every line comes back in capitals, in order, and the end of the input ends it.
#   manual_loop_input_test.sh PROGRAM
set -euo pipefail
diff -u --label expected --label printed <(printf '%s\n' "FIRST LINE" "SECOND LINE" "THIRD LINE") \
  <(printf 'first line\nsecond line\nthird line\n' | "$1" | grep -v -e '^tick' -e 'HELLO')
