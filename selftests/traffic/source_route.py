#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""TCP that goes by a router of the sender's choice: the address in its headers is the
router's first, and its checksum is over the one where it ends."""

import os
import socket
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import content  # noqa: E402
import net      # noqa: E402
import nic      # noqa: E402
import router   # noqa: E402
import tap      # noqa: E402

IP_OPTIONS, IPV6_RTHDR = 4, 57
LOOSE_SOURCE_ROUTE, SEGMENT_ROUTING = 131, 4
# What each end may leave to the other, or do by itself.
WAYS = (
    ((), ()),
    ((), ("rx-gro-hw", "off")),
    (("tso", "off", "gso", "off"), ()),
    (("tx", "off"), ()),
)


def by_router(t, addresses, option):
    """A stream to the far end, each way of the first wire; no checksum is taken for a bad one."""
    for own, peer in WAYS if net.KIND == "ferronic" else WAYS[:1]:
        t.route()
        for namespace, name, words in ((t.n0, net.NAME0, own), (t.router, router.GATES[0], peer)):
            if words:
                namespace.ethtool("-K", name, *words)
        content.stream(t.n0, t.n1, *addresses, 200000, options=[option])
        if net.KIND == "ferronic":
            for namespace, name in ((t.router, router.GATES[0]), (t.n1, net.NAME1)):
                port = nic.Nic(namespace, name)
                tap.equal(port.qstats()["rx_csum_bad"], 0, f"{name}: bad checksums with {own}, {peer}")
                port.close()
        t.tidy()


@tap.case("an IPv4 source route")
def source_route(t):
    for namespace in t.n:
        for name in ("all", "default"):
            namespace.sysctl(f"net/ipv4/conf/{name}/accept_source_route", 1)
    hops = struct.pack("!BBBB", 1, LOOSE_SOURCE_ROUTE, 7, 4) + socket.inet_aton(router.GATE4[0])
    by_router(t, router.V4, (socket.IPPROTO_IP, IP_OPTIONS, hops))


@tap.case("an IPv6 segment routing header")
def segment_routing(t):
    for namespace in t.n:
        for name in ("all", "default"):
            namespace.sysctl(f"net/ipv6/conf/{name}/seg6_enabled", 1)
    # Of 40 bytes, one segment left; the kernel puts where it ends into the first of two.
    header = struct.pack("!BBBBBBH", 0, 4, SEGMENT_ROUTING, 1, 1, 0, 0) + bytes(16) + \
        socket.inet_pton(socket.AF_INET6, router.GATE6[0])
    by_router(t, router.V6, (socket.IPPROTO_IPV6, IPV6_RTHDR, header))


tap.main(router.Router)
