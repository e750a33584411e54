#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Fragments and IPv6 extension headers, put together by hand: what of them is
proved, and what is done to them.  Nobody tracks connections here, so that hooks see
fragments as they come."""

# selftest-timeout: 300

import os
import socket
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import frames   # noqa: E402
import hooks    # noqa: E402
import net      # noqa: E402
import router   # noqa: E402
import tap      # noqa: E402
from hooks import UDP, term     # noqa: E402

WHOLE, FIRST, LATER = 0, 1, 2
HOP, ROUTING, FRAGMENT, AUTH, NONE, OPTIONS = 0, 43, 44, 51, 59, 60
SOURCE, TARGET = router.Router.source, router.Router.target
# What is matched: of what kind, and of which the ports are known.
MATCHES = {"whole": (term("fragment", WHOLE),), "first": (term("fragment", FIRST),),
           "later": (term("fragment", LATER),), "udp": (term("protocol", UDP),),
           "port": (term("protocol", UDP), term("dport", 5000)),
           "another port": (term("protocol", UDP), term("dport", 5000, negated=True))}


def datagram(family, size=64):
    return frames.udp(SOURCE[family], TARGET[family], 4000, 5000, bytes(range(size)))


def ipv4(payload, offset=0, more=False, options=b"", ident=7):
    """An IPv4 packet of UDP, perhaps a fragment."""
    size = 20 + len(options)
    head = struct.pack("!BBHHHBBH4s4s", 0x40 | size // 4, 0, size + len(payload), ident,
                       (0x2000 if more else 0) | offset // 8, 64, UDP, 0,
                       socket.inet_aton(SOURCE[4]), socket.inet_aton(TARGET[4])) + options
    return head[:10] + struct.pack("!H", ~frames.checksum(head) & 0xFFFF) + head[12:] + payload


def ipv6(chain, payload, first=UDP):
    """An IPv6 packet with extension headers, as pairs of their type and what follows the
    number of the next header."""
    kinds = [kind for kind, _ in chain] + [first]
    body = b"".join(bytes([kinds[at + 1]]) + head for at, (_, head) in enumerate(chain)) + payload
    return frames.ipv6(SOURCE[6], TARGET[6], kinds[0], body)


def piece(offset, more, ident=9):
    """A fragment header."""
    return FRAGMENT, struct.pack("!BHI", 0, offset | (1 if more else 0), ident)


PAD = (OPTIONS, bytes([0, 1, 4, 0, 0, 0, 0]))
HOPS = (HOP, bytes([0, 1, 4, 0, 0, 0, 0]))


def packets():
    """Packets by family, name, and which of the matches they fulfil."""
    four, six = datagram(4), datagram(6)
    plain = {"whole", "udp", "port"}
    yield 4, "whole", ipv4(four), plain
    yield 4, "with options", ipv4(four, options=b"\x01" * 12), plain
    yield 4, "first", ipv4(four[:32], more=True), {"first", "udp", "port"}
    yield 4, "later, with another", ipv4(four[32:64], 32, True), {"later", "udp"}
    yield 4, "last", ipv4(four[64:], 64), {"later", "udp"}
    yield 4, "first, of 4 bytes", ipv4(four[:4], more=True), {"first", "udp", "port"}
    yield 4, "first, of 2 bytes", ipv4(four[:2], more=True), {"first", "udp"}
    yield 6, "whole", ipv6([], six), plain
    yield 6, "options", ipv6([HOPS, PAD], six), plain
    yield 6, "many options", ipv6([HOPS] + [PAD] * 5, six), plain
    yield 6, "first", ipv6([piece(0, True)], six[:32]), {"first", "udp", "port"}
    yield 6, "first, behind options", ipv6([HOPS, piece(0, True), PAD], six[:32]), \
        {"first", "udp", "port"}
    yield 6, "later", ipv6([piece(32, True)], six[32:64]), {"later", "udp"}
    yield 6, "last, behind options", ipv6([PAD, piece(64, False)], six[64:]), {"later", "udp"}
    yield 6, "later, options would follow", ipv6([piece(32, True)], six[32:64], OPTIONS), {"later"}
    yield 6, "atomic fragment", ipv6([piece(0, False)], six), plain
    yield 6, "options cut off", ipv6([(OPTIONS, bytes([30, 1, 4, 0, 0, 0, 0]))], b"", UDP), set()
    yield 6, "nothing follows", ipv6([PAD], b"", NONE), {"whole"}


# Where a forwarded packet is looked at, and whether a device is: there nothing was checked.
POINTS = (("ingress", "re0"), ("prerouting", None), ("forward", None), ("postrouting", None),
          ("egress", "re1"))


def matched(t, hook, rules):
    return {name for name, rule in rules.items() if t.hr.get(hook, rule)["packets"]}


@tap.case("whole ones, first and later fragments, extension headers: at every hook")
def kinds(t):
    t.route()
    with t.n0.packet("fe0") as sender, t.n1.packet("fe1") as receiver:
        rules = {}
        for hook, dev in POINTS:
            t.hr.chain(hook, hook, dev=dev)
            rules[hook] = {}
        for family, name, packet, wanted in packets():
            for hook in rules:
                t.hr.remove(hook)
                # By both ends: neighbours are asked for in between.
                about = (term(f"saddr{family}", hooks.address(SOURCE[family])),
                         term(f"daddr{family}", hooks.address(TARGET[family])))
                rules[hook] = {match: t.hr.rule(hook, *about, *terms)
                               for match, terms in MATCHES.items()}
            proto = frames.ETH_P_IP if family == 4 else frames.ETH_P_IPV6
            sender.send(t.frame(proto, packet))
            # It is forwarded with its time to live less; that's how it is known.
            arrive(receiver, family, packet)
            for hook in rules:
                tap.equal(matched(t, hook, rules[hook]), wanted, f"IPv{family} {name} at {hook}")


def arrive(receiver, family, packet):
    """Waits for a packet that the router has forwarded."""
    while True:
        got = receiver.recv(2000)[14:]
        if family == 4 and got[:1] == packet[:1] and got[12:len(packet)] == packet[12:]:
            break
        if family == 6 and got[:7] == packet[:7] and got[8:len(packet)] == packet[8:]:
            break
    if family == 4:
        size = (got[0] & 15) * 4
        tap.equal(frames.checksum(got[:size]), 0xFFFF, "sum over the header")


@tap.case("a packet of many fragments: disturbed, it is put together or not, and never wrong")
def many(t):
    t.route(queues=1)
    data = bytes(range(256)) * 100
    for family in (4, 6):
        for hook, dev in POINTS:
            t.hr.chain("x", hook, dev=dev)
            about = (term(f"saddr{family}", hooks.address(SOURCE[family])), term("protocol", UDP))
            with hooks.Datagrams(t, family) as udp:
                udp.send(b"first")
                udp.receive(1)
                for action, more in (("reorder", {"gap": 2, "timeout": 5 * 10**10, "nth": 3}),
                                     ("delay", {"delay": 10**6}), ("duplicate", {"nth": 2}),
                                     ("set-dscp", {"dscp": 12}), ("set-mark", {"mark": 3})):
                    later = t.hr.rule("x", *about, term("fragment", LATER), action=action, **more)
                    whole = t.hr.rule("x", *about, term("dport", 5000))
                    udp.send(data)
                    tap.equal(udp.receive(1)[0] == data, True, f"content, {action} at {hook}")
                    found = t.hr.get("x", later)["packets"], t.hr.get("x", whole)["packets"]
                    tap.equal(found, (len(data) // 1480, 1), f"later and first, {action} at {hook}")
                    t.hr.remove("x")
                # One that is missing or wrong is found.
                for action, more in (("drop", {}), ("corrupt", {"bits": 1, "offset": 100}),
                                     ("truncate", {"length": 200})):
                    t.hr.rule("x", *about, term("fragment", LATER), action=action, nth=2, **more)
                    udp.send(data, b"behind")
                    tap.equal(udp.receive(1), [b"behind"], f"{action} at {hook}")
                    t.hr.remove("x")
            t.hr.clear()


@tap.case("a later fragment never has the ports that its payload looks like")
def lookalike(t):
    t.route()
    t.hr.chain("x", "ingress", dev="re0")
    port = t.hr.rule("x", term("protocol", UDP), term("dport", 5000), action="drop")
    any_port = t.hr.rule("x", term("protocol", UDP), term("dport", 0, 0xFFFF))
    later = t.hr.rule("x", term("fragment", LATER))
    with t.n0.packet("fe0") as sender:
        for packet, proto in ((ipv4(datagram(4), 32), frames.ETH_P_IP),
                              (ipv6([piece(32, False)], datagram(6)), frames.ETH_P_IPV6)):
            sender.send(t.frame(proto, packet))
        net.wait_until(lambda: t.hr.get("x", later)["packets"] == 2, "both")
    tap.equal([t.hr.get("x", rule)["packets"] for rule in (port, any_port)], [0, 0], "ports")


tap.main(router.Router)
