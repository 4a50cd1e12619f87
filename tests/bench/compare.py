#!/usr/bin/env python3
"""Compares two programs that print savina's lines, as rows of a Markdown table.

  compare.py [--pairs 7] OURS... -- THEIRS... [-- WORKLOAD...]
  compare.py bazel-bin/tests/bench/savina -- ../peer/bench -- 'fib 20' big

A WORKLOAD is what both are called with; only a name stands for what is listed here under that name.
They run in turn, so that what else the machine does meets both. Prints medians (lowest..highest),
that of the pairs' ratios, too, and the peak resident sets.
"""
import argparse
import statistics
import subprocess
import sys

WORKLOADS = [
    "ping_pong 2000000",
    "counting 10000000",
    "counting_windowed 10000000 1000",
    "fork_join_throughput 60 100000",
    "fork_join_create 1000000",
    "fork_join_create 1000000 from=main",
    "thread_ring 100 5000000",
    "big 120 20000",
    "chameneos 100 1000000",
    "mailbox_contention 2 5000000",
    "mailbox_contention 20 5000000",
    "fib 27",
    "banking 1000 500000",
    "idle_memory 1000000",
    "ask_latency 200000",
]
# What is compared, where it is not the time of an operation.
FIGURES = {"idle_memory": ["bytes_per_actor"], "ask_latency": ["p50_ns", "p99_ns"]}


def lines_of(workload):
    return [line for line in WORKLOADS if line.split()[0] == workload] or [workload]


def run(command):
    """The result line's keys and values; ends the comparison if there is none."""
    done = subprocess.run(command, capture_output=True, text=True)
    lines = [line for line in done.stdout.splitlines() if line.startswith("workload=")]
    if done.returncode != 0 or len(lines) != 1:
        sys.exit(f"compare.py: no result of {' '.join(command)} (exit {done.returncode}):\n"
                 f"{done.stdout}{done.stderr}")
    return dict(pair.split("=", 1) for pair in lines[0].split())


def spread(values, digits):
    low, middle, high = (f"{f(values):.{digits}f}" for f in (min, statistics.median, max))
    return f"{middle} ({low}..{high})"


def peak_mib(results):
    return f"{max(int(result['rss_kib']) for result in results) / 1024:.1f}"


def compare(ours, theirs, workload, pairs):
    words = workload.split()
    results = [(run(ours + words), run(theirs + words)) for _ in range(pairs)]
    memory = [peak_mib(column) for column in zip(*results)]
    for figure in FIGURES.get(words[0], ["ns_per_op"]):
        a, b = ([float(result[figure]) for result in column] for column in zip(*results))
        ratios = [x / y for x, y in zip(a, b)]
        cells = [workload, figure, spread(a, 1), spread(b, 1), spread(ratios, 2), *memory]
        print("|", " | ".join(cells), "|", flush=True)


def main():
    parser = argparse.ArgumentParser(
        usage="%(prog)s [--pairs 7] OURS... -- THEIRS... [-- WORKLOAD...]")
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("words", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    groups = [[]]
    for word in arguments.words:
        groups.append([]) if word == "--" else groups[-1].append(word)
    if arguments.pairs < 1 or len(groups) not in (2, 3) or not all(groups):
        parser.error("two commands, and at least one pair")
    ours, theirs, chosen = (groups + [WORKLOADS])[:3]
    print("| workload | figure | ours | theirs | ratio | our MiB | their MiB |")
    print("|---|---|---|---|---|---|---|")
    for workload in chosen:
        for line in lines_of(workload):
            compare(ours, theirs, line, arguments.pairs)


if __name__ == "__main__":
    main()
