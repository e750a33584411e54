#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""N-tuple rules: frames go where rules say, each frame is counted, and what cannot be
is refused."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import content  # noqa: E402
import frames   # noqa: E402
import net      # noqa: E402
import nic      # noqa: E402
import steer    # noqa: E402
import tap      # noqa: E402


@tap.case("each type of flow, by addresses and ports, to its queue")
def to_queues(t):
    other = steer.quiet(t)
    with steer.sending(t) as send:
        for flow, proto, v6 in (("udp4", 17, False), ("tcp4", 6, False), ("sctp4", 132, False),
                                ("udp6", 17, True), ("tcp6", 6, True), ("sctp6", 132, True)):
            src, dst = net.V6 if v6 else net.V4
            at = steer.add(other, "flow-type", flow, "src-ip", src, "dst-ip", dst,
                           "src-port", 77, "dst-port", 88, "action", 2)
            tap.equal(steer.rules(other), [at], "rules")
            both = steer.packet(proto, 77, 88, v6), steer.packet(proto, 77, 89, v6)
            tap.equal(send(*both), {2: 1, 0: 1}, flow)
            # Not another protocol, nor the other version of IP.
            tap.equal(send(steer.packet(6 if proto == 17 else 17, 77, 88, v6),
                           steer.packet(proto, 77, 88, not v6)), {0: 2}, f"not {flow}")
            tap.equal(other.private()[f"rule{at}_frames"], 1, f"frames of {flow}")
            other.set("-N", "delete", at)
            tap.equal(steer.rules(other), [], "rules")
            tap.equal(send(both[0]), {0: 1}, f"{flow} without the rule")


@tap.case("masks, other fields of IP, MAC addresses, ethertypes and VLAN tags")
def fields(t):
    other = steer.quiet(t)
    packet = steer.packet
    hit, miss = {3: 1}, {0: 1}
    with steer.sending(t) as send:
        for rule, yes, no in (
                (("ip4", "src-ip", "198.51.100.0", "m", "0.0.0.255"),
                 packet(src="198.51.100.9"), packet(src="198.51.101.9")),
                (("ip4", "tos", 0x28, "m", 0x3), packet(tos=0x2b), packet(tos=0x8)),
                (("ip4", "l4proto", 47), packet(47), packet(17)),
                (("ip6", "l4proto", 47), packet(47, v6=True), packet(47)),
                (("udp4", "dst-port", 2048, "m", 0xff), packet(dport=2100), packet(dport=2400)),
                (("ether", "src", net.MAC[0], "proto", frames.ETH_P_TEST),
                 frames.ether(net.MAC[1], net.MAC[0], frames.ETH_P_TEST, bytes(50)),
                 packet()),
                (("udp4", "vlan", 5, "m", 0xf000), packet(vlans=[(0x8100, 0x6005)]),
                 packet(vlans=[(0x8100, 6)])),
                (("udp4", "vlan", 0, "m", 0xf000), packet(vlans=[(0x8100, 0)]), packet()),
                (("udp4", "dst-mac", net.MAC[1]), packet(), packet(6)),
                (("esp4", "spi", 0x1234), packet(50, 0, 0x1234), packet(50, 0, 0x1235)),
                # A fragment has no ports, the first one neither.
                (("udp4", "dst-port", 0, "m", 0xffff), packet(dport=9), packet(6)),
                (("udp4", "dst-port", 2000), packet(), packet(flags=0x2000))):
            at = steer.add(other, "flow-type", *rule, "action", 3)
            tap.equal(send(yes), hit, f"{rule} matches")
            tap.equal(send(no), miss, f"{rule} does not match")
            other.set("-N", "delete", at)


