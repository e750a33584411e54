#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Chains and rules: where they are, what they do to packets, what they count."""

import errno
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import hooks    # noqa: E402
import net      # noqa: E402
import tap      # noqa: E402
from hooks import UDP, term     # noqa: E402

TO_PORT = (term("protocol", UDP), term("dport", 5000))


def payloads(count, start=0):
    return [b"%04d" % number for number in range(start, start + count)]


@tap.case("drop the 7th packet to a port, once")
def seventh(t):
    t.pair()
    t.h1.chain("in", "prerouting", family="ip")
    rule = t.h1.rule("in", *TO_PORT, action="drop", nth=7, at_most=1)
    with hooks.Datagrams(t) as udp:
        udp.send(*payloads(20))
        got = udp.receive(19)
        tap.equal(got, [p for p in payloads(20) if p != b"0006"], "arrived")
    tap.equal(t.h1.acted("in", rule), (20, 1), "matched, acted")


@tap.case("every hook sees the packets that pass it, IPv4 and IPv6")
def everywhere(t):
    t.pair()
    wanted = {"n0": {"output", "postrouting", "egress"}, "n1": {"prerouting", "input", "ingress"}}
    for family in (4, 6):
        for hooks_, name, dev in ((t.h0, "n0", "fe0"), (t.h1, "n1", "fe1")):
            for hook in hooks.HOOKS:
                at = dev if hook in ("ingress", "egress") else None
                hooks_.chain(hook, hook, dev=at)
                hooks_.rule(hook, *TO_PORT)
        with hooks.Datagrams(t, family) as udp:
            udp.send(*payloads(5))
            tap.equal(udp.receive(5), payloads(5), "arrived")
        for hooks_, name in ((t.h0, "n0"), (t.h1, "n1")):
            seen = {rule["chain"]: rule["packets"] for rule in hooks_.rules()}
            tap.equal(seen, {hook: 5 if hook in wanted[name] else 0 for hook in hooks.HOOKS},
                      f"IPv{family} {name}")
            hooks_.clear()


@tap.case("a chain of IPv4 sees no IPv6, and the other way round")
def families(t):
    t.pair()
    t.h1.chain("four", "input", family="ip")
    t.h1.chain("six", "input", family="ip6")
    for chain in ("four", "six"):
        t.h1.rule(chain, *TO_PORT)
    for family in (4, 4, 6):
        with hooks.Datagrams(t, family) as udp:
            udp.send(b"x")
            udp.receive(1)
    tap.equal([rule["packets"] for rule in t.h1.rules()], [2, 1], "packets")


@tap.case("packets are counted with their bytes, from the header of the hook on")
def counting(t):
    t.pair()
    t.h1.chain("ip", "input", family="ip")
    t.h1.chain("dev", "ingress", dev="fe1")
    rules = [t.h1.rule(chain, *TO_PORT) for chain in ("ip", "dev")]
    with hooks.Datagrams(t) as udp:
        udp.send(bytes(100), bytes(200))
        udp.receive(2)
    tap.equal(t.h1.get("ip", rules[0])["bytes"], 2 * 28 + 300, "at input")
    tap.equal(t.h1.get("dev", rules[1])["bytes"], 2 * 42 + 300, "at ingress")


@tap.case("rules are walked in order; continue goes on, accept and drop end")
def order(t):
    t.pair()
    t.h1.chain("in", "input")
    third = t.h1.rule("in", *TO_PORT, action="drop")
    first = t.h1.rule("in", *TO_PORT, position=0)
    second = t.h1.rule("in", *TO_PORT, action="accept", every=2, before=third)
    last = t.h1.rule("in", *TO_PORT)
    rules = t.h1.rules("in")
    tap.equal([r["handle"] for r in rules], [first, second, third, last], "order")
    tap.equal([r["position"] for r in rules], [0, 1, 2, 3], "positions")
    with hooks.Datagrams(t) as udp:
        udp.send(*payloads(10))
        tap.equal(udp.receive(5), payloads(10)[1::2], "arrived")
    tap.equal([t.h1.acted("in", r) for r in (first, second, third, last)],
              [(10, 10), (10, 5), (5, 5), (0, 0)], "matched, acted")


@tap.case("the policy decides on what no rule does, and can be changed")
def policy(t):
    t.pair()
    t.h1.chain("in", "input", family="ip", policy="drop")
    t.h1.rule("in", *TO_PORT, action="accept")
    with hooks.Datagrams(t) as good, hooks.Datagrams(t, port=5001) as bad:
        bad.send(b"a", b"b")
        good.send(b"c")
        good.receive(1)
        net.wait_until(lambda: t.h1.chains()["in"]["packets"] == 2, "two dropped")
        tap.equal(bad.rest(), [], "dropped")
        t.h1.policy("in", "accept")
        bad.send(b"d")
        tap.equal(bad.receive(1), [b"d"], "accepted")


@tap.case("a locally sent packet that is dropped is refused to its sender")
def refused(t):
    t.pair()
    t.h0.chain("out", "output")
    t.h0.rule("out", *TO_PORT, action="drop")
    with hooks.Datagrams(t) as udp:
        try:
            udp.send(b"x")
        except PermissionError:
            return
    raise AssertionError("sent")


