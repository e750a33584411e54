#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Packets that go on behind a hook come to further hooks, where more go on: as
many as there are rules, and no deeper than the stack is."""

# selftest-timeout: 300

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import hooks    # noqa: E402
import net      # noqa: E402
import tap      # noqa: E402
from hooks import UDP, term     # noqa: E402

TO_PORT = (term("protocol", UDP), term("dport", 5000))
LONG = 50 * 10**9
# Each would have taken some 2 KiB of the stack's 16.
CHAINS = 16
# More than a batch, in which those that were overtaken follow.
HELD = 100
COPIES_OF_A_WALK = 64


def payloads(count):
    return [b"%04d" % number for number in range(count)]


@tap.case("a copy is not copied again, at whichever of many chains it comes by")
def copies(t):
    t.pair()
    for who, hook, dev in ((t.h0, "output", None), (t.h0, "egress", "fe0"),
                           (t.h1, "ingress", "fe1"), (t.h1, "prerouting", None)):
        for number in range(CHAINS):
            who.chain(f"x{number}", hook, dev=dev, priority=number - 300)
            who.rule(f"x{number}", *TO_PORT, action="duplicate", copies=1)
        with hooks.Datagrams(t) as udp:
            udp.send(*payloads(2))
            tap.equal(udp.receive(2 * (1 + CHAINS)),
                      [data for data in payloads(2) for _ in range(1 + CHAINS)], hook)
            udp.send(b"last")
            tap.equal(udp.receive(1), [b"last"], f"nothing else, {hook}")
        who.clear()


@tap.case("a copy that was held in between is one all the same")
def held(t):
    t.pair()
    for number, action in enumerate(("duplicate", "delay") * 4):
        more = {"copies": 1} if action == "duplicate" else {"delay": 10**6}
        t.h1.chain(f"x{number}", "prerouting", priority=number)
        t.h1.rule(f"x{number}", *TO_PORT, action=action, **more)
    with hooks.Datagrams(t) as udp:
        udp.send(b"first")
        tap.equal(udp.receive(5), [b"first"] * 5, "arrived")
        udp.send(b"last")
        tap.equal(udp.receive(1), [b"last"], "nothing else")


@tap.case("a walk makes so many copies, and counts what it does not make")
def walk(t):
    t.pair()
    t.h1.chain("x", "input")
    for _ in range(COPIES_OF_A_WALK // 16 + 1):
        t.h1.rule("x", *TO_PORT, action="duplicate", copies=16)
    with hooks.Datagrams(t) as udp:
        udp.send(b"first")
        tap.equal(udp.receive(1 + COPIES_OF_A_WALK), [b"first"] * (1 + COPIES_OF_A_WALK), "arrived")
    tap.equal(t.h1.chains()["x"]["lost"], 16, "not made")


@tap.case("many that are overtaken at once, at a chain where each comes by twice")
def twice(t):
    t.pair(quiet=True)
    for end, namespace in enumerate(t.n):
        namespace.ip("link", "add", "link", (net.NAME0, net.NAME1)[end], "name", "v", "type",
                     "vlan", "id", "5")
        namespace.rtnl.change("v", up=True)
        namespace.rtnl.add_address("v", net.V4[end], 24)
        net.running(namespace, "v")
    mac = [namespace.rtnl.get("v")["address"] for namespace in t.n]
    for end, namespace in enumerate(t.n):
        namespace.rtnl.add_neighbour("v", net.V4[1 - end], mac[1 - end])
    t.h1.chain("x", "ingress", dev=hooks.ANY)
    below = term("iif", t.n1.rtnl.get(net.NAME1)["index"])
    t.h1.rule("x", *TO_PORT, below, action="reorder", gap=1, timeout=LONG, at_most=HELD)
    with hooks.Datagrams(t) as udp:
        udp.send(*payloads(HELD))
        net.wait_until(lambda: t.h1.chains()["x"]["held"] == HELD, "held")
        udp.send(b"passes")
        got = udp.receive(1 + HELD)
    tap.equal(got[0], b"passes", "the first")
    tap.equal(sorted(got[1:]), payloads(HELD), "those behind it")
    tap.equal((t.h1.chains()["x"]["held"], t.h1.chains()["x"]["lost"]), (0, 0), "held, lost")


tap.main(hooks.Topology)
