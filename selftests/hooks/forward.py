#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Packets on their way through a router: what its chains see, and what they do
to them; lib/router.py draws the topology.  Whatever is done, the receiver finds no
wrong checksum but where it is to find one."""

# selftest-timeout: 300

import hashlib
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import frames   # noqa: E402
import hooks    # noqa: E402
import net      # noqa: E402
import router   # noqa: E402
import tap      # noqa: E402
from counters import checksum_errors  # noqa: E402
from hooks import TCP, UDP, term     # noqa: E402
from stream import Stream   # noqa: E402

TO_PORT = (term("protocol", UDP), term("dport", 5000))
LONG = 50 * 10**9       # longer than any test waits
# The points that a forwarded packet passes, in their order.
POINTS = (("ingress", "re0"), ("prerouting", None), ("forward", None), ("postrouting", None),
          ("egress", "re1"))


def payloads(count, start=0):
    return [b"%04d" % number + bytes(96) for number in range(start, start + count)]


@tap.case("every point of the router sees what is forwarded, and no other does")
def points(t):
    t.route()
    for family in (4, 6):
        for hook in hooks.HOOKS:
            t.hr.chain(hook, hook, dev=dict(POINTS).get(hook))
            t.hr.rule(hook, *TO_PORT)
        with hooks.Datagrams(t, family) as udp:
            udp.send(*payloads(5))
            tap.equal(udp.receive(5), payloads(5), "arrived")
        want = {hook: 5 if hook in dict(POINTS) else 0 for hook in hooks.HOOKS}
        tap.equal({rule["chain"]: rule["packets"] for rule in t.hr.rules()}, want, f"IPv{family}")
        t.hr.clear()


@tap.case("devices, addresses and lifetimes as they are at each point")
def fields(t):
    t.route()
    near, far = t.index(0), t.index(1)
    for family in (4, 6):
        want = {}
        for at, (hook, dev) in enumerate(POINTS):
            t.hr.chain(hook, hook, dev=dev)
            to_me = (*TO_PORT, term(f"saddr{family}", hooks.address(t.source[family])),
                     term(f"daddr{family}", hooks.address(t.target[family])))
            came, leaves, fresh = hook != "egress", at > 1, at < 2
            smac = int.from_bytes(frames.raw(net.MAC[0] if at < 3 else router.MAC[1]), "big")
            for name, terms, known, sees in (
                    ("came by", (term("iif", near),), came, True),
                    ("came by the other", (term("iif", far),), came, False),
                    ("leaves by", (term("oif", far),), leaves, True),
                    ("leaves by the other", (term("oif", near),), leaves, False),
                    ("sent by", (term("smac", smac),), hook != "postrouting", True),
                    ("lives", (term("ttl", 64),), True, fresh),
                    ("lives less", (term("ttl", 63),), True, not fresh)):
                if known:
                    want[hook, t.hr.rule(hook, *to_me, *terms)] = (name, 3 if sees else 0)
        with hooks.Datagrams(t, family) as udp:
            udp.send(*payloads(3))
            udp.receive(3)
        for (hook, handle), (name, count) in want.items():
            tap.equal(t.hr.get(hook, handle)["packets"], count, f"IPv{family} {hook}: {name}")
        t.hr.clear()


def each(t, families=(4, 6)):
    """Every point, with a chain behind the one that is tried."""
    for family in families:
        for hook, dev in POINTS:
            t.hr.chain("x", hook, dev=dev)
            t.hr.chain("behind", hook, dev=dev, priority=1)
            with hooks.Datagrams(t, family) as udp:
                before = checksum_errors(t.n1)
                yield family, hook, udp
                tap.equal(checksum_errors(t.n1) - before, 0, f"wrong checksums, {hook}")
            t.hr.clear()


@tap.case("drop, duplicate and reorder what is forwarded")
def order(t):
    t.route()
    for action, more, want in (
            ("drop", {"nth": 2}, (0, 2, 3, 4, 5)),
            ("duplicate", {"nth": 2, "copies": 2}, (0, 1, 1, 1, 2, 3, 4, 5)),
            ("reorder", {"nth": 2, "gap": 2, "timeout": LONG}, (0, 2, 3, 1, 4, 5))):
        for family, hook, udp in each(t):
            rule = t.hr.rule("x", *TO_PORT, action=action, **more)
            behind = t.hr.rule("behind", *TO_PORT)
            udp.send(*payloads(6))
            want_data = [payloads(6)[number] for number in want]
            tap.equal(udp.receive(len(want)), want_data, f"{action}, IPv{family} at {hook}")
            tap.equal(t.hr.acted("x", rule), (6, 1), "matched, acted")
            tap.equal(t.hr.get("behind", behind)["packets"], len(want), "at the chain behind")


@tap.case("delay what is forwarded: by the timer, and until the rule goes")
def delay(t):
    t.route()
    for family, hook, udp in each(t):
        rule = t.hr.rule("x", *TO_PORT, action="delay", delay=LONG, nth=1)
        behind = t.hr.rule("behind", *TO_PORT)
        udp.send(*payloads(3))
        tap.equal(udp.receive(2), payloads(3)[1:], f"overtook it, IPv{family} at {hook}")
        t.hr.remove("x", rule)
        tap.equal(udp.receive(1), payloads(1), "went on")
        tap.equal(t.hr.get("behind", behind)["packets"], 3, "at the chain behind")
        t.hr.rule("x", *TO_PORT, action="delay", delay=5 * 10**6)
        udp.send(*payloads(20))
        tap.equal(udp.receive(20), payloads(20), f"all, IPv{family} at {hook}")


@tap.case("corrupt: only what was corrupted is found wrong")
def corrupt(t):
    t.route()
    for family in (4, 6):
        for hook, dev in POINTS:
            at = (34 if dev else 20) + (20 if family == 6 else 0) + 8 + 50
            t.hr.chain("x", hook, dev=dev)
            t.hr.rule("x", *TO_PORT, action="corrupt", nth=2, bits=1, offset=at)
            with hooks.Datagrams(t, family) as udp:
                before = checksum_errors(t.n1)
                udp.send(*payloads(4))
                want = [payloads(4)[number] for number in (0, 2, 3)]
                tap.equal(udp.receive(3), want, f"IPv{family} at {hook}")
                tap.equal(checksum_errors(t.n1) - before, 1, f"wrong checksums, {hook}")
            t.hr.clear()


@tap.case("truncate: what its header says isn't there any more is not forwarded to anybody")
def truncate(t):
    t.route()
    for family in (4, 6):
        for hook, dev in POINTS:
            t.hr.chain("x", hook, dev=dev)
            rule = t.hr.rule("x", *TO_PORT, action="truncate", length=100, nth=2)
            with hooks.Datagrams(t, family) as udp:
                udp.send(*payloads(4))
                want = [payloads(4)[number] for number in (0, 2, 3)]
                tap.equal(udp.receive(3), want, f"IPv{family} at {hook}")
                tap.equal(t.hr.acted("x", rule), (4, 1), "matched, acted")
            t.hr.clear()


@tap.case("truncate: the first header stays, whatever is asked")
def first_header(t):
    t.route()
    for family in (4, 6):
        for hook, dev in POINTS:
            t.hr.chain("x", hook, dev=dev)
            t.hr.chain("behind", hook, dev=dev, priority=1)
            t.hr.rule("x", *TO_PORT, action="truncate", length=0, at_most=3)
            least = 14 if dev else {4: 20, 6: 40}[family]
            rule = t.hr.rule("behind", term("length", least))
            with hooks.Datagrams(t, family) as udp:
                udp.send(*payloads(4))
                tap.equal(udp.receive(1), payloads(1, 3), f"IPv{family} at {hook}")
            tap.equal(t.hr.get("behind", rule)["packets"], 3, f"IPv{family} behind {hook}")
            t.hr.clear()


@tap.case("set-dscp, set-ecn and set-mark: seen behind, with right checksums")
def marks(t):
    t.route()
    for family, hook, udp in each(t):
        t.hr.rule("x", *TO_PORT, action="set-dscp", dscp=46)
        t.hr.rule("x", *TO_PORT, action="set-ecn", ecn=1)
        t.hr.rule("x", *TO_PORT, action="set-mark", mark=0x55)
        seen = t.hr.rule("behind", *TO_PORT, term("dscp", 46), term("ecn", 1), term("mark", 0x55))
        t.h1.chain("there", "ingress", dev="fe1")
        there = t.h1.rule("there", *TO_PORT, term("dscp", 46), term("ecn", 1), term("mark", 0))
        udp.send(*payloads(3))
        tap.equal(udp.receive(3), payloads(3), f"IPv{family} at {hook}")
        tap.equal(t.hr.get("behind", seen)["packets"], 3, f"behind, IPv{family} at {hook}")
        tap.equal(t.h1.get("there", there)["packets"], 3, f"in ns1, IPv{family} at {hook}")
        t.h1.clear()


@tap.case("a mark that prerouting sets chooses the way on")
def way(t):
    t.route()
    for family, option in ((4, "-4"), (6, "-6")):
        t.router.ip(option, "rule", "add", "fwmark", "9", "table", "99")
        t.router.ip(option, "route", "add", "blackhole", "default", "table", "99")
        t.hr.chain("x", "prerouting")
        t.hr.rule("x", *TO_PORT, action="set-mark", mark=9, nth=2)
        with hooks.Datagrams(t, family) as udp:
            udp.send(*payloads(3))
            tap.equal(udp.receive(2), payloads(3)[::2], f"IPv{family}")
        t.hr.clear()
        t.router.ip(option, "rule", "del", "fwmark", "9", "table", "99")


@tap.case("connections through the router, disturbed at each point: the content is right")
def streams(t):
    data = os.urandom(1 << 19)
    want = hashlib.sha256(data).hexdigest()
    for info in ((), router.HANDOFF):
        t.route(info)
        for hook, dev in POINTS:
            t.hr.chain("x", hook, dev=dev)
            to_port = (term("protocol", TCP), term("dport", 5001))
            segments = {"segments": True}
            rules = [t.hr.rule("x", *to_port, action=action, every=every, **segments, **more)
                     for action, every, more in (
                         ("drop", 79, {}), ("corrupt", 101, {"bits": 2, "offset": 90}),
                         ("truncate", 97, {"length": 200}), ("duplicate", 61, {}),
                         ("reorder", 53, {"gap": 3, "timeout": 10**8}),
                         ("set-dscp", 31, {"dscp": 10}))]
            stream = Stream(t, 6 if hook == "forward" else 4)
            stream.sender.sendall(data)
            tap.equal(stream.end(), want, f"content, {hook}")
            idle = [rule for rule in rules if not t.hr.get("x", rule)["acted"]]
            tap.equal(idle, [], f"rules that did nothing, {hook}")
            t.hr.clear()
        t.tidy()


tap.main(router.Router)
