#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""VLANs on top: one tag, two tags, tags in the bytes of a frame; full MTU under
the tag."""

import os
import socket
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import conservation  # noqa: E402
import content  # noqa: E402
import frames   # noqa: E402
import net      # noqa: E402
import tap      # noqa: E402

V4 = ("192.168.242.1", "192.168.242.2")
V6 = ("fd00:fe:5::1", "fd00:fe:5::2")
SOL_PACKET, PACKET_AUXDATA, TP_STATUS_VLAN_VALID = 263, 8, 0x10
IP_MTU_DISCOVER, PMTUDISC_DO = 10, 2


def stack(t, *tags, mtu=1500):
    """VLAN devices over both ends, the given tags from the bottom up; gives the
    top ones addresses.  A tag is a protocol and an id."""
    for end in (0, 1):
        below = f"fe{end}"
        for protocol, number in tags:
            name = f"{below}.{number}"
            t.n[end].ip("link", "add", "link", below, "name", name, "type", "vlan",
                        "protocol", protocol, "id", str(number))
            t.n[end].rtnl.change(name, up=True)
            below = name
        t.n[end].rtnl.change(below, mtu=mtu)
        t.n[end].rtnl.add_address(below, V4[end], 24)
        t.n[end].rtnl.add_address(below, V6[end], 64)
    for end in (0, 1):
        t.n[end].wait_local(V6[end])


def traffic(t, mtu):
    content.datagrams(t.n0, t.n1, *V4, sizes=(1, mtu - 28),
                      options=[(socket.IPPROTO_IP, IP_MTU_DISCOVER, PMTUDISC_DO)])
    content.datagrams(t.n0, t.n1, *V6, sizes=(1, mtu - 48, 20000))
    for addresses in (V4, V6):
        content.stream(t.n0, t.n1, *addresses, 500000)


@tap.case("one tag, with the full MTU under it")
def one_tag(t):
    t.pair()
    stack(t, ("802.1Q", 5))
    traffic(t, 1500)


@tap.case("one provider tag")
def provider_tag(t):
    t.pair()
    stack(t, ("802.1ad", 7))
    traffic(t, 1500)


@tap.case("two tags")
def two_tags(t):
    t.pair()
    stack(t, ("802.1ad", 7), ("802.1Q", 5), mtu=1496)
    traffic(t, 1496)


@tap.case("a VLAN over jumbo frames")
def jumbo(t):
    t.pair(own={"mtu": 9000}, peer={"mtu": 9000})
    stack(t, ("802.1Q", 5), mtu=9000)
    traffic(t, 9000)


@tap.case("VLANs are apart from each other and from the port")
def apart(t):
    t.pair()
    stack(t, ("802.1Q", 5))
    t.n1.ip("link", "add", "link", "fe1", "name", "fe1.6", "type", "vlan", "id", "6")
    t.n1.rtnl.change("fe1.6", up=True)
    before = {name: t.n1.rtnl.stats(name)["rx_packets"] for name in ("fe1.5", "fe1.6")}
    content.datagrams(t.n0, t.n1, *V4, sizes=(100,) * 5)
    after = {name: t.n1.rtnl.stats(name)["rx_packets"] for name in ("fe1.5", "fe1.6")}
    if after["fe1.5"] - before["fe1.5"] < 5:
        raise AssertionError(f"fe1.5: {before} {after}")
    tap.equal(after["fe1.6"], before["fe1.6"], "frames on fe1.6")


def tag_of(receiver):
    """The next frame and its tag, which the kernel hands over beside it."""
    data, control, _, _ = receiver.recvmsg(70000, 256)
    for level, kind, value in control:
        if (level, kind) == (SOL_PACKET, PACKET_AUXDATA):
            status, _, _, _, _, tci, tpid = struct.unpack("=IIIHHHH", value[:20])
            if status & TP_STATUS_VLAN_VALID:
                return data, (tpid, tci)
    return data, None


@tap.case("tags written into frames by hand arrive with priority, id and content")
def by_hand(t):
    t.pair(quiet=True)
    with t.n0.packet("fe0") as sender, t.n1.packet("fe1") as receiver:
        receiver.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        for tpid in (frames.ETH_P_8021Q, frames.ETH_P_8021AD):
            for tag in (0x0000, 0x6005, 0x1FFE, 0xF064):
                body = content.randbytes(tag, 200)
                sender.send(frames.ether(net.MAC[1], net.MAC[0], frames.ETH_P_TEST, body,
                                         vlans=[(tpid, tag)]))
                data, got = tag_of(receiver)
                if got is None:
                    got = struct.unpack("!HH", data[12:16])
                    data = data[:12] + data[16:]
                tap.equal(got, (tpid, tag), "tag")
                content.same(data[12:], b"\x88\xb5" + body, "frame")


@tap.case("a tagged frame of 1518 bytes and one with two tags")
def full_size(t):
    t.pair(quiet=True)
    t.n0.ip("link", "add", "link", "fe0", "name", "fe0.5", "type", "vlan", "id", "5")
    t.n1.ip("link", "add", "link", "fe1", "name", "fe1.5", "type", "vlan", "id", "5")
    for namespace, name in ((t.n0, "fe0.5"), (t.n1, "fe1.5")):
        namespace.sysctl("net/ipv6/conf/all/disable_ipv6", 1)
        namespace.rtnl.change(name, up=True)
    with t.n0.packet("fe0") as sender, t.n1.packet("fe1.5") as receiver:
        body = content.randbytes(1, 1500)
        sender.send(frames.ether(net.MAC[1], net.MAC[0], frames.ETH_P_TEST, body,
                                 vlans=[(frames.ETH_P_8021Q, 5)]))
        content.same(receiver.recv(4000)[14:], body, "one tag")
    for namespace in (t.n0, t.n1):
        namespace.sysctl("net/ipv6/conf/all/disable_ipv6", 0)


@tap.case("with tag offload off at either end, both ends, and on")
def offload(t):
    t.pair()
    stack(t, ("802.1Q", 5))
    for first in ("off", "on"):
        for second in ("off", "on"):
            for namespace, name, word in ((t.n0, "fe0", first), (t.n1, "fe1", second)):
                namespace.ethtool("-K", name, "txvlan", word, "rxvlan", word, check=False)
            content.datagrams(t.n0, t.n1, *V4, sizes=(1, 1472, 20000))
            content.stream(t.n0, t.n1, *V6, 200000)


tap.main(conservation.Topology)
