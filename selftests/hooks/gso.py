#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Super frames: counted as the packet they are, or as the segments they stand
for.  A datagram socket that segments (UDP_SEGMENT) makes them of a known size."""

# selftest-timeout: 300

import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import hooks    # noqa: E402
import router   # noqa: E402
import tap      # noqa: E402
from counters import checksum_errors  # noqa: E402
from hooks import UDP, term     # noqa: E402

TO_PORT = (term("protocol", UDP), term("dport", 5000))
LONG = 50 * 10**9
SOL_UDP, UDP_SEGMENT = 17, 103
SEGMENTS, SIZE = 10, 100
HEADERS = {4: 28, 6: 48}
# Where a super frame is one: at its sender, and behind a wire that hands it off.
SENDER = (("h0", "output", None), ("h0", "postrouting", None), ("h0", "egress", "fe0"))
BEHIND = (("hr", "ingress", "re0"), ("hr", "prerouting", None), ("hr", "forward", None),
          ("hr", "postrouting", None), ("hr", "egress", "re1"), ("h1", "ingress", "fe1"),
          ("h1", "prerouting", None), ("h1", "input", None))


def numbers(count, start=0):
    return [struct.pack("!I", number) * (SIZE // 4) for number in range(start, start + count)]


class Supers(hooks.Datagrams):
    """Datagrams that leave as super frames."""

    def __init__(self, t, family):
        super().__init__(t, family)
        self.sender.setsockopt(SOL_UDP, UDP_SEGMENT, SIZE)

    def super(self, start=0):
        self.send(b"".join(numbers(SEGMENTS, start)))


def everywhere(t):
    """Every point, with both families, on both datapaths."""
    for info, points in (((), SENDER), (router.HANDOFF, SENDER + BEHIND)):
        t.route(info, queues=1)
        for family in (4, 6):
            for who, hook, dev in points:
                hooks_ = getattr(t, who)
                hooks_.chain("x", hook, dev=dev)
                with Supers(t, family) as udp:
                    yield f"IPv{family} at {who} {hook}", hooks_, family, dev, udp
                hooks_.clear()
        t.tidy()
        if not router.HANDOFF:
            break


@tap.case("without more a super frame is one packet: counted once, and met as a whole")
def whole(t):
    for where, hooks_, family, dev, udp in everywhere(t):
        rule = hooks_.rule("x", *TO_PORT)
        lost = hooks_.rule("x", *TO_PORT, action="drop", nth=2)
        for turn in range(3):
            try:
                udp.super(turn * SEGMENTS)
            except PermissionError:
                tap.equal(turn, 1, f"refused, {where}")
        tap.equal(udp.receive(2 * SEGMENTS), numbers(SEGMENTS) + numbers(SEGMENTS, 2 * SEGMENTS),
                  where)
        counted = hooks_.get("x", rule)
        size = SEGMENTS * SIZE + HEADERS[family] + (14 if dev else 0)
        tap.equal((counted["packets"], counted["bytes"]), (3, 3 * size), where)
        tap.equal(hooks_.acted("x", lost), (3, 1), where)


@tap.case("per segment: the one that is meant, and no other")
def segments(t):
    for where, hooks_, family, dev, udp in everywhere(t):
        headers = HEADERS[family] + (14 if dev else 0)
        before = checksum_errors(t.n1)
        for action, more, want in (
                ("drop", {"nth": 13}, lambda n: [] if n == 12 else [n]),
                ("drop", {"every": 5}, lambda n: [] if n % 5 == 4 else [n]),
                ("drop", {"at_most": 3}, lambda n: [] if n < 3 else [n]),
                ("duplicate", {"nth": 13, "copies": 2}, lambda n: [n] * (3 if n == 12 else 1)),
                ("corrupt", {"nth": 13, "bits": 1, "offset": headers + 8},
                 lambda n: [] if n == 12 else [n]),
                ("truncate", {"nth": 13, "length": headers + 8},
                 lambda n: [] if n == 12 else [n])):
            hooks_.rule("x", *TO_PORT, action=action, segments=True, **more)
            for turn in range(2):
                udp.super(turn * SEGMENTS)
            expected = [one for number in range(2 * SEGMENTS) for one in want(number)]
            found = [struct.unpack_from("!I", data)[0] for data in udp.receive(len(expected))]
            tap.equal(found, expected, f"{action} {more} {where}")
            hooks_.remove("x")
        if checksum_errors(t.n1) - before > 1:
            raise AssertionError(f"{where}: more than one wrong checksum")
        # One is overtaken by three others.
        hooks_.rule("x", *TO_PORT, action="reorder", segments=True, nth=3, gap=3, timeout=LONG)
        udp.super()
        tap.equal(udp.receive(SEGMENTS), [numbers(SEGMENTS)[n] for n in
                                          (0, 1, 3, 4, 5, 2, 6, 7, 8, 9)], f"reorder, {where}")
        hooks_.remove("x")
        held = hooks_.rule("x", *TO_PORT, action="delay", segments=True, nth=3, delay=LONG)
        udp.super()
        tap.equal(udp.receive(SEGMENTS - 1), [one for n, one in enumerate(numbers(SEGMENTS))
                                              if n != 2], f"delay, {where}")
        hooks_.remove("x", held)
        tap.equal(udp.receive(1), numbers(1, 2), f"held, {where}")


@tap.case("what can only be done to one packet cuts a super frame, and meets the first")
def cut(t):
    for where, hooks_, family, dev, udp in everywhere(t):
        headers = HEADERS[family] + (14 if dev else 0)
        for action, more in (("corrupt", {"bits": 1, "offset": headers + 8}),
                             ("truncate", {"length": headers + 8})):
            rule = hooks_.rule("x", *TO_PORT, action=action, nth=1, **more)
            udp.super()
            tap.equal(udp.receive(SEGMENTS - 1), numbers(SEGMENTS - 1, 1), f"{action}, {where}")
            tap.equal(hooks_.acted("x", rule), (1, 1), where)
            hooks_.remove("x")


@tap.case("whole super frames are copied, held, overtaken, and their headers set")
def together(t):
    for where, hooks_, family, dev, udp in everywhere(t):
        one, two = numbers(SEGMENTS), numbers(SEGMENTS, SEGMENTS)
        for action, more, want in (
                ("duplicate", {"nth": 1}, one + one + two),
                ("reorder", {"nth": 1, "gap": 1, "timeout": LONG}, two + one),
                ("delay", {"delay": 10**6}, one + two), ("set-dscp", {"dscp": 46}, one + two),
                ("set-mark", {"mark": 1}, one + two), ("sample", {"snap": 2000}, one + two)):
            before = checksum_errors(t.n1)
            hooks_.rule("x", *TO_PORT, action=action, **more)
            with hooks.Events(hooks_) as events:
                udp.super()
                udp.super(SEGMENTS)
                tap.equal(udp.receive(len(want)), want, f"{action}, {where}")
                if action == "sample":
                    tap.equal(len(events.until(2)), 2, f"events, {where}")
            tap.equal(checksum_errors(t.n1) - before, 0, f"wrong checksums, {action}, {where}")
            hooks_.remove("x")


@tap.case("a super frame that opens a connection is not cut, and counted as uncut")
def uncut(t):
    t.route()
    t.n0.run("nft", "add table ip t; add chain ip t c { type filter hook output priority 0; }; "
                    "add rule ip t c ct state new,established counter")
    t.h0.chain("x", "output")
    t.h0.rule("x", *TO_PORT, action="drop", segments=True, nth=3)
    t.h0.rule("x", *TO_PORT, action="drop", segments=True, nth=14)
    with Supers(t, 4) as udp:
        udp.super()
        tap.equal(udp.receive(SEGMENTS), numbers(SEGMENTS), "the first, as a whole")
        tap.equal(t.h0.chains()["x"]["uncut"], 1, "uncut")
        udp.super(SEGMENTS)
        want = numbers(SEGMENTS, SEGMENTS)
        tap.equal(udp.receive(SEGMENTS - 1), want[:3] + want[4:], "the second")
        tap.equal(t.h0.chains()["x"]["uncut"], 1, "uncut")
    t.n0.run("nft", "delete table ip t")


tap.main(router.Router)
