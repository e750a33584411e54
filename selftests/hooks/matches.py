#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Every field, tested in every way, on packets put together by hand: a rule counts
exactly those packets that have the field and fulfil the test.

    ns0: fe0  egress ------------> fe1 :ns1  ingress, prerouting, input

What tags, fragments and connections have beyond this is in vlan, fragments and
conntrack."""

# selftest-timeout: 240

import os
import socket
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import frames   # noqa: E402
import hooks    # noqa: E402
import net      # noqa: E402
import tap      # noqa: E402
from control import RULE_ADD, TRANSACTION_BEGIN, TRANSACTION_COMMIT  # noqa: E402
from hooks import ICMP, ICMPV6, TCP, UDP, attribute, term    # noqa: E402

WIDTH = {"iif": 32, "oif": 32, "smac": 48, "dmac": 48, "ethertype": 16, "saddr4": 32,
         "daddr4": 32, "saddr6": 128, "daddr6": 128, "protocol": 8, "sport": 16, "dport": 16,
         "tcp_flags": 9, "icmp_type": 8, "icmp_code": 8, "icmpv6_type": 8, "icmpv6_code": 8,
         "dscp": 6, "ecn": 2, "ttl": 8, "fragment": 2, "length": 32, "mark": 32, "pkttype": 3}
BESIDE = {"iif", "oif", "smac", "dmac", "ethertype", "length", "mark", "pkttype"}
# Of these what stands in the link header, or is told of all of the test's packets by that.
LINK = {"smac", "dmac", "ethertype", "length"}
# What all of the test's packets have, and no others: so others are not counted.
SIZE, SMAC, DSCP, TTL = 1000, "02:fe:00:00:00:77", 45, 33
MARK = 0x5A5A
SO_MARK = 36
HOST, BROADCAST, MULTICAST = range(3)
EVERYWHERE = ("egress", "ingress", "prerouting", "input")
ON_WIRE = EVERYWHERE[:2]


def number(text):
    return hooks.address(text) if "." in text else int.from_bytes(frames.raw(text), "big")


class Packet:
    """A frame, the fields that it has, and the hooks that see it."""

    def __init__(self, frame, seen, **fields):
        tap.equal(len(frame), SIZE, "size")
        self.frame, self.seen = frame, seen
        self.fields = {"smac": number(SMAC), **fields}

    def at(self, hook, index):
        """The fields as a hook sees them."""
        fields = dict(self.fields)
        fields["length"] = SIZE if hook in ON_WIRE else SIZE - 14
        if hook == "egress":
            fields |= {"oif": index, "mark": MARK}
            # What the sender leaves there.
            del fields["pkttype"]
        else:
            fields |= {"iif": index, "mark": MARK if fields["ethertype"] == 0x800 else 0}
        return fields


def four(proto, transport, fields, dmac=net.MAC[1], daddr=net.V4[1], pkttype=HOST, offset=0,
         seen=EVERYWHERE, ecn=1):
    """An IPv4 packet."""
    packet = frames.ipv4(net.V4[0], daddr, proto, transport, ttl=TTL, tos=DSCP << 2 | ecn,
                         flags=offset)
    kind = 0 if not offset else 1 if offset == 0x2000 else 2
    return Packet(frames.ether(dmac, SMAC, 0x800, packet), seen, dmac=number(dmac),
                  ethertype=0x800, saddr4=hooks.address(net.V4[0]), daddr4=hooks.address(daddr),
                  protocol=proto, dscp=DSCP, ecn=ecn, ttl=TTL, fragment=kind, pkttype=pkttype,
                  **fields)


def six(proto, transport, fields, ecn=2):
    """An IPv6 packet."""
    packet = bytearray(frames.ipv6(net.V6[0], net.V6[1], proto, transport, hops=TTL))
    struct.pack_into("!I", packet, 0, 6 << 28 | (DSCP << 2 | ecn) << 20)
    return Packet(frames.ether(net.MAC[1], SMAC, 0x86DD, bytes(packet)), EVERYWHERE,
                  dmac=number(net.MAC[1]), ethertype=0x86DD, saddr6=hooks.address(net.V6[0]),
                  daddr6=hooks.address(net.V6[1]), protocol=proto, dscp=DSCP, ecn=ecn, ttl=TTL,
                  fragment=0, pkttype=HOST, **fields)


def packets():
    """One of each kind."""
    room = SIZE - 14 - 20
    found = []
    for make, ends, room in ((four, net.V4, SIZE - 34), (six, net.V6, SIZE - 54)):
        ports = {"sport": 1234, "dport": 5000}
        found += [
            make(UDP, frames.udp(*ends, 1234, 5000, bytes(room - 8)), ports),
            make(UDP, frames.udp(*ends, 5000, 80, bytes(room - 8)), {"sport": 5000, "dport": 80}),
            make(TCP, frames.tcp(*ends, 1234, 5000, 1, 2, 0x12, bytes(room - 20)),
                 {**ports, "tcp_flags": 0x12}),
            make(TCP, frames.tcp(*ends, 1234, 5000, 1, 2, 0x04, bytes(room - 20)),
                 {**ports, "tcp_flags": 0x04}),
            make(132, struct.pack("!HH", 1234, 5000) + bytes(room - 4), ports)]
    room = SIZE - 34
    for kind, code in ((3, 4), (13, 0)):
        found.append(four(ICMP, bytes([kind, code]) + bytes(room - 2),
                          {"icmp_type": kind, "icmp_code": code}))
        found.append(six(ICMPV6, bytes([kind + 120, code]) + bytes(room - 22),
                         {"icmpv6_type": kind + 120, "icmpv6_code": code}))
    datagram = frames.udp(net.V4[0], net.V4[1], 1234, 5000, bytes(room - 8))
    ports = {"sport": 1234, "dport": 5000}
    return found + [
        four(UDP, datagram, ports, "ff:ff:ff:ff:ff:ff", "255.255.255.255", BROADCAST),
        four(UDP, datagram, ports, "01:00:5e:00:00:01", "224.0.0.1", MULTICAST),
        # The first fragment has its ports, a later one has not.
        four(UDP, datagram, ports, offset=0x2000, seen=EVERYWHERE[:3]),
        four(UDP, bytes(room), {}, offset=0x2000 | 100, seen=EVERYWHERE[:3]),
        Packet(frames.ether(net.MAC[1], SMAC, frames.ETH_P_TEST, bytes(SIZE - 14)), ON_WIRE,
               dmac=number(net.MAC[1]), ethertype=frames.ETH_P_TEST, pkttype=HOST)]


def tests(field, value):
    """The tests of a field around a value: arguments of a term, and what fulfils it."""
    width = WIDTH[field]
    most = (1 << width) - 1
    half = width // 2
    low, high = max(value - 1, 0), min(value + 1, most)
    upper, lower = most << half & most, most >> half
    for words, fulfils in (
            ((value, None, "value"), lambda v: v == value),
            ((value & upper, width - half, "prefix"), lambda v: v & upper == value & upper),
            ((value & lower, lower, "mask"), lambda v: v & lower == value & lower),
            ((low, high, "range"), lambda v: low <= v <= high)):
        yield words, False, fulfils
        yield words, True, lambda v, fulfils=fulfils: not fulfils(v)


def fill(space, hook, chain, some, index, fields):
    """Gives a chain a rule for each test of each field; what they are to count."""
    want = []
    space.send(TRANSACTION_BEGIN)
    for field in sorted(fields):
        # Of all of the test's packets, and no others.
        ours = term("length", SIZE if hook in ON_WIRE else SIZE - 14) if field in BESIDE else \
            term("dscp", DSCP)
        if field == "dscp":
            ours = term("ttl", TTL)
        elif field == "length":
            ours = term("smac", number(SMAC))
        there = [packet.at(hook, index).get(field) for packet in some]
        for value in sorted({value for value in there if value is not None}):
            for words, negated, fulfils in tests(field, value):
                body = space.words(chain, (ours, term(field, *words, negated=negated)), "continue")
                space.send(RULE_ADD, body + attribute(hooks.RULE, "transaction", True))
                count = sum(v is not None and fulfils(v) for v in there)
                want.append((f"{hook} {chain}: {'not ' * negated}{field} {words}", count))
    space.send(TRANSACTION_COMMIT)
    return want


@tap.case("each test of each field, at both ends of the wire and in the stack")
def each(t):
    t.pair()
    some = packets()
    t.h1.chain("marks", "ingress", dev="fe1", priority=-1)
    t.h1.rule("marks", term("ethertype", 0x800), action="set-mark", mark=MARK)
    wants = {}
    for hook in EVERYWHERE:
        space, name, dev = (t.h0, t.n0, "fe0") if hook == "egress" else (t.h1, t.n1, "fe1")
        index = name.rtnl.get(dev)["index"]
        seen = [packet for packet in some if hook in packet.seen]
        here = {field for packet in seen for field in packet.at(hook, index)}
        for chain, fields in (("headers", here - BESIDE), ("beside", here & BESIDE - LINK),
                              ("all", here)):
            chain = f"{chain}-{hook}"
            space.chain(chain, hook, dev=dev if hook in ON_WIRE else None)
            wants[chain] = space, fill(space, hook, chain, seen, index, fields)
    with t.n0.packet("fe0") as sender:
        sender.setsockopt(socket.SOL_SOCKET, SO_MARK, MARK)
        for packet in some:
            sender.send(packet.frame)
    for chain, (space, want) in wants.items():
        def found(space=space, chain=chain):
            return [rule["packets"] for rule in space.rules(chain)]

        counts = [count for _, count in want]
        try:
            net.wait_until(lambda: found() == counts, chain)
        except AssertionError:
            wrong = [f"{what}: {got}, not {count}"
                     for (what, count), got in zip(want, found()) if got != count]
            raise AssertionError("\n".join(wrong[:20])) from None
        tap.note(f"{chain}: {len(want)} rules")


tap.main(hooks.Topology)
