#!/bin/bash
# Runs word_count_stream on files of many blocks, counts the words here as well, and holds it to its bound.
#   word_count_stream_test.sh PROGRAM
set -euo pipefail
export LC_ALL=C
program=$PWD/$1
folder=$(mktemp -d "${TEST_TMPDIR:-/tmp}/word_count_stream.XXXXXX")
cd "$folder"

fail() {
  echo "FAILED: $*"
  exit 1
}

mkdir texts
printf 'The cat, the dog; THE END.\n' >texts/short.txt
# Some 60 blocks of many different words, which take longer to count than to read.
seq 1 400000 | tr '0-9' 'a-j' | tr '\n' ' ' >texts/long.txt
seq 1 200000 | tr '0-9' 'c-l' | tr '\n' ' ' >texts/other.txt

"$program" texts missing.txt >out 2>err || fail "exit status $?: $(cat err)"
for file in texts/*; do cat "$file" && echo; done | tr -cs 'A-Za-z' '\n' | tr 'A-Z' 'a-z' | sed '/^$/d' |
  sort | uniq -c | sort -k1,1nr -k2 | sed -n '1,20s/^ *//p' >expected
diff -u expected out || fail "the words"
grep -qF 'skipped: missing.txt' err || fail "a missing file: $(cat err)"

read -r blocks most < <(sed -n 's/^\([0-9]*\) blocks, at most \([0-9]*\) at once$/\1 \2/p' err)
[[ $blocks -gt 40 ]] || fail "only $blocks blocks"
[[ $most -ge 1 && $most -le 8 ]] || fail "the bound: $most blocks at once"
echo "all as it should be: $blocks blocks, at most $most at once"
