#!/bin/bash
# Compiles one file with clang 19 and with GCC 12.
#   check_compile.sh compiles FLAGS SOURCE                        both must accept it, without a warning
#   check_compile.sh fails    FLAGS SOURCE CLANG_TEXT GCC_TEXT    both must refuse it with a single error, and say every
#                                                                 line of the text
set -u
mode=$1 flags=$2 source=$3
log=$(mktemp "${TEST_TMPDIR:-/tmp}/log.XXXXXX")
bad=0

complain() {
  echo "==== $*"
  cat "$log"
  bad=1
}

compile() {  # compile COMPILER: status of the compiler, what it says in $log
  LC_ALL=C "$1" -std=c++20 -Wall -Wextra -Wno-missing-field-initializers -Werror -fmessage-length=0 $(<"$flags") \
    -c "$source" -o /dev/null >"$log" 2>&1
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

for compiler in clang++-19 g++-12; do
  if ! command -v "$compiler" >/dev/null; then
    echo "$compiler is missing: ./bazelw installs it"
    exit 1
  fi
  if compile "$compiler"; then
    [[ $mode == compiles ]] || complain "$compiler accepts $source, which must not compile"
  elif [[ $mode == compiles ]]; then
    complain "$compiler refuses $source"
  else
    must_say_one_error "$compiler"
    if [[ $compiler == clang* ]]; then must_say "$compiler" "$4"; else must_say "$compiler" "$5"; fi
  fi
done
exit $bad
