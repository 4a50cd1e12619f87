"""Counts the test cases of one `bazel test`: prints "PASSED FAILED".

  count_tests.py LOG TESTLOGS STATUS

LOG is what Bazel printed, TESTLOGS its folder of test.xml files, STATUS its exit status. A target that did not get as far
as writing results counts as one failure, and so does a failure of Bazel that no target accounts for.
"""

import pathlib
import re
import sys
import xml.etree.ElementTree

# A line of Bazel's summary: "//core:clock_test    (cached) PASSED in 0.1s"
TARGET = re.compile(r"^//(\S*):(\S+) +(?:\(cached\) )?(PASSED|FLAKY|[A-Z][A-Z ]+)")

# A target that Bazel leaves out of its summary, because its BUILD file or a dependency is wrong.
LEFT_OUT = re.compile(r"errors encountered while analyzing target '(\S+)'")


def cases(testlogs, package, name):
    """Numbers of passed and failed test cases that a target reports; GoogleTest's skipped ones are neither."""
    passed = failed = 0
    for file in sorted((testlogs / package / name).glob("**/test.xml")):
        try:
            root = xml.etree.ElementTree.parse(file).getroot()
        except xml.etree.ElementTree.ParseError:
            continue
        for case in root.iter("testcase"):
            if case.find("failure") is not None or case.find("error") is not None:
                failed += 1
            elif case.get("status", "run") == "run" and case.find("skipped") is None:
                passed += 1
    return passed, failed


def main():
    log, testlogs, status = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3])
    total_passed = total_failed = 0
    left_out = set()
    for line in open(log, errors="replace"):
        left_out.update(LEFT_OUT.findall(line))
        target = TARGET.match(line)
        if not target:
            continue
        package, name, verdict = (text.strip() for text in target.groups())
        if verdict == "PASSED":
            passed, _ = cases(testlogs, package, name)
            total_passed += max(passed, 1)
        elif verdict in ("FAILED", "FLAKY"):
            passed, failed = cases(testlogs, package, name)
            total_passed += passed
            total_failed += max(failed, 1)
        else:  # TIMEOUT, NO STATUS, FAILED TO BUILD
            total_failed += 1
    total_failed += len(left_out)
    if status != 0 and total_failed == 0:
        total_failed = 1
    print(total_passed, total_failed)


if __name__ == "__main__":
    main()
