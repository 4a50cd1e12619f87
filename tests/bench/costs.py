#!/usr/bin/env python3
"""What each feature costs, as a Markdown table: nanoseconds from micro, bytes from memory.

  ./bazelw build -c opt //tests/bench:micro //tests/bench:memory
  tests/bench/costs.py bazel-bin/tests/bench/micro bazel-bin/tests/bench/memory

Medians of --repetitions (5), with the lowest and the highest.
"""
import argparse
import json
import re
import statistics
import subprocess

# What is measured, and the benchmark that does: its name without ->Name's and ->Arg's suffixes of the library.
TIMES = [
    ("a message, sent and handled on one thread", "SendAndHandle/100"),
    ("the same with a capacity", "SendAndHandleBounded/kBlock/100"),
    ("a message refused by a full mailbox", "SendToAFullMailbox/kFail"),
    ("two messages, there and back (one worker)", "RoundTripOfMessages/100000"),
    ("an ask with Then, there and back", "RoundTripOfAskThen/100000"),
    ("an awaited ask of a plain handler, there and back", "RoundTripOfAskAwaited/100000"),
    ("an awaited ask of a coroutine, there and back", "RoundTripOfAskAwaitedOfACoroutine/100000"),
    ("two asks at once, awaited with AllOf (and a task)", "RoundTripOfAllOfTwo/100000"),
    ("the same with FirstOf", "RoundTripOfFirstOfTwo/100000"),
    ("an awaited ask that a stop_token could cancel (and a task)", "RoundTripOfCancellable/100000"),
    ("an awaited send to an actor that has room (and a task)", "EnqueueAwaitedWithRoom/100000"),
    ("a function offloaded, and its result", "RoundTripOfOffload/10000"),
    ("a task awaited in the same handler", "AwaitTask/100000"),
    ("an ask from a plain thread (two workers)", "AskFromAPlainThread"),
    ("an actor, spawned and stopped", "SpawnAndStop"),
    ("the same by an actor, as a child", "RelationEnd/none"),
    ("the same, and watched: its Down is handled", "RelationEnd/watched"),
    ("the same, and linked", "RelationEnd/linked"),
    ("the same, while a subscriber of the event stream is told", "RelationEndTold"),
    ("a child that throws, and its next life", "RelationRestart"),
    ("a timer, set and cancelled", "SendAfterAndCancel/0"),
    ("a message to a state machine", "MachineStays"),
    ("the same, and a move to another state", "MachineMoves"),
    ("a message postponed, and handled after the next move", "MachinePostpones/100"),
    ("a process: asked, and the answer received from whom it named", "RoundTripOfReceiveFrom/0"),
    ("the same with 1,000,000 messages of others waiting", "RoundTripOfReceiveFrom/1000000"),
    ("a message put into a stash, and handled when it is put back", "RelationStash"),
    ("a message to whoever has a name", "RelationByName"),
    ("a message through a revocable right (one worker)", "SendByRight/revocable"),
    ("the same without that, for comparison", "SendByRight/itself"),
    ("a value published to 1 subscriber", "RelationTopic/1"),
    ("a value published to 10", "RelationTopic/10"),
    ("a message through a group of 4, round robin", "Route/RoundRobin/4"),
    ("a message through a group of 4, by key", "Route/ByKey/4"),
    ("an element through a stream of three actors (one worker, window 256)",
     "StreamThroughThreeActors/1/256"),
    ("an item through a mailbox of 1024 between coroutines (one worker)",
     "MailboxOfCoroutines/1024/1"),
    ("the same with two workers", "MailboxOfCoroutines/1024/2"),
    ("the same with a capacity of 0: a rendezvous", "MailboxOfCoroutines/0/2"),
    ("an item through a mailbox of 1024 between threads", "MailboxOfThreads"),
]
MEMORY = [
    ("an idle actor with 16 bytes of state", "idle_actor"),
    ("a queued message of 8 bytes", "queued_message"),
    ("the same, in a mailbox with a capacity", "queued_bounded"),
    ("a pending timer with a message of 8 bytes", "pending_timer"),
    ("a pending ask of 8 bytes", "pending_ask"),
    ("a watch", "watch"),
    ("a link", "link"),
    ("a child, idle, with 8 bytes of state", "child"),
    ("a name", "name"),
    ("a suspended coroutine that awaits an answer", "suspended_handler"),
    ("an actor with a suspended coroutine", "suspended_actor"),
]


def name_of(benchmark):
    return re.sub(r"/(real_time|process_time|manual_time|iterations:\d+|repeats:\d+)", "", benchmark)


def ns_each(run):
    """Of one item where the benchmark counts items, of one iteration otherwise."""
    if "items_per_second" in run:
        return 1e9 / run["items_per_second"]
    return run["real_time"] * {"ns": 1, "us": 1e3, "ms": 1e6}[run["time_unit"]]


def times(micro, repetitions):
    names = "|".join(f"{re.escape(name)}(/.*)?" for _, name in TIMES)
    done = subprocess.run([micro, f"--benchmark_filter=^({names})$", "--benchmark_format=json",
                           f"--benchmark_repetitions={repetitions}", "--benchmark_min_time=0.05"],
                          capture_output=True, text=True, check=True)
    found = {}
    for run in json.loads(done.stdout)["benchmarks"]:
        if run.get("run_type") == "iteration":
            found.setdefault(name_of(run["name"]), []).append(ns_each(run))
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("micro")
    parser.add_argument("memory")
    parser.add_argument("--repetitions", type=int, default=5)
    options = parser.parse_args()

    found = times(options.micro, options.repetitions)
    print("| what | ns |\n|---|---|")
    for what, name in TIMES:
        ns = found[name]
        print(f"| {what} | {statistics.median(ns):.0f} ({min(ns):.0f}..{max(ns):.0f}) |")
    print("\n| what | bytes |\n|---|---|")
    for what, name in MEMORY:
        done = subprocess.run([options.memory, name], capture_output=True, text=True, check=True)
        print(f"| {what} | {float(re.search(r'bytes_each=([0-9.]+)', done.stdout)[1]):.0f} |")


if __name__ == "__main__":
    main()
