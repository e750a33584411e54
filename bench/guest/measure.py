#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Measures in the guest: each figure of each row, in one boot.

Every line on standard output is a JSON object: first what was measured on,
then a figure of a row at a time. On standard error stands what is going on.
"""

import argparse
import contextlib
import fnmatch
import json
import os
import platform
import re
import subprocess
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
# Links, addresses and namespaces are made as in the selftests.
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "selftests", "lib")]
import figures                          # noqa: E402
import sampling                         # noqa: E402
from rows import FLOOR, PEER, ROWS      # noqa: E402
from topology import Fault, Site            # noqa: E402

MODULES = ("pktgen", "dummy", "veth", "netkit", "tun", "ifb", "bridge", "sch_ingress",
           "cls_matchall", "act_gact", "act_mirred")


def chosen(words, names):
    """The names that match any of the words, which may be patterns; their own
    order. A word that matches none is an error."""
    for word in words:
        if not any(fnmatch.fnmatch(name, word) for name in names):
            sys.exit(f"there is no '{word}' among: {' '.join(names)}")
    return [name for name in names
            if not words or any(fnmatch.fnmatch(name, word) for word in words)]


def processor():
    with open("/proc/cpuinfo") as file:
        return re.search(r"model name\s*: (.*)", file.read())[1]


def tell(**values):
    print(json.dumps(values), flush=True)


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def idle():
    """For how long all CPUs together have had nothing to do, in seconds."""
    with open("/proc/stat") as file:
        return int(file.readline().split()[4]) / os.sysconf("SC_CLK_TCK")


def settle():
    """Waits until nothing goes on any more, for a while at least: namespaces, modules and memory
    of the figures before are done with in the background, which would be part of the next one."""
    for _ in range(40):
        before = idle()
        time.sleep(0.5)
        if idle() - before >= 0.48 * os.cpu_count():
            return
    say("something goes on in the background, for twenty seconds now")


def one_by_one(bench, figure, rows):
    """The rows of a figure, each with all of its batches."""
    for name in rows:
        begin = time.monotonic()
        with Site() as place, figure.method(bench, place, ROWS[name]) as run:
            settle()
            found = run(bench.batches)
        tell(figure=figure.name, row=name, batches=found)
        say(f"{figure.name} {name}: {time.monotonic() - begin:.1f} s of the guest's")


def profiled(bench, figure, rows):
    """The rows of a figure, with the call stacks they were found in."""
    for name in rows:
        with Site() as place, figure.method(bench, place, ROWS[name]) as run:
            plain = run(1)
            with sampling.sampled() as found:
                run(bench.batches)
        tell(figure=figure.name, row=name, batches=plain, stacks=found.stacks, lost=found.lost)


def in_turns(bench, figure, rows):
    """The rows of a figure set up side by side, a batch of each at a time: what
    disturbs the machine for a while disturbs all of them."""
    found = {name: [] for name in rows}
    with contextlib.ExitStack() as stack:
        runs = {}
        for name in rows:
            place = stack.enter_context(Site())
            runs[name] = stack.enter_context(figure.method(bench, place, ROWS[name]))
        settle()
        for turn in range(bench.batches):
            order = rows if turn % 2 == 0 else rows[::-1]
            for name in order:
                found[name] += [list(batch) for batch in runs[name](1)]
    for name in rows:
        tell(figure=figure.name, row=name, batches=found[name])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--figures", nargs="*", default=[], metavar="PATTERN")
    parser.add_argument("--rows", nargs="*", default=[], metavar="PATTERN")
    parser.add_argument("--list", action="store_true", help="print the figures and rows")
    parser.add_argument("--batches", type=int, default=5)
    parser.add_argument("--packets", type=int, default=10000, help="of a batch")
    parser.add_argument("--bytes", type=int, default=16 << 20, help="of a batch")
    parser.add_argument("--trips", type=int, default=500, help="of a batch")
    parser.add_argument("--profile", action="store_true", help="give call stacks too")
    parser.add_argument("--turns", action="store_true",
                        help="a batch of each row at a time: for a clock that is one")
    bench = parser.parse_args()
    names = chosen(bench.figures, list(figures.FIGURES))
    rows = chosen(bench.rows, list(ROWS))
    if bench.list:
        print("\n".join(names))
        return

    subprocess.run(["modprobe", "-a", *MODULES], check=True)
    tell(kernel=platform.release(), processor=processor(), cpus=os.cpu_count(),
         floor=FLOOR, peer=PEER, rows={name: ROWS[name].title for name in rows})
    method = profiled if bench.profile else in_turns if bench.turns else one_by_one
    bad = 0
    for name in names:
        figure = figures.FIGURES[name]
        these = [row for row in rows if row in figure.rows]
        if not these or figure.wall and not bench.turns or figure.cpus > os.cpu_count():
            continue
        tell(figure=name, title=figure.title, unit=figure.unit, group=figure.group,
             goals=figure.goals, tolerance=figure.tolerance, limit=figure.limit,
             counts=figure.counts, peer=figure.peer, grows=figure.grows)
        for some in [these] if bench.turns else [[row] for row in these]:
            try:
                method(bench, figure, some)
            except (Fault, AssertionError, OSError) as error:
                bad += 1
                say(f"{name} {' '.join(some)}: {error}")
                traceback.print_exc()
                why = (str(error).splitlines() or [type(error).__name__])[0]
                for row in some:
                    tell(figure=name, row=row, fault=why)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
