#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The address filter: what is not for the port never reaches its stack, and is
counted as dropped."""

import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import frames   # noqa: E402
import net      # noqa: E402
import nic      # noqa: E402
import tap      # noqa: E402

FOREIGN, GROUP, OTHER_GROUP = "02:fe:00:00:99:99", "01:00:5e:7f:00:01", "33:33:00:00:12:34"
BROADCAST = "ff:ff:ff:ff:ff:ff"
SOL_PACKET, PACKET_ADD_MEMBERSHIP, PACKET_DROP_MEMBERSHIP = 263, 1, 2
PACKET_MR_MULTICAST, PACKET_MR_PROMISC, PACKET_MR_ALLMULTI, PACKET_MR_UNICAST = 0, 1, 2, 3
IFF_PROMISC, IFF_ALLMULTI = 0x100, 0x200


class Check:
    """Sends frames from fe0, and says which of them fe1's stack sees."""

    def __init__(self, t, other):
        self.other = other
        self.sender = t.n0.packet("fe0")
        self.receiver = t.n1.packet("fe1", frames.ETH_P_TEST)
        self.number = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sender.close()
        self.receiver.close()

    def seen(self, *targets):
        """Those of the targets whose frames arrive.  A broadcast frame behind them
        says when to stop waiting; what is missing must be counted."""
        before = self.other.dropped()
        self.number += 1
        for target in targets:
            self.sender.send(frames.ether(target, net.MAC[0], frames.ETH_P_TEST,
                                          struct.pack("!I", self.number) + bytes(60)))
        self.sender.send(frames.ether(BROADCAST, net.MAC[0], frames.ETH_P_TEST,
                                      b"last" + bytes(60)))
        found = []
        while (frame := self.receiver.recv(4000))[14:18] != b"last":
            if struct.unpack("!I", frame[14:18])[0] == self.number:
                found.append(frame[:6].hex(":"))
        tap.equal(self.other.dropped() - before, len(targets) - len(found), "counted as dropped")
        return found

    def member(self, join, kind, address="00:00:00:00:00:00"):
        self.receiver.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP if join
                                 else PACKET_DROP_MEMBERSHIP,
                                 struct.pack("=iHH8s", self.other.index, kind, 6,
                                             frames.raw(address)))
        self.other.namespace.rtnl.settle("fe1")


@tap.case("own address and broadcast pass; foreign addresses and groups do not")
def basic(t):
    _, other = t.nics(quiet=True)
    with Check(t, other) as check:
        tap.equal(check.seen(net.MAC[1], BROADCAST), [net.MAC[1], BROADCAST], "own, broadcast")
        tap.equal(check.seen(FOREIGN, GROUP, OTHER_GROUP), [], "foreign")


@tap.case("promiscuous: everything, for as long as somebody asks for it")
def promiscuous(t):
    _, other = t.nics(quiet=True)
    everything = [FOREIGN, GROUP, OTHER_GROUP, net.MAC[1]]
    with Check(t, other) as check:
        check.member(True, PACKET_MR_PROMISC)
        tap.equal(check.seen(*everything), everything, "promiscuous by a socket")
        check.member(False, PACKET_MR_PROMISC)
        tap.equal(check.seen(*everything), [net.MAC[1]], "afterwards")
        other.namespace.rtnl.change("fe1", flags=IFF_PROMISC, mask=IFF_PROMISC)
        tap.equal(check.seen(*everything), everything, "promiscuous by flag")
        other.namespace.rtnl.change("fe1", mask=IFF_PROMISC)
        tap.equal(check.seen(*everything), [net.MAC[1]], "afterwards")


@tap.case("all-multicast: all groups, no foreign unicast")
def allmulti(t):
    _, other = t.nics(quiet=True)
    with Check(t, other) as check:
        other.namespace.rtnl.change("fe1", flags=IFF_ALLMULTI, mask=IFF_ALLMULTI)
        tap.equal(check.seen(FOREIGN, GROUP, OTHER_GROUP), [GROUP, OTHER_GROUP], "all-multicast")
        other.namespace.rtnl.change("fe1", mask=IFF_ALLMULTI)
        tap.equal(check.seen(FOREIGN, GROUP, OTHER_GROUP), [], "afterwards")


