#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""VLAN tags, in the frame and beside it: what rules see, and what they do to the
packets behind the tags."""

# selftest-timeout: 300

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import frames   # noqa: E402
import hooks    # noqa: E402
import net      # noqa: E402
import tap      # noqa: E402
from counters import checksum_errors  # noqa: E402
from hooks import UDP, term     # noqa: E402

TO_PORT = (term("protocol", UDP), term("dport", 5000))
V4 = ("192.168.243.1", "192.168.243.2")
V6 = ("fd00:243::1", "fd00:243::2")
LONG = 50 * 10**9
WAYS = {"in the frame": "off", "beside it": "on"}


class Tagged(hooks.Topology):
    """A pair, and devices of VLAN 5, or of VLAN 6 in VLAN 5, above its ends."""

    target = {4: V4[1], 6: V6[1]}

    def tagged(self, offload, double=False):
        self.pair(quiet=True)
        for end, (namespace, name) in enumerate(((self.n0, "fe0"), (self.n1, "fe1"))):
            for feature in ("tx-vlan-hw-insert", "rx-vlan-hw-parse", "tx-vlan-stag-hw-insert",
                            "rx-vlan-stag-hw-parse"):
                namespace.ethtool("-K", name, feature, offload, check=False)
            below = name
            for vlan, made in (("5", "outer"), ("6", "v"))[0 if double else 1:]:
                vlan = vlan if double else "5"
                namespace.ip("link", "add", "link", below, "name", made, "type", "vlan", "id",
                             vlan)
                namespace.rtnl.change(made, up=True)
                below = made
            namespace.rtnl.add_address("v", V4[end], 24)
            namespace.rtnl.add_address("v", V6[end], 64)
            net.running(namespace, "v")
        for namespace, address in ((self.n0, V6[0]), (self.n1, V6[1])):
            namespace.wait_local(address)


def wanted(double):
    """The terms of a packet with those tags."""
    return (*TO_PORT, term("vlan", 5), *([term("inner_vlan", 6)] if double else []))


def points(t):
    return (t.h0, "egress", "fe0"), (t.h1, "ingress", "fe1")


def every(t):
    """Each way, of one tag and two, at each device."""
    for way, offload in WAYS.items():
        for double in (False, True):
            t.tagged(offload, double)
            for hooks_, hook, dev in points(t):
                yield f"{hook}, {2 if double else 1} {way}", hooks_, hook, dev, double
            t.tidy()


def payloads(count):
    return [b"%04d" % number + bytes(96) for number in range(count)]


@tap.case("the outermost tag and the one behind it, and headers behind both")
def tags(t):
    for where, hooks_, hook, dev, double in every(t):
        hooks_.chain("x", hook, dev=dev)
        right = hooks_.rule("x", *wanted(double))
        wrong = [hooks_.rule("x", *TO_PORT, *terms) for terms in (
            [term("vlan", 6)], [term("inner_vlan", 5)], [term("vlan", 5, negated=True)],
            [] if double else [term("inner_vlan", 0, 4095)]) if terms]
        for family in (4, 6):
            with hooks.Datagrams(t, family) as udp:
                udp.send(*payloads(3))
                tap.equal(udp.receive(3), payloads(3), f"arrived, {where}")
        tap.equal(hooks_.get("x", right)["packets"], 6, where)
        tap.equal([hooks_.get("x", rule)["packets"] for rule in wrong], [0] * len(wrong), where)
        hooks_.clear()


@tap.case("what is done to packets with tags")
def disturbances(t):
    for where, hooks_, hook, dev, double in every(t):
        behind = 14 + (8 if double else 4)
        for action, more, want in (
                ("drop", {"nth": 2}, (0, 2, 3)),
                ("duplicate", {"nth": 2}, (0, 1, 1, 2, 3)),
                ("reorder", {"nth": 2, "gap": 1, "timeout": LONG}, (0, 2, 1, 3)),
                ("delay", {"delay": 10**6}, (0, 1, 2, 3)),
                ("truncate", {"nth": 2, "length": behind + 50}, (0, 2, 3)),
                ("corrupt", {"nth": 2, "bits": 1, "offset": behind + 40}, (0, 2, 3))):
            hooks_.chain("x", hook, dev=dev)
            rule = hooks_.rule("x", *wanted(double), action=action, **more)
            with hooks.Datagrams(t) as udp:
                udp.send(*payloads(4))
                tap.equal(udp.receive(len(want)), [payloads(4)[n] for n in want],
                          f"{action}, {where}")
                tap.equal(hooks_.acted("x", rule)[0], 4, f"{action}, {where}")
            hooks_.clear()


@tap.case("set-dscp reaches the header behind the tags")
def dscp(t):
    for where, hooks_, hook, dev, double in every(t):
        for family in (4, 6):
            hooks_.chain("x", hook, dev=dev)
            hooks_.rule("x", *wanted(double), action="set-dscp", dscp=46)
            t.h1.chain("in", "input")
            seen = t.h1.rule("in", *TO_PORT, term("dscp", 46))
            before = checksum_errors(t.n1)
            with hooks.Datagrams(t, family) as udp:
                udp.send(*payloads(2))
                # What waited for the neighbour's answer may be overtaken by what is sent when that has just come.
                tap.equal(sorted(udp.receive(2)), payloads(2), f"arrived, IPv{family} {where}")
            tap.equal(t.h1.get("in", seen)["packets"], 2, f"IPv{family} {where}")
            tap.equal(checksum_errors(t.n1) - before, 0, f"wrong checksums, {where}")
            t.h0.clear()
            t.h1.clear()


@tap.case("three tags, and tags that are cut off: what is proved and no more")
def odd(t):
    t.pair(quiet=True)
    t.h0.chain("x", "egress", dev="fe0")
    datagram = frames.ipv4("1.1.1.1", "2.2.2.2", UDP, frames.udp("1.1.1.1", "2.2.2.2", 1, 5000,
                                                               b"x"))
    tags_ = [(frames.ETH_P_8021AD, 5), (frames.ETH_P_8021Q, 6), (frames.ETH_P_8021Q, 7)]
    with t.n0.packet("fe0") as sender:
        for frame, matches in (
                (frames.ether(net.MAC[1], net.MAC[0], 0x800, datagram, tags_[:2]), (1, 1, 1)),
                (frames.ether(net.MAC[1], net.MAC[0], 0x800, datagram, tags_), (1, 1, 0)),
                (frames.ether(net.MAC[1], net.MAC[0], 0x8100, b"\0"), (0, 0, 0)),
                (frames.ether(net.MAC[1], net.MAC[0], 0x8100, b"\0\5\x81"), (1, 0, 0))):
            rules = [t.h0.rule("x", *terms) for terms in (
                [term("vlan", 5)], [term("inner_vlan", 6)], TO_PORT)]
            end = t.h0.rule("x")
            sender.send(frame)
            net.wait_until(lambda end=end: t.h0.get("x", end)["packets"] == 1, "sent")
            tap.equal(tuple(t.h0.get("x", rule)["packets"] for rule in rules), matches, frame.hex())
            t.h0.remove("x")


tap.main(Tagged)
