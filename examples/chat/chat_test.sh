#!/bin/bash
# A chat of processes: a server, clients that are fed through pipes, some of them killed with -9.
# It waits for what they print, never for time to pass.
set -u
server=$1 client=$2
folder=$(mktemp -d /tmp/troupe-chat.XXXXXX)
trap 'kill -9 $(jobs -p) 2>/dev/null; rm -rf "$folder"' EXIT
export TZ=UTC

fail() {
  echo "FAILED: $*"
  tail -n 20 "$folder"/*.log
  exit 1
}
await() {  # await WHO TEXT [HOW]: until WHO has printed it; HOW is for grep
  for _ in $(seq 1200); do
    grep -qa "${3:--F}" -- "$2" "$folder/$1.log" && return
    sleep 0.05
  done
  fail "no '$2' from $1"
}
open_server() {  # open_server ADDRESS: sets server_pid and address
  : >"$folder/server.log"
  "$server" "$1" >"$folder/server.log" 2>&1 &
  server_pid=$!
  await server "open at "
  address=$(sed -n 's/^open at //p' "$folder/server.log")
}
declare -A pid
come() {  # come WHO: a client whose input never ends by itself
  rm -f "$folder/$1.in"
  mkfifo "$folder/$1.in"
  "$client" "$address" "$1" <>"$folder/$1.in" >"$folder/$1.log" 2>&1 &
  pid[$1]=$!
  await "$1" "#lobby * $1 has joined"
}
type_line() {  # type_line WHO TEXT
  printf '%s\n' "$2" >"$folder/$1.in"
}
ends_with() {  # ends_with WHO STATUS
  local status=0
  wait "${pid[$1]}" || status=$?
  [ "$status" = "$2" ] || fail "$1 ended with $status"
}

open_server "unix://$folder/socket"
for who in alice bob carol; do come $who; done
type_line alice "hello all"
await bob "#lobby alice: hello all"
await carol "#lobby alice: hello all"
type_line alice "/msg bob psst"
await bob "alice to you: psst"
await alice "* to bob: psst"

# A nickname that somebody has.
said=$("$client" "$address" Alice </dev/null 2>&1) && fail "there are two alices"
[ "$said" = "somebody is called Alice" ] || fail "the second Alice was told '$said'"

# Killed, it is announced at once, and the nickname is free. Who comes is told what was said.
kill -9 "${pid[carol]}"
await alice "#lobby * carol is gone"
await bob "#lobby * carol is gone"
grep -q psst "$folder/carol.log" && fail "carol read what was for bob"
: >"$folder/carol.log"
come carol
await carol "#lobby alice: hello all"

# Rooms and names.
type_line bob "/join Garden"
await bob "#garden * bob has joined"
type_line bob "only here"
await bob "#garden bob: only here"
type_line bob "/rooms"
await bob "* garden lobby"
type_line bob "/nick rob"
await alice "#lobby * bob is now rob"
type_line bob "/who #lobby"
await bob "* alice rob carol"
type_line bob "/leave"
await bob "* you have left #garden"
type_line bob "/help"
await bob "/msg NICK TEXT"
type_line bob "/dance"
await bob "* no such command: /dance"
grep -q "only here" "$folder/alice.log" && fail "alice read what was said in another room"

# What is hostile or silly harms nobody.
head -c 1000000 /dev/zero | tr '\0' x >"$folder/alice.in"
type_line alice ""
await alice "* too long: a message has at most 1000 bytes"
type_line alice "   "
await alice "* there is nothing to say"
type_line alice $'a\x1b[2Jb\x9b\xff'
await carol "#lobby alice: ab"
type_line carol $'\xc2\x9b31m red \xe2\x80\xae'
await alice $'carol: \xef\xbf\xbd31m red \xef\xbf\xbd'
grep -qa $'\x1b' "$folder"/*.log && fail "an escape sequence came through"

# One that does not read misses messages, and is told how many when it reads again.
mkfifo "$folder/dave.in" "$folder/gate"
"$client" "$address" dave <>"$folder/dave.in" 2>&1 |
  { read -r _ <"$folder/gate"; cat; } >"$folder/dave.log" &
await alice "#lobby * dave has joined"
long=$(head -c 900 /dev/zero | tr '\0' y)
for i in $(seq 1500); do echo "$i $long"; done >"$folder/alice.in"
type_line alice "the last"
await bob "#lobby alice: the last"
echo open >"$folder/gate"
await dave "#lobby alice: the last"
await dave " messages missed"

# A terminal: what comes is shown above the line that is being typed. (script makes it one.)
mkfifo "$folder/frank.in"
script -qefc "'$client' '$address' frank" /dev/null <>"$folder/frank.in" >"$folder/frank.log" 2>&1 &
await frank "#lobby> "
printf 'half a li' >"$folder/frank.in"
await frank "#lobby> half a li"
type_line alice "good evening"
await frank ': good evening\r+\n#lobby> half a li' -zP
printf 'ne\r' >"$folder/frank.in"
await alice "#lobby frank: half a line"
printf '\x03' >"$folder/frank.in"
await alice "#lobby * frank has quit"

# Ordinary ends: /quit, and the end of the input.
type_line bob "/quit"
ends_with bob 0
await bob "* bye"
await alice "#lobby * rob has quit"
printf 'good morning\nand good bye' | "$client" "$address" erin >"$folder/erin.log" || fail "erin failed"
await alice "#lobby erin: and good bye"
await alice "#lobby * erin has quit"

# The end of the server, killed and in order.
kill -9 "$server_pid"
for who in alice carol; do
  await $who "* the server is gone"
  ends_with $who 1
done
open_server "tcp://127.0.0.1:0"
come alice
kill -TERM "$server_pid"
await server "closed"
await alice "* the server is gone"
ends_with alice 1

# Between machines: certificates are made when the server first runs, and who has none is not let in.
export HOME=$folder/home
mkdir "$HOME"
open_server "tls://127.0.0.1:0"
come alice
come bob
type_line alice "hello"
await bob "#lobby alice: hello"
HOME=$folder "$client" "$address" eve </dev/null >/dev/null 2>&1 && fail "eve has no certificate"
kill -TERM "$server_pid"
ends_with alice 1
ends_with bob 1
made=$(cksum "$HOME/.troupe-chat/server.pem")
open_server "tls://127.0.0.1:0"
[ "$(cksum "$HOME/.troupe-chat/server.pem")" = "$made" ] || fail "another certificate"
"$server" tcp://0.0.0.0:0 >/dev/null 2>&1 && fail "plain text for everybody"
echo PASSED
