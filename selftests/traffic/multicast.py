#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Multicast and broadcast: joined groups arrive, others do not."""

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

GROUP4, GROUP6 = ("239.255.41.1", "239.255.41.2"), ("ff15::fe:1", "ff15::fe:2")
PORT = 5300
SOL_PACKET, PACKET_ADD_MEMBERSHIP, PACKET_DROP_MEMBERSHIP = 263, 1, 2
PACKET_MR_MULTICAST, PACKET_MR_PROMISC = 0, 1


def index(namespace, name):
    return namespace.rtnl.get(name)["index"]


def member(t, receiver, group, join):
    """Joins or leaves a group at fe1."""
    number = index(t.n1, "fe1")
    if ":" in group:
        option = socket.IPV6_JOIN_GROUP if join else socket.IPV6_LEAVE_GROUP
        receiver.setsockopt(socket.IPPROTO_IPV6, option,
                            socket.inet_pton(socket.AF_INET6, group) + struct.pack("=I", number))
    else:
        option = socket.IP_ADD_MEMBERSHIP if join else socket.IP_DROP_MEMBERSHIP
        receiver.setsockopt(socket.IPPROTO_IP, option, socket.inet_aton(group) +
                            socket.inet_aton("0.0.0.0") + struct.pack("=i", number))
    t.n1.rtnl.settle("fe1")


def group_sender(t, group):
    sender = t.n0.socket(content.family(group), socket.SOCK_DGRAM)
    number = index(t.n0, "fe0")
    if ":" in group:
        sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, number)
    else:
        sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(net.V4[0]))
    return sender


@tap.case("groups joined and left, IPv4 and IPv6, small and fragmented")
def groups(t):
    t.pair()
    for wanted, marker in (GROUP4, GROUP6):
        with group_sender(t, wanted) as sender, \
                t.n1.socket(content.family(wanted), socket.SOCK_DGRAM) as receiver:
            receiver.bind(("", PORT))
            member(t, receiver, marker, True)
            for _ in range(3):
                member(t, receiver, wanted, True)
                for size in (1, 1000, 20000):
                    data = content.randbytes(size, size)
                    sender.sendto(data, (wanted, PORT))
                    content.same(receiver.recv(70000), data, f"{size} bytes to {wanted}")
                member(t, receiver, wanted, False)
                # Nothing of this may come.  It is on the wire before the marker
                # behind it is sent, so the marker says when to stop waiting.
                sender.sendto(b"unwanted", (wanted, PORT))
                sender.sendto(b"marker", (marker, PORT))
                tap.equal(receiver.recv(70000), b"marker", "after leaving")


@tap.case("broadcast, limited and directed")
def broadcast(t):
    t.pair()
    t.n0.ip("route", "add", "255.255.255.255", "dev", "fe0")
    for target in ("192.168.241.255", "255.255.255.255"):
        with t.n0.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender, \
                t.n1.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
            sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            receiver.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            receiver.bind(("", PORT))
            for size in (1, 1000, 20000):
                data = content.randbytes(size, size)
                sender.sendto(data, (target, PORT))
                content.same(receiver.recv(70000), data, f"{size} bytes to {target}")


@tap.case("broadcast and multicast frames are counted and marked as such")
def marked(t):
    t.pair(quiet=True)
    with t.n0.packet("fe0") as sender, t.n1.packet("fe1", frames.ETH_P_TEST) as receiver:
        number = index(t.n1, "fe1")
        group = "01:00:5e:01:02:03"
        receiver.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP, struct.pack(
            "=iHH8s", number, PACKET_MR_MULTICAST, 6, frames.raw(group)))
        t.n1.rtnl.settle("fe1")
        before = t.n1.rtnl.stats("fe1")["multicast"]
        for target, kind in (("ff:ff:ff:ff:ff:ff", 1), (group, 2), (net.MAC[1], 0)):
            sender.send(frames.ether(target, net.MAC[0], frames.ETH_P_TEST, b"x" * 60))
            tap.equal(receiver.recvfrom(2000)[1][2], kind, f"packet type of {target}")
        tap.equal(t.n1.rtnl.stats("fe1")["multicast"] - before, 1, "multicast counter")


@tap.case("neighbour discovery and ARP find the other end, again and again")
def neighbours(t):
    t.pair()
    for _ in range(5):
        for end in (0, 1):
            t.n[end].ip("neigh", "flush", "dev", f"fe{end}")
        for addresses in (net.V4, net.V6):
            content.echo(t.n0, *addresses, sizes=(10,))


tap.main(conservation.Topology)
