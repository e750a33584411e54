#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Packets that rules hand to a program (NFQUEUE): accepted, dropped, changed and
repeated there; and that changes of rules leave them alone."""

# selftest-timeout: 300

import errno
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import frames   # noqa: E402
import hooks    # noqa: E402
import net      # noqa: E402
import router   # noqa: E402
import tap      # noqa: E402
from hooks import UDP, term     # noqa: E402
from nfqueue import ACCEPT, DROP, REPEAT, Queue     # noqa: E402

TO_PORT = (term("protocol", UDP), term("dport", 5000))
NUMBER = 7
# Where packets may be queued, and the number of the hook.
POINTS = (("h0", "output", 3), ("h0", "postrouting", 4), ("hr", "prerouting", 0),
          ("hr", "forward", 2), ("hr", "postrouting", 4), ("h1", "prerouting", 0),
          ("h1", "input", 1))
SPACE = {"h0": "n0", "hr": "router", "h1": "n1"}


def payloads(count):
    return [b"%04d" % number for number in range(count)]


@tap.case("accept and drop, at every hook: the packet goes on behind the chain")
def verdicts(t):
    t.route()
    for family in (4, 6):
        for who, hook, number in POINTS:
            hooks_ = getattr(t, who)
            hooks_.chain("x", hook)
            hooks_.chain("behind", hook, priority=1)
            rule = hooks_.rule("x", *TO_PORT, action="queue", queue=NUMBER)
            behind = hooks_.rule("behind", *TO_PORT)
            with hooks.Datagrams(t, family) as udp, Queue(getattr(t, SPACE[who]), NUMBER) as queue:
                udp.send(*payloads(4))
                found = queue.packets(4)
                where = f"IPv{family} at {who} {hook}"
                tap.equal([(p.hook, p.payload[-4:]) for p in found],
                          [(number, data) for data in payloads(4)], where)
                tap.equal(udp.rest(), [], "nothing arrives before the verdict")
                for at, packet in enumerate(found):
                    queue.verdict(packet, DROP if at == 1 else ACCEPT)
                tap.equal(udp.receive(3), [payloads(4)[n] for n in (0, 2, 3)], where)
            tap.equal(hooks_.acted("x", rule), (4, 4), where)
            tap.equal(hooks_.get("behind", behind)["packets"], 3, f"behind, {where}")
            hooks_.clear()


@tap.case("a program changes what it was given, and marks it")
def mangled(t):
    t.route()
    t.hr.chain("x", "forward", family="ip")
    t.hr.chain("behind", "forward", priority=1)
    t.hr.rule("x", *TO_PORT, action="queue", queue=NUMBER)
    marked = t.hr.rule("behind", *TO_PORT, term("mark", 77), term("length", 38))
    with hooks.Datagrams(t) as udp, Queue(t.router, NUMBER) as queue:
        udp.send(b"small")
        packet, = queue.packets(1)
        src, dst = t.source[4], t.target[4]
        sport, = struct.unpack_from("!H", packet.payload, 20)
        larger = frames.ipv4(src, dst, UDP, frames.udp(src, dst, sport, 5000, b"not small!"))
        queue.verdict(packet, ACCEPT, payload=larger, mark=77)
        tap.equal(udp.receive(1), [b"not small!"], "arrived")
    tap.equal(t.hr.get("behind", marked)["packets"], 1, "marked")


@tap.case("a program sends a packet back to the chain")
def again(t):
    t.route()
    t.h1.chain("x", "input")
    rule = t.h1.rule("x", *TO_PORT, action="queue", queue=NUMBER, at_most=2)
    with hooks.Datagrams(t) as udp, Queue(t.n1, NUMBER) as queue:
        udp.send(b"x")
        queue.verdict(queue.packets(1)[0], REPEAT)
        queue.verdict(queue.packets(1)[0], REPEAT)
        tap.equal(udp.receive(1), [b"x"], "arrived")
    tap.equal(t.h1.acted("x", rule), (3, 2), "matched, acted")


@tap.case("nobody listens: dropped, or accepted with bypass; a program that ends frees its packets")
def nobody(t):
    t.route()
    t.h1.chain("x", "input")
    rule = t.h1.rule("x", *TO_PORT, action="queue", queue=NUMBER)
    with hooks.Datagrams(t) as udp:
        udp.send(b"a")
        net.wait_until(lambda: t.h1.get("x", rule)["packets"] == 1, "the first")
        with Queue(t.n1, NUMBER) as queue:
            udp.send(b"b")
            queue.packets(1)
        with Queue(t.n1, NUMBER + 1):
            t.h1.replace("x", rule, *TO_PORT, action="queue", queue=NUMBER, bypass=True)
            udp.send(b"c")
            tap.equal(udp.receive(1), [b"c"], "arrived")


@tap.case("changes of rules leave queued packets alone; the end of their chain drops them")
def changes(t):
    t.route()
    t.h1.chain("x", "input")
    t.h1.rule("x", *TO_PORT, action="queue", queue=NUMBER)
    with hooks.Datagrams(t) as udp, Queue(t.n1, NUMBER) as queue:
        udp.send(*payloads(3))
        found = queue.packets(3)
        other = t.h1.rule("x", term("dport", 1), position=0)
        t.h1.replace("x", other, term("dport", 2))
        t.h1.policy("x", "drop")
        t.h1.policy("x", "accept")
        t.h1.remove("x")
        for packet in found:
            queue.verdict(packet, ACCEPT)
        tap.equal(udp.receive(3), payloads(3), "arrived")
        t.h1.rule("x", *TO_PORT, action="queue", queue=NUMBER)
        udp.send(b"y")
        packet, = queue.packets(1)
        t.h1.delete("x")
        queue.verdict(packet, ACCEPT)
        udp.send(b"z")
        tap.equal(udp.receive(1), [b"z"], "arrived")


@tap.case("beside disturbances in one chain: held ones, copies and segments come to the program")
def beside(t):
    t.route()
    t.h1.chain("x", "input", priority=-1)
    t.h1.chain("y", "input")
    t.h1.rule("x", *TO_PORT, action="duplicate", nth=1)
    t.h1.rule("x", *TO_PORT, action="delay", delay=10**6)
    t.h1.rule("y", *TO_PORT, action="queue", queue=NUMBER)
    with hooks.Datagrams(t) as udp, Queue(t.n1, NUMBER) as queue:
        udp.send(*payloads(3))
        found = queue.packets(4)
        tap.equal(sorted(p.payload[-4:] for p in found), [b"0000", b"0000", b"0001", b"0002"],
                  "queued")
        for packet in found:
            queue.verdict(packet, ACCEPT)
        tap.equal(len(udp.receive(4)), 4, "arrived")


@tap.case("segments of a super frame that was cut come to the program too")
def segments(t):
    t.route()
    t.h0.chain("x", "output")
    t.h0.rule("x", *TO_PORT, action="drop", segments=True, nth=3)
    t.h0.rule("x", *TO_PORT, action="queue", queue=NUMBER)
    with hooks.Datagrams(t) as udp, Queue(t.n0, NUMBER) as queue:
        udp.sender.setsockopt(17, 103, 100)     # UDP_SEGMENT
        udp.send(b"".join(bytes([number]) * 100 for number in range(5)))
        found = queue.packets(4)
        tap.equal([p.payload[28] for p in found], [0, 1, 3, 4], "queued")
        for at, packet in enumerate(found):
            queue.verdict(packet, DROP if at == 0 else ACCEPT)
        tap.equal([data[0] for data in udp.receive(3)], [1, 3, 4], "arrived")


@tap.case("at a device there is no queue: refused, with the place")
def device(t):
    t.pair()
    for hook in ("ingress", "egress"):
        t.h1.chain("x", hook, dev="fe1")
        handle = t.h1.rule("x")
        body = t.h1.words("x", (), "queue", queue=NUMBER)
        t.h1.refused(errno.EINVAL, hooks.RULE_ADD, body, at=8)
        body = t.h1.words("x", (), "queue", queue=NUMBER, handle=handle)
        t.h1.refused(errno.EINVAL, hooks.RULE_REPLACE, body, at=8)
        tap.equal([rule["action"] for rule in t.h1.rules()], [hooks.ACTIONS.index("continue")],
                  "rules")
        t.h1.clear()


tap.main(router.Router)