@tap.case("replace, remove and reset leave other rules' counters alone")
def changes(t):
    t.pair()
    t.h1.chain("in", "input")
    rules = [t.h1.rule("in", *TO_PORT) for _ in range(4)]
    with hooks.Datagrams(t) as udp:
        udp.send(*payloads(3))
        udp.receive(3)
        t.h1.replace("in", rules[0], *TO_PORT, action="accept", at_most=1)
        t.h1.remove("in", rules[1])
        t.h1.reset("in", rules[2])
        tap.equal([(r["handle"], r["packets"]) for r in t.h1.rules("in")],
                  [(rules[0], 0), (rules[2], 0), (rules[3], 3)], "after the changes")
        udp.send(*payloads(2))
        udp.receive(2)
        tap.equal([(r["packets"], r["acted"]) for r in t.h1.rules("in")],
                  [(2, 1), (1, 1), (4, 4)], "counted")
        t.h1.remove("in")
        tap.equal(t.h1.rules("in"), [], "flushed")
        tap.equal(t.h1.rule("in"), rules[3] + 1, "the next handle")


@tap.case("reset arms again what was done at most so many times")
def rearm(t):
    t.pair()
    t.h1.chain("in", "input")
    rule = t.h1.rule("in", *TO_PORT, action="drop", at_most=2)
    with hooks.Datagrams(t) as udp:
        udp.send(*payloads(4))
        tap.equal(udp.receive(2), payloads(4)[2:], "after two")
        t.h1.reset("in", rule)
        udp.send(*payloads(4))
        tap.equal(udp.receive(2), payloads(4)[2:], "after two more")
    tap.equal(t.h1.acted("in", rule), (4, 2), "matched, acted")


@tap.case("chains at a device go with it; hooks go with their namespace")
def gone(t):
    t.pair()
    t.h0.chain("dev", "ingress", dev="fe0")
    t.h0.chain("out", "egress", dev="fe0")
    t.h0.chain("in", "input")
    t.n0.rtnl.delete("fe0")
    tap.equal(list(t.h0.chains()), ["in"], "chains")
    other = net.Namespace("other")
    there = hooks.Hooks(other)
    there.chain("in", "prerouting")
    there.chain("lo", "ingress", dev="lo")
    there.rule("in", action="drop")
    there.close()
    other.close()


@tap.case("what makes no sense is refused, with a word and the place")
def refusals(t):
    t.pair()
    h = t.h1
    h.chain("in", "input", family="ip")
    before = h.chains(), h.rules()
    name = hooks.attribute(hooks.CHAIN, "name", "in")

    def hook(which):
        return hooks.attribute(hooks.CHAIN, "hook", hooks.HOOKS.index(which))

    new = hooks.attribute(hooks.CHAIN, "name", "new")
    dev = hooks.attribute(hooks.CHAIN, "ifindex", t.n1.rtnl.get("fe1")["index"])
    h.refused(errno.EEXIST, hooks.CHAIN_ADD, name + hook("input"), at=0)
    h.refused(errno.EINVAL, hooks.CHAIN_ADD, hook("input"), missing=1)
    h.refused(errno.EINVAL, hooks.CHAIN_ADD, new, missing=4)
    h.refused(errno.EINVAL, hooks.CHAIN_ADD, new + hook("ingress"), missing=6)
    h.refused(errno.EINVAL, hooks.CHAIN_ADD, new + hook("input") + dev, at=len(new) + 8)
    h.refused(errno.EINVAL, hooks.CHAIN_ADD, new + dev + hook("egress") +
              hooks.attribute(hooks.CHAIN, "family", 0), at=len(new) + 16)
    h.refused(errno.ENODEV, hooks.CHAIN_ADD, new + hook("ingress") +
              hooks.attribute(hooks.CHAIN, "ifindex", 12345), at=len(new) + 8)
    # What clients can't decode, or terminals obey.
    for bad in (b"\x89", b"a b", b"\x1b[2J", "é".encode(), b""):
        bad = hooks.attribute(hooks.CHAIN, "name", bad + b"\0")
        h.refused(errno.EINVAL, hooks.CHAIN_ADD, bad + hook("input"), at=0)
    h.refused(errno.ENOENT, hooks.CHAIN_DEL, new, at=0)
    h.refused(errno.ENOENT, hooks.CHAIN_GET, new, at=0)

    def rule(number, *terms, at=None, missing=None, action="continue", **more):
        body = h.words("in", (), "accept")[:8] + b"".join(terms)
        body += hooks.attribute(hooks.RULE, "action", hooks.ACTIONS.index(action))
        body += b"".join(hooks.attribute(hooks.RULE, key, value) for key, value in more.items())
        h.refused(number, hooks.RULE_ADD, body, at=at, missing=missing)

    tcp = term("protocol", hooks.TCP)
    # The field has no such number; packets have no such field here; both can't be.
    rule(errno.EINVAL, tcp, term("dport", 1 << 16), at=8 + len(tcp))
    rule(errno.EINVAL, term("saddr6", 1), at=8)
    rule(errno.EINVAL, tcp, term("icmp_type", 8), at=8 + len(tcp))
    rule(errno.EINVAL, term("dport", 90, 80), at=8)
    rule(errno.ERANGE, position=1, at=16)
    rule(errno.ENOENT, before=77, at=16)
    rule(errno.EINVAL, action="set-mark", missing=hooks.number(hooks.RULE, "mark"))
    rule(errno.EINVAL, burst=3, at=16)
    # Nothing is held for more than a minute.
    minute = 60 * 10**9
    for bad in (0, minute + 1, (1 << 64) - 1):
        rule(errno.ERANGE, action="delay", delay=bad, at=16)
        rule(errno.ERANGE, action="reorder", timeout=bad, at=16)
    rule(errno.ERANGE, action="delay", delay=minute, jitter=minute + 1, at=28)
    rule(errno.EINVAL, action="delay", delay=minute, jitter=1, at=8)
    h.refused(errno.ENOENT, hooks.RULE_DEL, h.words("in", (), "accept")[:8] +
              hooks.attribute(hooks.RULE, "handle", 5), at=8)
    tap.equal((h.chains(), h.rules()), before, "nothing has changed")


tap.main(hooks.Topology)