@tap.case("the rule at the lowest location holds; the same again replaces")
def order(t):
    other = steer.quiet(t)
    with steer.sending(t) as send:
        other.set("-N", "flow-type", "udp4", "action", 1, "loc", 9)
        tap.equal(send(steer.packet()), {1: 1}, "the general rule")
        other.set("-N", "flow-type", "udp4", "dst-port", 2000, "action", 2, "loc", 5)
        other.set("-N", "flow-type", "udp4", "src-port", 1000, "action", 3, "loc", 7)
        tap.equal(send(steer.packet(), steer.packet(dport=1), steer.packet(1, 1, 1),
                       steer.packet(17, 1, 1)), {2: 1, 3: 1, 0: 1, 1: 1}, "three rules")
        other.set("-N", "flow-type", "ip4", "action", -1, "loc", 5)
        tap.equal(send(steer.packet(), steer.packet(6), dropped=2), {}, "one replaced by a drop")
        net.wait_until(lambda: other.private()["rx_drop_rule"] == 2, "counted drops",
                       5 * net.SLOW)
        tap.equal(steer.rules(other), [5, 7, 9], "rules")
        # Without a location: one that matches the same is replaced where it is.
        tap.equal(steer.add(other, "flow-type", "ip4", "action", 0), 5, "location")
        tap.equal(send(steer.packet()), {0: 1}, "replaced again")
        first = steer.add(other, "flow-type", "tcp4", "action", 1)
        second = steer.add(other, "flow-type", "sctp4", "action", 1)
        tap.equal((first, second), (255, 254), "chosen locations")


@tap.case("all locations in use: refused, and none lost")
def full(t):
    other = steer.quiet(t)
    for at in range(256):
        steer.add_udp4(other, 3000 + at, 1 + at % 3, at)
    other.refused("-N", "flow-type", "tcp4", "action", 1, hint="no space")
    tap.equal(steer.rules(other), list(range(256)), "rules")
    with steer.sending(t) as send:
        tap.equal(send(*(steer.packet(dport=port) for port in range(2999, 3257))),
                  {0: 2, 1: 86, 2: 85, 3: 85}, "frames by queue")
    other.set("-N", "delete", 100)
    tap.equal(steer.add(other, "flow-type", "tcp4", "action", 1), 100, "the one that was free")


@tap.case("ntuple-filters off: rules rest, and come back")
def switched(t):
    other = steer.quiet(t)
    steer.add(other, "flow-type", "udp4", "action", 2)
    with steer.sending(t) as send:
        other.set("-K", "ntuple", "off")
        tap.equal(send(steer.packet()), {0: 1}, "off")
        other.refused("-N", "flow-type", "tcp4", "action", 1)
        other.set("-K", "ntuple", "on")
        tap.equal(send(steer.packet()), {2: 1}, "on")


@tap.case("segments of one packet are steered and counted alike")
def segments(t):
    one, other = t.nics()
    at = steer.add(other, "flow-type", "tcp4", "action", 3)
    before = other.rx_by_queue()
    content.stream(t.n0, t.n1, *net.V4, 200_000)
    t.balanced()
    after = other.rx_by_queue()
    got = {queue: after[queue] - before[queue] for queue in after}
    tap.equal(other.private()[f"rule{at}_frames"], got[3], "frames of the rule")
    if got[3] < 100 or any(got[queue] > got[3] // 10 for queue in (0, 1, 2)):
        raise AssertionError(f"frames by queue {got}")


@tap.case("what cannot be is refused, and nothing changes")
def bad(t):
    other = steer.quiet(t)
    at = steer.add(other, "flow-type", "udp4", "action", 2)
    for words in (("udp4", "action", 4), ("udp4", "action", 1, "loc", 256),
                  ("udp4", "vf", 1, "queue", 0), ("udp4", "action", -2),
                  ("udp4", "user-def", 7, "action", 1), ("ah4", "spi", 1, "action", 1),
                  ("udp4", "context", 9)):
        other.refused("-N", "flow-type", *words)
    other.refused("-N", "delete", 256)
    other.refused("-L", "combined", 2, hint="ntuple")
    tap.equal(steer.rules(other), [at], "rules")
    with steer.sending(t) as send:
        tap.equal(send(steer.packet()), {2: 1}, "where the frame goes")


tap.main(nic.Pair)
