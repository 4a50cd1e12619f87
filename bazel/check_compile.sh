#!/bin/bash
# Compiles files with clang 19 and with GCC 12.
#   check_compile.sh compiles FLAGS SOURCE               both must accept it, without a warning
#   check_compile.sh fails    FLAGS PRELUDE SOURCE...    both must refuse each file with a single error, and say every line
#                                                        of the text beside it, NAME.clang19.txt or NAME.gcc12.txt
# PRELUDE is a header that the files include. It is compiled once per compiler and precedes each file: it is nearly all
# that a compiler reads of them. Each file is one test case in Bazel's test.xml; its name can be given to --test_filter.
set -u
mode=$1 flags=$(<"$2")
shift 2
work=$(mktemp -d "${TEST_TMPDIR:-/tmp}/check_compile.XXXXXX")
trap 'rm -rf "$work"' EXIT
log=$work/log
bad=0

complain() {
  echo "==== $*"
  cat "$log"
  bad=1
}

compile() {  # compile COMPILER ARGUMENT...: status of the compiler, what it says in $log
  LC_ALL=C "$1" -std=c++20 -Wall -Wextra -Wno-missing-field-initializers -Werror -fmessage-length=0 "${@:2}" $flags \
    >"$log" 2>&1
}

must_say() {  # must_say COMPILER TEXT: every sentence of TEXT occurs in $log
  local compiler=$1 text=$2 said sentence sentences=0
  said=$(tr -s '[:space:]' ' ' <"$log")
  while read -r sentence || [[ -n $sentence ]]; do
    [[ -z $sentence || $sentence == \#* ]] && continue
    sentences=$((sentences + 1))
    sentence=$(tr -s '[:space:]' ' ' <<<"$sentence")
    [[ $said == *"${sentence% }"* ]] || complain "$compiler does not say: ${sentence% }"
  done <"$text"
  [[ $sentences -gt 0 ]] || complain "$text holds no sentence to look for"
}

must_say_one_error() {  # must_say_one_error COMPILER: what is wrong is not buried under what follows from it
  local errors
  errors=$(grep --count --extended-regexp '(^|[: ])(fatal )?error: ' "$log")
  [[ $errors -eq 1 ]] || complain "$1 prints $errors errors instead of one"
}

must_accept() {  # must_accept SOURCE
  local compiler
  for compiler in clang++-19 g++-12; do
    compile "$compiler" -c "$1" -o /dev/null || complain "$compiler refuses $1"
  done
}

precompile() {  # precompile HEADER
  echo "#include \"$1\"" >"$work/prelude.h"
  compile clang++-19 -fpch-instantiate-templates -x c++-header "$work/prelude.h" -o "$work/prelude.pch" || complain "clang++-19 refuses $1"
  compile g++-12 -x c++-header "$work/prelude.h" -o "$work/prelude.h.gch" || complain "g++-12 refuses $1"
}

must_refuse() {  # must_refuse SOURCE, behind the prelude
  local source=$1
  if compile clang++-19 -include-pch "$work/prelude.pch" -c "$source" -o /dev/null; then
    complain "clang++-19 accepts $source, which must not compile"
  else
    must_say_one_error clang++-19
    must_say clang++-19 "${source%.cc}.clang19.txt"
  fi
  if compile g++-12 -include "$work/prelude.h" -c "$source" -o /dev/null; then
    complain "g++-12 accepts $source, which must not compile"
  else
    must_say_one_error g++-12
    must_say g++-12 "${source%.cc}.gcc12.txt"
  fi
}

is_mine() {  # is_mine POSITION NAME: this shard has it, and --test_filter lets it through
  (($1 % ${TEST_TOTAL_SHARDS:-1} == ${TEST_SHARD_INDEX:-0})) && [[ $2 == ${TESTBRIDGE_TEST_ONLY:-*} ]]
}

must_refuse_each() {  # must_refuse_each PRELUDE SOURCE...
  local source name position=0 any_bad cases=
  precompile "$1"
  shift
  any_bad=$bad
  for source in "$@"; do
    name=$(basename "$source" .cc)
    is_mine $((position++)) "$name" || continue
    bad=0
    must_refuse "$source"
    if [[ $bad -eq 0 ]]; then
      cases+="<testcase name=\"$name\" status=\"run\"/>"
    else
      any_bad=1
      cases+="<testcase name=\"$name\" status=\"run\"><failure message=\"see the log\"/></testcase>"
    fi
  done
  echo "<testsuites><testsuite name=\"mistakes\">$cases</testsuite></testsuites>" >"${XML_OUTPUT_FILE:-/dev/null}"
  bad=$any_bad
}

for compiler in clang++-19 g++-12; do
  command -v "$compiler" >/dev/null || { echo "$compiler is missing: ./bazelw installs it"; exit 1; }
done
[[ -z ${TEST_SHARD_STATUS_FILE:-} ]] || touch "$TEST_SHARD_STATUS_FILE"
case $mode in
  compiles) must_accept "$1" ;;
  fails) must_refuse_each "$@" ;;
esac
exit $bad
