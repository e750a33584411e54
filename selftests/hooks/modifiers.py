#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""For which of the packets that match a rule acts: drawn by a seed, limited in rate,
several conditions together, and exactly so whatever CPUs the packets are on."""

import os
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import hooks    # noqa: E402
import net      # noqa: E402
import tap      # noqa: E402
from hooks import UDP, term     # noqa: E402

TO_PORT = (term("protocol", UDP), term("dport", 5000))
COUNT = 200
ALL = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15


def payloads(count):
    return [b"%05d" % number for number in range(count)]


def mix(number):
    """What rust/pure/rules/sequence.rs draws from."""
    number = (number ^ number >> 30) * 0xBF58476D1CE4E5B9 & ALL
    number = (number ^ number >> 27) * 0x94D049BB133111EB & ALL
    return number ^ number >> 31


def drawn(seed, ordinal):
    """32 bits, drawn for the probability of a packet."""
    return mix(mix(seed + GOLDEN & ALL) + GOLDEN * ordinal & ALL) >> 32


def arrived(t, count=COUNT):
    """Sends numbered packets; the numbers of those that came."""
    with hooks.Datagrams(t) as udp, hooks.Datagrams(t, port=5001) as last:
        # The other port: not matched, and behind the others.
        udp.send(*payloads(count))
        last.send(b"last")
        last.receive(1)
        rule = t.h1.rules("x")[0]
        net.wait_until(lambda: t.h1.get("x", rule["handle"])["packets"] == count, "matched")
        found = udp.receive(count - t.h1.get("x", rule["handle"])["acted"])
        tap.equal(udp.rest(), [], "more")
        return [int(data) for data in found]


def case(t, want, **modifiers):
    """Drops by a rule with these modifiers, at each of two hooks; `want` are the numbers
    that arrive."""
    for hook, dev in (("input", None), ("ingress", "fe1")):
        t.h1.chain("x", hook, dev=dev)
        rule = t.h1.rule("x", *TO_PORT, action="drop", **modifiers)
        tap.equal(arrived(t), want, f"{modifiers} at {hook}")
        tap.equal(t.h1.acted("x", rule), (COUNT, COUNT - len(want)), "matched, acted")
        t.h1.clear()


def without(condition):
    """The numbers of packets, but those that fulfil a condition on their place, from 1 on."""
    return [n for n in range(COUNT) if not condition(n + 1)]


@tap.case("probability: the same seed, the same packets, and those that it draws")
def probability(t):
    t.pair(own={"txq": 1, "rxq": 1}, peer={"txq": 1, "rxq": 1})
    third = (1 << 32) // 3
    for seed in (0, 1, 2, ALL):
        case(t, [n for n in range(COUNT) if drawn(seed, n) >= third], probability=third, seed=seed)
    t.h1.chain("x", "input")
    t.h1.rule("x", *TO_PORT, action="drop", probability=third, seed=7)
    first = arrived(t)
    t.h1.reset("x")
    tap.equal(arrived(t), first, "once more from the beginning")


@tap.case("nth, every and at most, alone and together")
def places(t):
    t.pair(own={"txq": 1, "rxq": 1}, peer={"txq": 1, "rxq": 1})
    case(t, without(lambda n: n == 7), nth=7)
    case(t, without(lambda n: n % 3 == 0), every=3)
    case(t, without(lambda n: n <= 5), at_most=5)
    case(t, without(lambda n: n in (10, 20, 30)), every=10, at_most=3)
    case(t, without(lambda n: n == 12), nth=12, every=4)
    half = 1 << 31
    case(t, [n for n in range(COUNT) if (n + 1) % 4 or drawn(5, n) >= half], every=4,
         probability=half, seed=5)


@tap.case("a limit lets a burst act, then so many a second, packets or bytes")
def limit(t):
    t.pair()
    for more, least, a_second in (
            ({"rate": 1, "burst": 10}, 10, 1),
            ({"rate": 1}, 1, 1),
            # Each is 33 bytes long at input.
            ({"rate": 33, "burst": 33 * 10 + 20, "rate_bytes": True}, 10, 1),
            # A full bucket is not enough for one.
            ({"rate": 1, "burst": 32, "rate_bytes": True}, 0, 0)):
        t.h1.chain("x", "input")
        began = time.monotonic()
        rule = t.h1.rule("x", *TO_PORT, action="drop", **more)
        arrived(t)
        matched, acted = t.h1.acted("x", rule)
        most = least + a_second * (time.monotonic() - began + 1)
        tap.equal((matched, least <= acted <= most), (COUNT, True), f"{more}: acted {acted}")
        t.h1.clear()
    t.h1.chain("x", "input")
    rule = t.h1.rule("x", rate=1, rate_bytes=True)
    tap.equal(t.h1.get("x", rule)["burst"], 524280, "a burst as long as the longest super frame")


@tap.case("a limit is refilled as time goes on")
def refilled(t):
    t.pair()
    t.h1.chain("x", "input")
    rule = t.h1.rule("x", *TO_PORT, rate=50, burst=1)
    with hooks.Datagrams(t) as udp:
        def more():
            udp.send(b"x")
            udp.receive(1)
            return t.h1.acted("x", rule)[1] >= 5

        net.wait_until(more, "five that acted")


SENDER = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(("127.0.0.1", 5000))
sys.stdin.readline()
for n in range(int(sys.argv[1])):
    s.send(b"x")
"""


@tap.case("several CPUs at once: counters, n-th and at-most are exact")
def together(t):
    senders, each = 4, net.rounds(4000)
    t.n1.rtnl.change("lo", up=True)
    total = senders * each
    # Nobody reads it; without it senders would be refused.
    sink = t.n1.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sink.bind(("127.0.0.1", 5000))
    for hook, dev in (("input", None), ("output", None), ("ingress", "lo")):
        t.h1.chain("x", hook, dev=dev)
        rules = {words: t.h1.rule("x", *TO_PORT, **dict(words)) for words in (
            (), (("every", 7),), (("nth", total // 2),), (("at_most", total // 3),))}
        programs = [t.n1.popen(sys.executable, "-c", SENDER, str(each), stdin=-1)
                    for _ in range(senders)]
        for program in programs:
            program.stdin.write(b"\n")
            program.stdin.flush()
        for program in programs:
            program.communicate()
            tap.equal(program.returncode, 0, "a sender's status")
        net.wait_until(lambda: t.h1.get("x", rules[()])["packets"] == total, "all")
        acted = [t.h1.acted("x", rule) for rule in rules.values()]
        want = [(total, n) for n in (total, total // 7, 1, total // 3)]
        tap.equal(acted, want, f"matched, acted at {hook}")
        t.h1.clear()
    sink.close()


tap.main(hooks.Topology)