@tap.case("joined groups pass, one by one")
def groups(t):
    _, other = t.nics(quiet=True)
    with Check(t, other) as check:
        check.member(True, PACKET_MR_MULTICAST, GROUP)
        tap.equal(check.seen(GROUP, OTHER_GROUP), [GROUP], "one group")
        check.member(True, PACKET_MR_MULTICAST, OTHER_GROUP)
        tap.equal(check.seen(GROUP, OTHER_GROUP), [GROUP, OTHER_GROUP], "two groups")
        check.member(False, PACKET_MR_MULTICAST, GROUP)
        tap.equal(check.seen(GROUP, OTHER_GROUP), [OTHER_GROUP], "the second alone")


@tap.case("further unicast addresses, and many groups")
def many(t):
    _, other = t.nics(quiet=True)
    with Check(t, other) as check:
        check.member(True, PACKET_MR_UNICAST, FOREIGN)
        tap.equal(other.link["promiscuity"], 0, "promiscuity with a second address")
        tap.equal(check.seen(FOREIGN, GROUP), [FOREIGN], "a second address")
        wanted = [f"01:00:5e:01:{number // 256:02x}:{number % 256:02x}" for number in range(500)]
        for address in wanted[:20]:
            check.member(True, PACKET_MR_MULTICAST, address)
        tap.equal(check.seen(wanted[0], GROUP, wanted[19]), [wanted[0], wanted[19]], "of 20 groups")
        # A filter has an end; beyond it a NIC takes all groups rather than too few.
        for address in wanted[20:]:
            check.member(True, PACKET_MR_MULTICAST, address)
        tap.equal([target for target in check.seen(wanted[0], FOREIGN, wanted[250], wanted[499])],
                  [wanted[0], FOREIGN, wanted[250], wanted[499]], "of 500 groups")
        tap.equal(check.seen("02:fe:00:00:77:77"), [], "foreign unicast")


@tap.case("the filter holds over down and up, and moves with a new address")
def lasting(t):
    _, other = t.nics(quiet=True)
    with Check(t, other) as check:
        check.member(True, PACKET_MR_MULTICAST, GROUP)
        other.namespace.rtnl.change("fe1", up=False)
        other.namespace.rtnl.change("fe1", up=True)
        t.ready()
    with Check(t, other) as check:
        check.member(True, PACKET_MR_MULTICAST, GROUP)
        tap.equal(check.seen(GROUP, OTHER_GROUP, net.MAC[1]), [GROUP, net.MAC[1]], "after up")
        other.namespace.rtnl.change("fe1", address=FOREIGN)
        tap.equal(check.seen(FOREIGN, net.MAC[1]), [FOREIGN], "with a new address")


@tap.case("a device on top with an address of its own gets its frames")
def macvlan(t):
    _, other = t.nics(quiet=True)
    done = t.n1.ip("link", "add", "link", "fe1", "name", "mv", "address", FOREIGN, "type",
                   "macvlan", "mode", "private", check=False)
    if done.returncode:
        raise tap.Skip(f"no macvlan: {done.stderr}")
    t.n1.sysctl("net/ipv6/conf/mv/disable_ipv6", 1)
    t.n1.rtnl.change("mv", up=True)
    t.n1.rtnl.settle("fe1")
    tap.equal(other.link["promiscuity"], 0, "promiscuity")
    with t.n0.packet("fe0") as sender, t.n1.packet("mv", frames.ETH_P_TEST) as receiver:
        sender.send(frames.ether(FOREIGN, net.MAC[0], frames.ETH_P_TEST, b"up" * 40))
        tap.equal(receiver.recv(4000)[14:16], b"up", "content")


tap.main(nic.Pair)
