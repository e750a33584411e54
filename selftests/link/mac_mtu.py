#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Address and MTU: what can be set, when, and that it is true."""

import errno
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import frames   # noqa: E402
import net      # noqa: E402
import rtnl     # noqa: E402
import tap      # noqa: E402


def refused(number, function, what):
    """The call must fail with that error; returns the kernel's explanation."""
    try:
        function()
    except rtnl.NetlinkError as error:
        tap.equal(error.errno, number, f"{what}: error ({error})")
        return error.text
    raise AssertionError(f"{what}: was taken")


@tap.case("the address can be set while down and while up, and is the one answered for")
def set_address(t):
    t.pair(up=False)
    t.n1.rtnl.change("fe1", address="02:fe:00:00:11:11")
    for end in (0, 1):
        t.n[end].rtnl.change(f"fe{end}", up=True)
    t.ready()
    t.ping()
    t.n1.rtnl.change("fe1", address="02:fe:00:00:22:22")
    t.n0.ip("neigh", "flush", "dev", "fe0")
    t.ping()
    neighbour = t.n0.ip("neigh", "show", net.V4[1])
    if "02:fe:00:00:22:22" not in neighbour:
        raise AssertionError(neighbour)


@tap.case("frames to the new address arrive")
def new_address(t):
    t.pair(addresses=False)
    t.n1.rtnl.change("fe1", address="02:fe:00:00:22:22")
    with t.n0.packet("fe0") as sender, t.n1.packet("fe1", frames.ETH_P_TEST) as receiver:
        sender.send(frames.ether("02:fe:00:00:22:22", net.MAC[0], frames.ETH_P_TEST, b"new" * 30))
        data, (_, _, kind, _, _) = receiver.recvfrom(2000)
        tap.equal(data[14:], b"new" * 30, "content")
        tap.equal(kind, 0, "packet type (host)")


@tap.case("a multicast or zero address is refused, and the old one stays")
def bad_address(t):
    t.pair(up=False)
    for address in ("01:00:5e:00:00:01", "00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff"):
        refused(errno.EADDRNOTAVAIL, lambda: t.n0.rtnl.change("fe0", address=address), address)
    tap.equal(t.n0.rtnl.get("fe0")["address"], net.MAC[0], "address")


@tap.case("the advertised MTU limits are 68 and 65535 and both can be set")
def limits(t):
    mine, _ = t.pair()
    tap.equal((mine["min_mtu"], mine["max_mtu"]), (68, 65535), "limits")
    for mtu in (68, 65535, 1500):
        t.n0.rtnl.change("fe0", mtu=mtu)
        tap.equal(t.n0.rtnl.get("fe0")["mtu"], mtu, "MTU")
        tap.equal(t.n1.rtnl.get("fe1")["mtu"], 1500, "MTU of the other end")


@tap.case("an MTU outside the limits is refused with a reason")
def out_of_range(t):
    t.pair()
    link = t.n0.rtnl.get("fe0")
    for mtu in (link["min_mtu"] - 1, link["max_mtu"] + 1, 0):
        text = refused(errno.EINVAL, lambda: t.n0.rtnl.change("fe0", mtu=mtu), f"MTU {mtu}")
        if "mtu" not in text.lower():
            raise AssertionError(f"MTU {mtu}: no reason given: {text!r}")
    tap.equal(t.n0.rtnl.get("fe0")["mtu"], 1500, "MTU")
    t.ping()


@tap.case("the MTU changes under traffic without losing the link")
def mtu_under_traffic(t):
    t.pair()
    before = t.n0.rtnl.get("fe0")["carrier_changes"]
    with t.n0.socket(2, 2, 0) as sender, t.n1.socket(2, 2, 0) as receiver:
        receiver.bind((net.V4[1], 5000))
        for turn, mtu in enumerate((1400, 9000, 1280, 65535, 1500)):
            for number in range(20):
                sender.sendto(b"%d.%d" % (turn, number), (net.V4[1], 5000))
            t.n0.rtnl.change("fe0", mtu=mtu)
            t.n1.rtnl.change("fe1", mtu=mtu)
            sender.sendto(b"end", (net.V4[1], 5000))
            while receiver.recv(100) != b"end":
                pass
    tap.equal(t.n0.rtnl.get("fe0")["carrier_changes"], before, "carrier changes")


tap.main(net.Topology)
