#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Packets that a bridge forwards, where br_netfilter has IP's hooks see them: chains
count, drop, change and copy them. What could not be resumed behind the bridge's own
code is not held.

    ns0: fe0 === re0 [ br0 in the router's namespace ] re1 === fe1 :ns1
"""

import contextlib
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import hooks    # noqa: E402
import net      # noqa: E402
import router   # noqa: E402
import tap      # noqa: E402
from counters import checksum_errors  # noqa: E402
from hooks import UDP, term     # noqa: E402

TO_PORT = (term("protocol", UDP), term("dport", 5000))
LONG = 50 * 10**9
# The points of IP that a bridged packet passes.
POINTS = ("prerouting", "forward", "postrouting")
MODULE = "br_netfilter"


def payloads(count):
    return [b"%04d" % number + bytes(96) for number in range(count)]


class Bridge(router.Router):
    """The router's namespace is a bridge instead: all addresses are of one net."""

    target = {4: net.V4[1], 6: net.V6[1]}

    def bridge(self, info=()):
        self.router.ip("link", "add", "br0", "type", "bridge", "mcast_snooping", "0")
        self.router.rtnl.change("br0", up=True)
        for end in (0, 1):
            own, port = (net.NAME0, net.NAME1)[end], router.GATES[end]
            net.make_pair(self.n[end], {"name": own, "address": net.MAC[end], "txq": 1, "rxq": 1},
                          {"name": port, "address": router.MAC[end], "ns": self.router.fd,
                           "txq": 1, "rxq": 1}, info=info)
            self.router.ip("link", "set", port, "master", "br0")
            self.router.rtnl.change(port, up=True)
            self.n[end].rtnl.change(own, up=True)
            self.n[end].rtnl.add_address(own, net.V4[end], 24)
            self.n[end].rtnl.add_address(own, net.V6[end], 64)
        for end in (0, 1):
            net.running(self.n[end], (net.NAME0, net.NAME1)[end])
            self.n[end].wait_local(net.V6[end])
        net.wait_until(lambda: self.router.run("bridge", "link").count("state forwarding") == 2,
                       "the bridge's ports forward")
        hooks.patient(self.h0, self.hr, self.h1)
        for kind in ("iptables", "ip6tables"):
            self.router.sysctl(f"net/bridge/bridge-nf-call-{kind}", 1)


@contextlib.contextmanager
def filtered():
    """With the module that calls IP's hooks for bridges; without it again afterwards."""
    there = os.path.exists("/proc/sys/net/bridge")
    if net.run("modprobe", MODULE, check=False).returncode and not there:
        raise tap.Skip(f"no {MODULE} in this kernel")
    try:
        yield
    finally:
        if not there:
            net.run("modprobe", "-r", MODULE)


def each(t, infos=((), router.HANDOFF)):
    """Each point, with both families, on both datapaths."""
    with filtered():
        for info in infos:
            t.bridge(info)
            for family in (4, 6):
                for hook in POINTS:
                    t.hr.chain("x", hook)
                    with hooks.Datagrams(t, family) as udp:
                        before = checksum_errors(t.n1)
                        yield f"IPv{family} at {hook}", hook, udp
                        tap.equal(checksum_errors(t.n1) - before, 0, f"wrong checksums, {hook}")
                    t.hr.clear()
            t.tidy()


@tap.case("IP's hooks see what is bridged: counted, dropped, changed, copied")
def seen(t):
    for where, _, udp in each(t):
        rules = [t.hr.rule("x", *TO_PORT),
                 t.hr.rule("x", *TO_PORT, action="set-dscp", dscp=46),
                 t.hr.rule("x", *TO_PORT, action="duplicate", nth=2, copies=2),
                 t.hr.rule("x", *TO_PORT, action="drop", nth=4)]
        t.h1.chain("there", "ingress", dev="fe1")
        marked = t.h1.rule("there", *TO_PORT, term("dscp", 46))
        udp.send(*payloads(6))
        want = [payloads(6)[number] for number in (0, 1, 1, 1, 2, 4, 5)]
        tap.equal(udp.receive(7), want, where)
        tap.equal([t.hr.acted("x", rule) for rule in rules], [(6, 6), (6, 6), (6, 1), (6, 1)],
                  f"matched, acted: {where}")
        tap.equal(t.h1.get("there", marked)["packets"], 7, f"in ns1: {where}")
        t.h1.clear()


@tap.case("what is to be held goes on at once, and is counted")
def unheld(t):
    for where, hook, udp in each(t, infos=((),)):
        for action, more in (("delay", {"delay": LONG}), ("reorder", {"gap": 9, "timeout": LONG})):
            t.hr.rule("x", *TO_PORT, action=action, **more)
            udp.send(*payloads(5))
            tap.equal(udp.receive(5), payloads(5), f"{action}, {where}")
            chain = t.hr.chains()["x"]
            tap.equal((chain["held"], chain["unheld"]), (0, 5), f"{action}, {where}")
            t.hr.delete("x")
            t.hr.chain("x", hook)


@tap.case("at the bridge's ports packets are held, and go on to where the bridge sends them")
def ports(t):
    with filtered():
        t.bridge()
        for hook, dev in (("ingress", "re0"), ("egress", "re1")):
            t.hr.chain("x", hook, dev=dev)
            rule = t.hr.rule("x", *TO_PORT, action="delay", delay=LONG)
            with hooks.Datagrams(t) as udp:
                udp.send(*payloads(3))
                net.wait_until(lambda: t.hr.get("x", rule)["packets"] == 3, "matched")
                chain = t.hr.chains()["x"]
                tap.note(f"{hook}: {chain['held']} held, {chain['unheld']} not")
                tap.equal(chain["held"] + chain["unheld"], 3, hook)
                if hook == "ingress":
                    tap.equal(chain["held"], 3, hook)
                t.hr.remove("x", rule)
                tap.equal(udp.receive(3), payloads(3), hook)
            t.hr.clear()
        t.tidy()


tap.main(Bridge)
