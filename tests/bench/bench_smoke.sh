#!/bin/bash
# Runs every benchmark program with a tiny load: each workload checks its own result, and what it
# prints must be one well-formed line. Judges no number.
#   bench_smoke.sh SAVINA IDLE SPAWN_MEMORY LATENCY LINKS LINK_CROWD MEMORY MICRO COMPARE
set -u
savina=$1 idle=$2 spawn_memory=$3 latency=$4 links=$5 link_crowd=$6 memory=$7 micro=$8 compare=$9
failures=0

fail() {
  echo "FAILED: $*" >&2
  failures=$((failures + 1))
}

# expect_line PATTERN COMMAND...: COMMAND succeeds and prints exactly one line, which matches.
expect_line() {
  local pattern=$1 output
  shift
  output=$("$@") || { fail "$* exits with $?"; return; }
  [[ $(wc -l <<<"$output") == 1 && $output =~ $pattern ]] || fail "$* prints: $output"
}

# expect_usage COMMAND...: COMMAND exits with 2, explains itself on stderr and prints nothing.
expect_usage() {
  local output status
  output=$("$@" 2>"$TEST_TMPDIR/stderr")
  status=$?
  [[ $status == 2 && -z $output ]] || fail "$* exits with $status and prints: $output"
  grep -q '^usage: ' "$TEST_TMPDIR/stderr" || fail "$* does not say how to use it"
}

number='[0-9]+\.[0-9]+'
line() { echo "^workload=$1 n=$2 seconds=$number ops=$3 ns_per_op=$number rss_kib=[1-9][0-9]*$4\$"; }

expect_line "$(line ping_pong 100 200 '')" "$savina" ping_pong 100
expect_line "$(line counting 1000 1000 '')" "$savina" counting 1000
expect_line "$(line counting_windowed 1000,30 1000 '')" "$savina" counting_windowed 1000 30
expect_line "$(line fork_join_throughput 7,50 350 '')" "$savina" fork_join_throughput 7 50
expect_line "$(line fork_join_create 500 500 ' from=actor')" "$savina" fork_join_create 500
expect_line "$(line fork_join_create 500 500 ' from=main')" "$savina" fork_join_create 500 from=main
expect_line "$(line thread_ring 10,1000 1000 '')" "$savina" thread_ring 10 1000
expect_line "$(line big 8,50 800 '')" "$savina" big 8 50 workers=3
expect_line "$(line chameneos 9,200 200 '')" "$savina" chameneos 9 200
expect_line "$(line mailbox_contention 3,1000 999 '')" "$savina" mailbox_contention 3 1000
expect_line "$(line idle_memory 2000 2000 " bytes_per_actor=$number state_bytes=[0-9]+ stop_ns_per_op=$number left_bytes_per_actor=-?$number")" \
  "$savina" idle_memory 2000
expect_line "$(line ask_latency 100 100 ' p50_ns=[0-9]+ p99_ns=[0-9]+ p999_ns=[0-9]+ min_ns=[0-9]+')" \
  "$savina" ask_latency 100
expect_line "$(line fib 10 109 '')" "$savina" fib 10
expect_line "$(line banking 20,500 500 '')" "$savina" banking 20 500
expect_line "$(line ping_pong 100 200 '')" "$savina" ping_pong 100 workers=1

expect_line "$(line bounded_buffer 12,4,3,20 80 '')" "$savina" bounded_buffer 12 4 3 20
expect_line "$(line cigarette_smokers 50,7 50 '')" "$savina" cigarette_smokers 50 7
expect_line "$(line concurrent_dictionary 4,100,20 400 '')" "$savina" concurrent_dictionary 4 100 20
expect_line "$(line concurrent_sorted_list 4,100,20,5 400 '')" \
  "$savina" concurrent_sorted_list 4 100 20 5
expect_line "$(line dining_philosophers 5,100 500 ' denials=[0-9]+')" \
  "$savina" dining_philosophers 5 100 workers=3
