#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Commands of several threads at one port at the same time, each by a socket of its own:
the family takes them in parallel."""

import contextlib
import errno
import os
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import content  # noqa: E402
import control  # noqa: E402
import ethnl    # noqa: E402
import genl     # noqa: E402
import net      # noqa: E402
import rtnl     # noqa: E402
import tap      # noqa: E402
from rtnl import attr, attrs   # noqa: E402

SAMPLING_ONE_IN, SAMPLING_SEED, WIRE_DATAPATH = 3, 5, 3


class Threads:
    """Threads that begin together; what one of them raises, `run()` raises."""

    def __init__(self, turns):
        self.turns, self.start = turns, threading.Event()
        self.errors, self.threads = [], []

    def add(self, namespace, work):
        """Calls `work(family, turn)` for each turn, with a socket of its own."""
        def run():
            try:
                with contextlib.closing(control.Raw(namespace)) as family:
                    self.start.wait()
                    for turn in range(self.turns):
                        work(family, turn)
            except Exception as error:      # raised again by run()
                self.errors.append(error)

        self.threads.append(threading.Thread(target=run))

    def run(self):
        for thread in self.threads:
            thread.start()
        self.start.set()
        for thread in self.threads:
            thread.join()
        if self.errors:
            raise self.errors[0]


def here(t, number):
    return attr(control.IFINDEX, t.n[number].rtnl.get(f"fe{number}")["index"])


@tap.case("each of six threads changes something else of one port, and finds it as it left it")
def apart(t):
    """What one does not send stays as another has set it."""
    t.pair()
    index = here(t, 0)
    wire = attr(control.WIRE_ID, next(iter(t.c0.ports().values()))["wire"])
    tool = ethnl.Ethtool(t.n0, "fe0")
    threads = Threads(net.rounds(60))

    def limit(family, turn):
        try:
            family.send(control.PORT_SET, index + attr(control.PORT_PAUSE_LIMIT, turn + 1))
        except rtnl.NetlinkError as error:
            # Nobody pauses on the one datapath.
            tap.equal(error.errno, errno.EOPNOTSUPP, f"error {error}")
            return
        port = control.picture(family.send(control.PORT_GET, index)[0][4:])
        tap.equal(port.get("pause-limit", turn + 1), turn + 1, "pause-limit")

    def sampling(family, turn):
        family.send(control.SAMPLING_SET, index + attr(SAMPLING_ONE_IN, turn + 2) +
                    attr(SAMPLING_SEED, turn + 3))
        found = dict(attrs(family.send(control.SAMPLING_GET, index)[0][4:]))
        tap.equal((genl.number(found[SAMPLING_ONE_IN]), genl.number(found[SAMPLING_SEED])),
                  (turn + 2, turn + 3), "sampling")

    def datapath(family, turn):
        family.send(control.WIRE_SET, wire + attr(WIRE_DATAPATH, turn % 2))
        found = dict(attrs(family.send(control.WIRE_GET, wire)[0][4:]))
        tap.equal(genl.number(found[WIRE_DATAPATH]), turn % 2, "datapath")

    def reset(family, _):
        family.send(control.STATS_RESET, index)
        family.send(control.LATENCY_RESET, index)

    def rings(_, turn):
        tool.set(ethnl.RINGS, tx=64 << turn % 3)
        tap.equal(tool.get(ethnl.RINGS)["tx"], 64 << turn % 3, "ring")

    def read(family, _):
        for command in (control.PORT_GET, control.WIRE_GET, control.CHANNEL_GET, control.STAGE_GET):
            for found in family.dump(command)[0]:
                tap.equal(1 in found, True, f"a whole message of command {command}")

    with contextlib.closing(tool), content.Flood(t.n0, *net.V4):
        for work in (limit, sampling, datapath, reset, rings, read):
            threads.add(t.n0, work)
        threads.run()
    content.stream(t.n0, t.n1, *net.V4, 300000)


@tap.case("four threads set the same: each change is told of, in the order in which they were made")
def same(t):
    t.pair()
    index = here(t, 0)
    turns, writers, base = net.rounds(50), 4, 1000
    threads, told = Threads(turns), []

    def writer(number):
        """What sets values that nobody else sets, each larger than the one before."""
        return lambda family, turn: family.send(control.PORT_SET, index + attr(
            control.PORT_PAUSE_LIMIT, base + number * turns + turn))

    with control.Events(t.c0) as events:
        for number in range(writers):
            threads.add(t.n0, writer(number))
        threads.run()

        def all_told():
            told.extend(port["pause-limit"] for what, port in events.come()
                        if what == "change" and port["pause-limit"] >= base)
            return len(told) >= writers * turns

        net.wait_until(all_told, "a notification of each change")
    last = control.picture(t.c0.send(control.PORT_GET, index)[0][4:])["pause-limit"]
    tap.equal(sorted(told), list(range(base, base + writers * turns)), "values told of")
    tap.equal(told[-1], last, "the last one")
    for number in range(writers):
        own = [value for value in told if (value - base) // turns == number]
        tap.equal(own, sorted(own), f"those of thread {number}")


tap.main(control.RawControl)
