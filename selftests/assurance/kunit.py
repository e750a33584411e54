#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The tests in rust/netdev that run when the module is loaded: each is counted, and all of them run.

A failing one does not keep the module from being loaded; the runner looks for those
in the kernel log of every test, so that no load goes by unnoticed."""

import glob
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import net      # noqa: E402
import tap      # noqa: E402

RESULT = re.compile(r"\s+(not )?ok \d+ (\w+)( # SKIP.*)?$")
SUITE = re.compile(r"# Subtest: (netdev_\w+)$")


def written():
    """The cases that stand in the source, by suite."""
    found = {}
    for path in glob.glob(f"{net.REPOSITORY}/rust/netdev/**/*.rs", recursive=True):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        if not (suite := re.search(r"kunit_tests\((\w+)\)", text)):
            continue
        found[suite.group(1)] = re.findall(r"#\[test\]\s+fn (\w+)", text)
    return found


def loaded():
    """Loads the module anew, and returns what its cases said while it was loaded."""
    name, path = net.KIND, net.module_path()
    if os.path.isdir(f"/sys/module/{name}"):
        net.run("rmmod", name)
    log = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
    found, suite = {}, None
    try:
        os.lseek(log, 0, os.SEEK_END)
        net.run("insmod", path)
        while True:
            line = os.read(log, 16384).decode(errors="replace").split(";", 1)[1].split("\n")[0]
            if begin := SUITE.search(line):
                suite = begin.group(1)
            elif suite and (result := RESULT.match(line)):
                bad, case, skip = result.groups()
                found[suite, case] = "failed" if bad else "skipped" if skip else "passed"
    except BlockingIOError:
        return found
    finally:
        os.close(log)


def main():
    if not os.path.isdir("/sys/module/kunit"):
        print("1..0 # SKIP no KUnit in this kernel")
        return 4
    tests = [(suite, case) for suite, cases in sorted(written().items()) for case in cases]
    print(f"TAP version 13\n1..{len(tests)}")
    found = loaded()
    for number, test in enumerate(tests, 1):
        outcome = found.get(test, "did not run")
        word = "ok" if outcome == "passed" else "not ok"
        print(f"{word} {number} {test[0]}: {test[1].replace('_', ' ')}")
        if outcome != "passed":
            tap.note(outcome)
    return 0 if all(found.get(test) == "passed" for test in tests) else 1


if __name__ == "__main__":
    sys.exit(main())