expect_line "$(line logistic_map 100,4 400 '')" "$savina" logistic_map 100 4
expect_line "$(line sleeping_barber 50,5,100,200 50 ' attempts=[1-9][0-9]+')" \
  "$savina" sleeping_barber 50 5 100 200 workers=3

some='[1-9][0-9]*'
expect_line "$(line a_star 8,20,3 "$some" '')" "$savina" a_star 8 20 3
expect_line "$(line all_pairs_shortest_path 12,4,9 432 '')" "$savina" all_pairs_shortest_path 12 4 9
expect_line "$(line bitonic_sort 32,20,7 480 '')" "$savina" bitonic_sort 32 20 7
expect_line "$(line facility_location 500,1 500 '')" "$savina" facility_location 500 1
expect_line "$(line filter_bank 100,8,3 100 '')" "$savina" filter_bank 100 8 3
expect_line "$(line matrix_multiplication 16,16,3 73 '')" "$savina" matrix_multiplication 16 16 3
expect_line "$(line n_queens 6,2,3 27 '')" "$savina" n_queens 6 2 3
expect_line "$(line pi_precision 50,3 "$some" '')" "$savina" pi_precision 50 3
expect_line "$(line quicksort 1000,20 1000 '')" "$savina" quicksort 1000 20
expect_line "$(line radix_sort 200,20,7 4200 '')" "$savina" radix_sort 200 20 7
expect_line "$(line sieve 1000,10 499 '')" "$savina" sieve 1000 10 workers=3
expect_line "$(line successive_over_relaxation 5,10 760 '')" "$savina" successive_over_relaxation 5 10
expect_line "$(line trapezoid 100,7 100 '')" "$savina" trapezoid 100 7
expect_line "$(line unbalanced_cobwebbed_tree 200,5,2,3 199 '')" \
  "$savina" unbalanced_cobwebbed_tree 200 5 2 3 workers=3

expect_line "^workload=idle n=50 seconds=1 cpu_ms=$number cpu_percent=$number context_switches=[0-9]+ rss_kib=[1-9][0-9]*\$" \
  "$idle" 50 seconds=1
expect_line "^workload=spawn_memory n=500 spawn_ns_per_actor=$number stop_ns_per_actor=$number bytes_per_actor=$number state_bytes=16 left_bytes_per_actor=-?$number\$" \
  "$spawn_memory" 500

latency_line() { echo "^latency=$1 n=$2 p50_ns=[0-9]+ p99_ns=[0-9]+ p999_ns=[0-9]+ max_ns=[0-9]+$3\$"; }

expect_line "$(latency_line wake_up 10 '')" "$latency" wake_up 10
expect_line "$(latency_line ask 100 '')" "$latency" ask 100 workers=1
expect_line "$(latency_line ask_idle 10 '')" "$latency" ask_idle 10
expect_line "$(latency_line timer 5 '')" "$latency" timer 5
expect_line "$(latency_line handler_start 50 ' handler_us=20')" "$latency" handler_start 50 handler_us=20
expect_line "$(latency_line wake_up 10 '')" "$latency" wake_up 10 neighbour=2

for link in unix tcp tls; do
  for workload in round_trip one_way; do
    expect_line "$(line $workload 20 20 " link=$link bytes=70000 cpu_ns_per_op=[0-9]+")" \
      "$links" $workload 20 link=$link bytes=70000
  done
done
expect_line "$(line idle 1 1 ' link=unix bytes=0 cpu_ns_per_op=[0-9]+')" "$links" idle 1
expect_line "^connections=20 depth=3 seconds=$number echoes=[1-9][0-9]* echoes_per_s=[1-9][0-9]* server_cpu_ns=[0-9]+ server_kib=[1-9][0-9]* bytes_per_connection=-?[0-9]+\$" \
  "$link_crowd" 20 depth=3 seconds=1
[[ $("$links" one_way 20 pin=1 | wc -l) == 4 ]] || fail "links prints a line for each size"

footprints="idle_actor queued_message queued_bounded pending_timer pending_ask watch link child name"
if "$memory" no_such_measurement 2>&1 | grep -q suspended_actor; then  # not where GCC 12 compiled it
  footprints+=" suspended_handler suspended_actor"
