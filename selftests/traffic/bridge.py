#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Ports between other things: members of a bridge, and under a router.

      ns0          ns1                        ns2
     +-----+      +---------------------+    +-----+
     | fe0 +------+ fe1  bridge/router fa1 +-+ fa0 |
     +-----+      +---------------------+    +-----+
"""

import contextlib
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import conservation  # noqa: E402
import content  # noqa: E402
import net      # noqa: E402
import tap      # noqa: E402

FAR4, FAR6 = "192.168.241.3", "fd00:fe::3"
ROUTED = (("192.168.243.1", "192.168.243.2"), ("fd00:fe:6::1", "fd00:fe:6::2"))


def second_pair(t, third):
    net.make_pair(third, {"name": "fa0"}, {"name": "fa1", "ns": t.n1.fd})
    third.rtnl.change("fa0", up=True)
    t.n1.rtnl.change("fa1", up=True)


def bridged(t, third):
    """fe1 and fa1 become members of a bridge in ns1."""
    t.pair(addresses=False)
    second_pair(t, third)
    t.n0.rtnl.add_address("fe0", net.V4[0], 24)
    t.n0.rtnl.add_address("fe0", net.V6[0], 64)
    third.rtnl.add_address("fa0", FAR4, 24)
    third.rtnl.add_address("fa0", FAR6, 64)
    t.n1.ip("link", "add", "br0", "up", "type", "bridge", "forward_delay", "0", "mcast_snooping",
            "0")
    for name in ("fe1", "fa1"):
        t.n1.ip("link", "set", name, "master", "br0")
    net.wait_until(lambda: t.n1.run("bridge", "link").count("state forwarding") == 2,
                   "both members forwarding")
    t.n0.wait_local(net.V6[0])
    third.wait_local(FAR6)


def traffic(t, third, pairs):
    for source, target in pairs:
        content.echo(t.n0, source, target, sizes=(0, 100, 1400, 5000))
        content.datagrams(t.n0, third, source, target, sizes=(1, 1400, 30000))
        content.stream(t.n0, third, source, target, 1000000)


@tap.case("two ports of one bridge carry traffic between their far ends")
def bridge(t):
    with contextlib.closing(net.Namespace("2")) as third:
        bridged(t, third)
        traffic(t, third, ((net.V4[0], FAR4), (net.V6[0], FAR6)))
        tap.equal(t.n1.rtnl.get("fe1")["promiscuity"], 1, "promiscuity of a member")


@tap.case("a member leaves the bridge, comes back, and is deleted under it")
def leave(t):
    with contextlib.closing(net.Namespace("2")) as third:
        bridged(t, third)
        t.n1.ip("link", "set", "fe1", "nomaster")
        tap.equal(t.n1.rtnl.get("fe1")["promiscuity"], 0, "promiscuity outside the bridge")
        t.n1.ip("link", "set", "fe1", "master", "br0")
        content.echo(t.n0, net.V4[0], FAR4, sizes=(100,))
        t.n0.rtnl.delete("fe0")
        if "fe1" in t.n1.run("bridge", "link"):
            raise AssertionError("fe1 is still a member")


@tap.case("routed between two pairs, offloads on: super-frames are cut again")
def routed(t):
    with contextlib.closing(net.Namespace("2")) as third:
        t.pair()
        second_pair(t, third)
        for (near, far), prefix in zip(ROUTED, (24, 64)):
            t.n1.rtnl.add_address("fa1", near, prefix)
            third.rtnl.add_address("fa0", far, prefix)
        t.n1.sysctl("net.ipv4.ip_forward", 1)
        t.n1.sysctl("net.ipv6.conf.all.forwarding", 1)
        for index, family in enumerate(("-4", "-6")):
            t.n0.ip(family, "route", "add", "default", "via", (net.V4, net.V6)[index][1])
            third.ip(family, "route", "add", "default", "via", ROUTED[index][0])
        for namespace, address in ((t.n1, ROUTED[1][0]), (third, ROUTED[1][1])):
            namespace.wait_local(address)
        traffic(t, third, ((net.V4[0], ROUTED[0][1]), (net.V6[0], ROUTED[1][1])))
        # A smaller MTU behind the router: every packet must be cut to fit.
        third.rtnl.change("fa0", mtu=1300)
        t.n1.rtnl.change("fa1", mtu=1300)
        for source, target in ((net.V4[0], ROUTED[0][1]), (net.V6[0], ROUTED[1][1])):
            content.stream(t.n0, third, source, target, 500000)


tap.main(conservation.Topology)
