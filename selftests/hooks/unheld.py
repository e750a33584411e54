#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Packets that could not be resumed where they are: not held, but counted, and
they go on at once."""

import os
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import hooks    # noqa: E402
import net      # noqa: E402
import tap      # noqa: E402
import xdp      # noqa: E402
from hooks import UDP, term     # noqa: E402

TO_PORT = (term("protocol", UDP), term("dport", 5000))
LONG = 50 * 10**9


def payloads(count):
    return [b"%04d" % number for number in range(count)]


def passes(t, hooks_, hook, dev, where, family=4, unheld=True):
    """Packets that are to be held there: they go on at once, and are counted."""
    for action, more in (("delay", {"delay": LONG}), ("reorder", {"gap": 9, "timeout": LONG})):
        hooks_.chain("x", hook, dev=dev)
        rule = hooks_.rule("x", *TO_PORT, action=action, **more)
        with hooks.Datagrams(t, family) as udp:
            udp.send(*payloads(5))
            if unheld:
                tap.equal(udp.receive(5), payloads(5), where)
            else:
                net.wait_until(lambda: hooks_.chains()["x"]["held"] == 5, f"held, {where}")
                hooks_.remove("x", rule)
                tap.equal(udp.receive(5), payloads(5), where)
        chain = hooks_.chains()["x"]
        tap.equal((chain["held"], chain["unheld"]), (0, 5 if unheld else 0), where)
        hooks_.clear()


@tap.case("at ingress with generic XDP, which would see the packet again")
def generic_xdp(t):
    t.pair()
    with xdp.generic(t.n1, "fe1"):
        for family in (4, 6):
            passes(t, t.h1, "ingress", "fe1", "ingress", family)
            # Behind XDP nothing would meet it again.
            passes(t, t.h1, "input", None, "input", family, unheld=False)
    passes(t, t.h1, "ingress", "fe1", "ingress without XDP", unheld=False)


def is_module(name):
    with open("/proc/modules", encoding="ascii") as file:
        return any(line.split()[0] == name for line in file)


@tap.case("in a VRF where only it could go on with the packet; elsewhere it is held")
def vrf(t):
    t.pair()
    for namespace, dev, address in ((t.n0, "fe0", net.V6[0]),
                                      (t.n1, "fe1", net.V6[1])):
        if namespace.ip("link", "add", "vrf0", "type", "vrf", "table", "10",
                        check=False).returncode:
            raise tap.Skip("no VRF in this kernel")
        namespace.rtnl.change("vrf0", up=True)
        namespace.ip("link", "set", dev, "master", "vrf0")
        # Enslaving takes IPv6 addresses away.
        namespace.ip("-6", "address", "replace", f"{address}/64", "dev", dev, "nodad")
        namespace.wait_local(address)
    for family in (4, 6):
        # What is resumed by the VRF's own functions: by none of what comes to it, by those of a module of what leaves.
        module = is_module("vrf")
        for hooks_, hook, dev, unheld in (
                (t.h0, "output", None, module), (t.h0, "postrouting", None, module),
                (t.h0, "egress", "fe0", False), (t.h1, "ingress", "fe1", False),
                (t.h1, "prerouting", None, True), (t.h1, "input", None, False)):
            hooks_.chain("x", hook, dev=dev)
            rule = hooks_.rule("x", *TO_PORT, action="delay", delay=10**6)
            with InVrf(t, family) as udp:
                udp.send(*payloads(5))
                tap.equal(udp.receive(5), payloads(5), f"IPv{family} {hook}")
            seen, chain = hooks_.get("x", rule)["packets"], hooks_.chains()["x"]
            if seen < 5 or chain["held"] or unheld != bool(chain["unheld"]):
                raise AssertionError(f"IPv{family} {hook}: {seen} seen, {chain}")
            hooks_.clear()


class InVrf(hooks.Datagrams):
    """Datagrams whose two ends are in VRFs."""

    def __init__(self, t, family):
        kind = socket.AF_INET if family == 4 else socket.AF_INET6
        self.receiver, self.sender = (namespace.socket(kind, socket.SOCK_DGRAM)
                                      for namespace in (t.n1, t.n0))
        for made in (self.receiver, self.sender):
            made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"vrf0\0")
        self.receiver.bind((t.target[family], 5000))
        self.sender.connect((t.target[family], 5000))


tap.main(hooks.Topology)
