#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Events of packets that rules acted on."""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import hooks    # noqa: E402
import net      # noqa: E402
import tap      # noqa: E402
from hooks import UDP, term     # noqa: E402

# Events of a chain, a second and at once.
PER_SECOND, BURST = 1000, 1000
TO_PORT = (term("protocol", UDP), term("dport", 5000))


@tap.case("drop the 7th packet, once, and tell: which rule, where, what")
def seventh(t):
    t.pair()
    t.h1.chain("in", "prerouting")
    rule = t.h1.rule("in", *TO_PORT, action="drop", nth=7, at_most=1, notify=64)
    index = t.n1.rtnl.get("fe1")["index"]
    with hooks.Events(t.h1) as events, hooks.Datagrams(t) as udp:
        udp.send(*(b"%03d" % n + bytes(97) for n in range(10)))
        udp.receive(9)
        event, = events.until(1)
    data = event.pop("data")
    event.pop("time")
    tap.equal(event, {"chain": "in", "handle": rule, "action": hooks.ACTIONS.index("drop"),
                      "hook": hooks.HOOKS.index("prerouting"), "number": 7, "in_device": index,
                      "ethertype": 0x800, "length": 128, "drop_reason": "NETFILTER_DROP"}, "event")
    tap.equal((len(data), data[28:31]), (64, b"006"), "data")


@tap.case("sample shows the frame at a device, as it came, and lets it go on")
def sample(t):
    t.pair()
    for hooks_, hook, dev in ((t.h1, "ingress", "fe1"), (t.h0, "egress", "fe0")):
        hooks_.chain("x", hook, dev=dev)
        hooks_.rule("x", *TO_PORT, action="sample", snap=2000, every=2)
        with hooks.Events(hooks_) as events, hooks.Datagrams(t) as udp:
            udp.send(*(b"%03d" % n + bytes(97) for n in range(4)))
            udp.receive(4)
            found = events.until(2)
        tap.equal([(e["data"][42:45], e["length"], len(e["data"]), e["number"]) for e in found],
                  [(b"001", 142, 142, 2), (b"003", 142, 142, 4)], hook)
        tap.equal("ethertype" in found[0], False, "begins with an Ethernet header")
        hooks_.clear()


@tap.case("without listeners there are no events, and a namespace hears of its own only")
def own(t):
    t.pair()
    t.h0.chain("x", "output")
    t.h0.rule("x", *TO_PORT, notify=20)
    with hooks.Events(t.h1) as events, hooks.Datagrams(t) as udp:
        udp.send(b"x")
        udp.receive(1)
        tap.equal(events.come(), [], "events of the other namespace")
    with hooks.Events(t.h0) as events, hooks.Datagrams(t) as udp:
        tap.equal(events.come(), [], "events from before")
        udp.send(b"x")
        udp.receive(1)
        tap.equal(len(events.until(1)), 1, "events")


@tap.case("too many events are left out, and counted")
def many(t):
    t.n0.rtnl.change("lo", up=True)
    t.h0.chain("x", "output")
    # Of each packet many tell.
    for _ in range(40):
        t.h0.rule("x", *TO_PORT, action="continue", notify=20)
    t.h0.rule("x", *TO_PORT, action="drop", notify=20)
    with hooks.Events(t.h0) as events:
        sender = t.n0.socket(hooks.socket.AF_INET, hooks.socket.SOCK_DGRAM)
        sender.connect(("127.0.0.1", 5000))
        found = []
        begin = time.monotonic()
        # Until some were left out, and one said so; a machine that is slow enough tells of all.
        for _ in range(net.rounds(40)):
            for _ in range(50):
                try:
                    sender.send(b"x")
                except PermissionError:
                    pass
            found += events.come()
            if found[-1].get("left_out"):
                break
        sender.close()
        net.wait_until(lambda: found.extend(events.come()) or True, "the rest")
        allowed = BURST + PER_SECOND * (time.monotonic() - begin)
    total = sum(rule["packets"] for rule in t.h0.rules("x"))
    last = found[-1].get("left_out", 0)
    tap.note(f"{total} that matched, {len(found)} events, {last} left out")
    if len(found) > allowed or len(found) + last > total or (total > allowed and not last):
        raise AssertionError(f"{len(found)} events and {last} left out of {total}, {allowed:.0f} allowed")


tap.main(hooks.Topology)
