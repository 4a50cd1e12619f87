#!/bin/bash
# Judges the output of manual_loop, $1. Its lines come from a thread and from a timer, so their order is not always the same;
# the ticks among themselves are in order.
diff -u --label expected --label printed <(printf '%s\n' "tick 1" "tick 2" "tick 3") <(grep tick "$1") &&
  diff -u --label expected --label printed <(echo "HELLO FROM ANOTHER THREAD") <(grep -v tick "$1")