fi
for what in $footprints; do
  expect_line "^memory=$what n=1000 bytes_each=$number\$" "$memory" $what 1000
done

# The last row of a comparison of savina with itself.
compare_row() { "$compare" --pairs 2 "$savina" -- "$savina" -- "$1" | tail -n 1; }

spread='[0-9.]+ \([0-9.]+\.\.[0-9.]+\)'
row() { echo "^\| $1 \| $2 \| $spread \| $spread \| $spread \| $number \| $number \|\$"; }
expect_line "$(row 'fib 10' ns_per_op)" compare_row 'fib 10'
expect_line "$(row 'ask_latency 100' p99_ns)" compare_row 'ask_latency 100'
"$compare" "$savina" -- echo no result -- 'fib 10' >/dev/null 2>"$TEST_TMPDIR/stderr" &&
  fail "compare.py takes anything for a result"
grep -q 'no result of' "$TEST_TMPDIR/stderr" || fail "compare.py does not say what is missing"

expect_usage "$savina"
expect_usage "$savina" no_such_workload
expect_usage "$savina" ping_pong 0
expect_usage "$savina" ping_pong 10x
expect_usage "$savina" ping_pong 10 20
expect_usage "$savina" ping_pong 10 workers=0
expect_usage "$savina" ping_pong 10 from=main
expect_usage "$savina" fork_join_create 10 from=nowhere
expect_usage "$savina" big 0 10
expect_usage "$savina" mailbox_contention 10 5
expect_usage "$savina" bounded_buffer 40 40
expect_usage "$savina" cigarette_smokers 10 0
expect_usage "$savina" concurrent_dictionary 2 10 101
expect_usage "$savina" concurrent_sorted_list 2 10 60 41
expect_usage "$savina" dining_philosophers 1
expect_usage "$savina" logistic_map 10 2 3
expect_usage "$savina" sleeping_barber 10 5 100 100 1
expect_usage "$savina" a_star 1
expect_usage "$savina" all_pairs_shortest_path 10 3
expect_usage "$savina" all_pairs_shortest_path 10 10
expect_usage "$savina" bitonic_sort 48
expect_usage "$savina" bitonic_sort 1
expect_usage "$savina" facility_location 10 2 3
expect_usage "$savina" filter_bank 10 1
expect_usage "$savina" filter_bank 10 8
expect_usage "$savina" matrix_multiplication 12
expect_usage "$savina" n_queens 17
expect_usage "$savina" n_queens 4 5
expect_usage "$savina" pi_precision 1000001
expect_usage "$savina" quicksort 10 20 30
expect_usage "$savina" radix_sort 10 63
expect_usage "$savina" sieve 3
expect_usage "$savina" successive_over_relaxation 1
expect_usage "$savina" trapezoid 6 7
expect_usage "$savina" unbalanced_cobwebbed_tree 5 1 1 5
expect_usage "$idle" seconds=never
expect_usage "$spawn_memory" 10 colour=red
expect_usage "$latency" no_such_measurement
expect_usage "$latency" ask 0
expect_usage "$latency" ask 10 20
expect_usage "$latency" wake_up neighbour=none
expect_usage "$latency" ask handler_us=20
expect_usage "$links" no_such_workload
expect_usage "$links" one_way link=pigeon
expect_usage "$link_crowd" 20 speed=3
expect_usage "$links" one_way 0
expect_usage "$memory" no_such_measurement
expect_usage "$memory" idle_actor 0
expect_usage "$memory" idle_actor 10 workers=2
expect_usage "$compare" "$savina"

"$micro" --benchmark_min_time=0.001 >"$TEST_TMPDIR/micro" 2>"$TEST_TMPDIR/stderr" ||
  fail "$micro: $(cat "$TEST_TMPDIR/stderr")"
grep -q ERROR "$TEST_TMPDIR/micro" && fail "micro: $(grep ERROR "$TEST_TMPDIR/micro")"

[[ $failures == 0 ]]
