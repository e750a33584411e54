#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The MTU, from the smallest to the largest advertised: what fits passes whole,
what does not is refused at the sender."""

import errno
import os
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import conservation  # noqa: E402
import content  # noqa: E402
import frames   # noqa: E402
import net      # noqa: E402
import tap      # noqa: E402

IP_MTU_DISCOVER, IPV6_MTU_DISCOVER, PMTUDISC_DO = 10, 23, 2
MTUS = (68, 576, 1280, 1500, 2048, 4096, 9000, 16384, 32768, 65534, 65535)


def set_mtu(t, mtu):
    for end in (0, 1):
        t.n[end].rtnl.change(f"fe{end}", mtu=mtu)


@tap.case("the largest frame of each MTU passes whole, one byte more is refused")
def largest_frame(t):
    t.pair(quiet=True)
    with t.n0.packet("fe0", frames.ETH_P_TEST) as one, \
            t.n1.packet("fe1", frames.ETH_P_TEST) as other:
        for mtu in MTUS:
            set_mtu(t, mtu)
            for sender, receiver, (src, dst) in ((one, other, net.MAC),
                                                 (other, one, net.MAC[::-1])):
                frame = frames.ether(dst, src, frames.ETH_P_TEST, content.randbytes(mtu, mtu))
                sender.send(frame)
                content.same(receiver.recv(70000), frame, f"MTU {mtu}")
                try:
                    sender.send(frame + b"x")
                except OSError as error:
                    tap.equal(error.errno, errno.EMSGSIZE, f"error for MTU {mtu} plus one")
                else:
                    raise AssertionError(f"MTU {mtu}: a frame one byte longer was taken")


@tap.case("UDP that must not be fragmented, as large as the MTU allows")
def unfragmented(t):
    t.pair()
    for mtu in MTUS[1:]:
        set_mtu(t, mtu)
        # 65535 is also the largest IPv4 packet; UDP over IPv6 may be 65527 long.
        content.datagrams(t.n0, t.n1, *net.V4, sizes=(mtu - 28,), options=[
            (socket.IPPROTO_IP, IP_MTU_DISCOVER, PMTUDISC_DO)])


@tap.case("the same over IPv6")
def unfragmented_v6(t):
    t.pair()
    for mtu in (1280, 1500, 9000, 65535):
        set_mtu(t, mtu)
        content.datagrams(t.n0, t.n1, *net.V6, sizes=(mtu - 48,), options=[
            (socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER, PMTUDISC_DO)])


@tap.case("TCP at every MTU that it can work with")
def tcp(t):
    t.pair()
    for mtu in (256,) + MTUS[1:]:
        set_mtu(t, mtu)
        content.stream(t.n0, t.n1, *net.V4, 20000 if mtu < 500 else 200000)


@tap.case("fragments of 65000 bytes at small MTUs")
def fragments(t):
    t.pair()
    for mtu, addresses, size in ((1280, net.V6, 65000), (576, net.V4, 65000), (68, net.V4, 2000)):
        set_mtu(t, mtu)
        content.datagrams(t.n0, t.n1, *addresses, sizes=(size,))


@tap.case("each end's MTU is its own: a larger one at the other end changes nothing here")
def own(t):
    t.pair()
    t.n1.rtnl.change("fe1", mtu=9000)
    tap.equal(t.n0.rtnl.get("fe0")["mtu"], 1500, "MTU of fe0")
    content.stream(t.n0, t.n1, *net.V4, 200000)
    # What fe1 sends unfragmented beyond 1500 bytes fe0 need not take.
    content.datagrams(t.n0, t.n1, *net.V4, sizes=(1, 1000, 1472))
    with t.n0.socket(2, 2) as sender, t.n1.socket(2, 2) as receiver:
        receiver.bind((net.V4[1], 5000))
        for size in (1473, 5000, 30000):
            data = content.randbytes(size, size)
            sender.sendto(data, (net.V4[1], 5000))
            content.same(receiver.recv(70000), data, f"{size} bytes in fragments")


tap.main(conservation.Topology)
