#!/bin/bash
# Installs Troupe with CMake into a folder of its own and builds and runs a consumer against it: the static library with
# clang 19 and with GCC 12 as the consumer's compiler, with troupe::node and troupe::tls; then the shared library.
set -euo pipefail

here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
source=$(cd "$here/../.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/troupe-install.XXXXXX")
trap 'rm -rf "$work"' EXIT

quietly() {  # what a command prints is worth reading only when it fails
  "$@" >"$work/log" 2>&1 || { cat "$work/log"; echo "failed: $*"; exit 1; }
}

install_library() {  # install_library NAME SHARED WITH_NODE_AND_TLS
  quietly cmake -S "$source" -B "$work/$1" -DCMAKE_CXX_COMPILER=clang++-19 -DBUILD_SHARED_LIBS="$2" \
    -DTROUPE_NODE="$3" -DTROUPE_TLS="$3" -DCMAKE_INSTALL_PREFIX="$work/$1-prefix" \
    -DCMAKE_UNITY_BUILD=ON -DCMAKE_UNITY_BUILD_BATCH_SIZE=12  # a third of the time; Bazel compiles each file alone
  quietly cmake --build "$work/$1" --parallel "$(nproc)"
  quietly cmake --install "$work/$1"
  # Nothing may lean on the build folder.
  rm -rf "${work:?}/$1"
}

run_consumer() {  # run_consumer NAME COMPILER
  local build="$work/consumer-$1-$2"
  quietly cmake -S "$here" -B "$build" -DCMAKE_CXX_COMPILER="$2" -DCMAKE_PREFIX_PATH="$work/$1-prefix"
  quietly cmake --build "$build"
  quietly "$build/consumer_test"
  if [[ -e $build/node_consumer ]]; then quietly "$build/node_consumer"; fi
  quietly "$build/consumer"
  echo "installed $1 library, consumer built by $2: $(tail -n 1 "$work/log")"
}

install_library static OFF ON
run_consumer static clang++-19
run_consumer static g++-12
install_library shared ON OFF
run_consumer shared clang++-19
