#!/bin/bash
# README.md shows below the name of each program what that program is expected to print, word for word.
#   check_page.sh README EXPECTED...
set -u
readme=$1
shift
bad=0
for expected in "$@"; do
  program=$(basename "$expected" .expected)
  shown=$(awk -v title="[$program.cc]($program.cc) prints:" '
    $0 == title { below = 1 }
    below && /^```$/ { exit }
    inside { print }
    below && /^```text$/ { inside = 1 }
  ' "$readme")
  [[ $shown == "$(<"$expected")" ]] && continue
  bad=1
  echo "README.md does not show this below \"[$program.cc]($program.cc) prints:\""
  cat "$expected"
done
exit $bad
