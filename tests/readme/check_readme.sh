#!/bin/bash
# README.md shows what is compiled and run here, word for word.
#   check_readme.sh README SOURCE...
# Its C++ blocks are the parts of the sources between "// ---- README" lines, and every such part is shown. The output it
# shows below bank.cc is what that program is expected to print.
set -u
readme=$1
shift
work=$(mktemp -d "${TEST_TMPDIR:-/tmp}/readme.XXXXXX")
mkdir "$work/shown" "$work/run"

# Each ```cpp block becomes a file shown/1, shown/2, ...
awk -v out="$work/shown/" '
  /^```cpp$/ { n++; inside = 1; next }
  /^```$/ { inside = 0 }
  inside { print > (out n) }
' "$readme"

for source in "$@"; do
  # Indentation of the marker is that of the whole part.
  awk '
    /^ *\/\/ ---- README$/ { inside = !inside; indent = index($0, "/") - 1; next }
    inside { print substr($0, 1, indent) ~ /^ *$/ ? substr($0, indent + 1) : $0 }
  ' "$source" >"$work/run/$(basename "$source")"
done

bad=0
complain() {
  echo "$*"
  bad=1
}

for part in "$work"/run/*; do
  [[ -s $part ]] || complain "$(basename "$part") has no part between // ---- README lines"
  found=
  for block in "$work"/shown/*; do
    cmp --silent "$part" "$block" && found=$block
  done
  if [[ -n $found ]]; then
    rm "$found"
  else
    complain "README.md does not show this part of $(basename "$part"):"
    cat "$part"
  fi
done
for block in "$work"/shown/*; do
  [[ -e $block ]] || continue
  complain "README.md shows code that no source here has:"
  cat "$block"
done

output=$(awk '/^```text$/ { inside = 1; next } /^```$/ { inside = 0 } inside' "$readme")
[[ $output == "$(<"$(dirname "$1")/bank.expected")" ]] || complain "README.md shows another output than bank.expected"
exit $bad
