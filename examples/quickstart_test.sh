#!/bin/bash
# Runs quickstart on many kinds of input. What it should print is counted here, by tr, sort and uniq, over the same files.
#   quickstart_test.sh PROGRAM
set -uo pipefail
export LC_ALL=C
quickstart=$PWD/$1
folder=$(mktemp -d "${TEST_TMPDIR:-/tmp}/quickstart.XXXXXX")
cd "$folder"
failures=0

fail() {
  echo "FAILED: $*"
  failures=$((failures + 1))
}

top_20() {  # top_20 FILE...
  # A word ends where its file ends, so a line break after each.
  for file in "$@"; do cat "$file" && echo; done | tr -cs 'A-Za-z' '\n' | tr 'A-Z' 'a-z' | sed '/^$/d' | sort | uniq -c | sort -k1,1nr -k2 |
    head -n 20 | sed 's/^ *//'
}

run() {  # run [ARGUMENT...]: leaves standard output in out, standard error in err and the exit status in $status
  "$quickstart" "$@" >out 2>err </dev/null
  status=$?
}

counts_as() {  # counts_as WHAT FILE...: the last run succeeded and counted these files
  local what=$1
  shift
  [[ $status -eq 0 ]] || fail "$what: exit status $status, $(cat err)"
  diff -u --label expected <(top_20 "$@") out || fail "$what"
}

reports() {  # reports WHAT TEXT: the last run said so on standard error
  grep -qF -- "$2" err || fail "$1: expected \"$2\" in: $(cat err)"
}

# ---- files and folders to run it on

mkdir texts empty_folder
printf 'The cat, the dog; THE END.\nDon'\''t stop-me now' >texts/short.txt
: >texts/empty.txt
printf 'before\0after\377\376caf\303\251 binary\0\0' >texts/binary.dat
# Several blocks long, and a word across every border between blocks.
seq 1 60000 | tr '0-9' 'a-j' | tr '\n' ' ' >texts/long.txt
# One word larger than a block.
head -c 200000 /dev/zero | tr '\0' 'x' >texts/word.txt
# Words of equal count: alphabetical.
printf '%s ' {a..z}{a..c} >texts/ties.txt
mkdir linked
ln -s ../texts/short.txt linked/short
ln -s short linked/again
ln -s nowhere linked/dangling
ln -s ../texts linked/folder
cp texts/ties.txt linked

# ---- what is counted

licenses=/usr/share/common-licenses
if [[ -d $licenses ]]; then
  run
  mapfile -t files < <(find -L "$licenses" -maxdepth 1 -type f -exec readlink -f {} + | sort -u)
  [[ ${#files[@]} -gt 0 ]] || fail "no files in $licenses to test with"
  counts_as "without arguments: the licenses" "${files[@]}"
else
  run
  [[ $status -ne 0 ]] || fail "without $licenses it should fail"
fi

for file in texts/*; do
  run "$file"
  counts_as "$file" "$file"
done
run texts/*
counts_as "several files" texts/*
run texts/short.txt texts/short.txt
counts_as "a file named twice is counted twice" texts/short.txt texts/short.txt
run texts
counts_as "a folder stands for its files" texts/*
run linked
counts_as "links are followed, each file is counted once" texts/short.txt linked/ties.txt
run empty_folder texts/short.txt
counts_as "an empty folder adds nothing" texts/short.txt
run "$folder/texts/long.txt" texts/short.txt
counts_as "an absolute and a relative path" texts/long.txt texts/short.txt

(cd / && BUILD_WORKING_DIRECTORY=$folder "$quickstart" texts/short.txt) >out 2>err
status=$?
counts_as "under bazel run, a path is relative to the user's folder" texts/short.txt

# ---- what cannot be

run missing.txt texts/short.txt
counts_as "a missing file is skipped" texts/short.txt
reports "a missing file" "skipped: missing.txt: No such file or directory"

if [[ $(id -u) -ne 0 ]]; then  # root may read everything
  cp texts/ties.txt unreadable.txt
  chmod 000 unreadable.txt
  run unreadable.txt texts/short.txt
  counts_as "an unreadable file is skipped" texts/short.txt
  reports "an unreadable file" "skipped: unreadable.txt: Permission denied"
fi

run /proc/self/mem texts/short.txt
counts_as "a file that opens but cannot be read is skipped" texts/short.txt
reports "a file that cannot be read" "skipped: /proc/self/mem: Input/output error"

for nothing in missing.txt empty_folder; do
  run "$nothing"
  [[ $status -eq 1 ]] || fail "$nothing alone: exit status $status"
  [[ ! -s out ]] || fail "$nothing alone: printed $(cat out)"
  reports "$nothing alone" "no file could be read"
  reports "$nothing alone" "usage: quickstart [FILE_OR_DIRECTORY]..."
done

[[ $failures -eq 0 ]] && echo "all as it should be"
exit $((failures > 0))
