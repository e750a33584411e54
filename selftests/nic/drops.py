#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Reasons of drops (`ethtool -S`): each frame that is lost is told of by the right one,
and by no other."""

import os
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import content  # noqa: E402
import ethnl    # noqa: E402
import frames   # noqa: E402
import net      # noqa: E402
import nic      # noqa: E402
import tap      # noqa: E402

RING = 64
UDP_SEGMENT = 103
FRAME = frames.ether(net.MAC[1], net.MAC[0], frames.ETH_P_TEST, bytes(86))


def reasons(*ports):
    """Drops by reason, of those that there are."""
    return {name: value for port in ports for name, value in port.private().items()
            if "_drop_" in name and value}


def small(t, limit):
    """A quiet pair with one channel and the smallest rings; a receiver without buffers holds fe0 up for
    `limit` milliseconds."""
    nics = t.nics(quiet=True)
    for port in nics:
        port.one_channel()
        port.ethtool.set(ethnl.RINGS, rx=RING, tx=RING)
    nics[0].unlimited()
    nics[0].pause_limit(limit)
    return nics


@tap.case("too short: a frame without an Ethernet header")
def too_short(t):
    """No socket sends one, but a filter can take the header away."""
    one, other = t.nics(quiet=True)
    t.n0.tc("qdisc", "add", "dev", "fe0", "clsact")
    t.n0.tc("filter", "add", "dev", "fe0", "egress", "matchall", "action", "vlan", "pop_eth")
    with t.n0.packet("fe0") as sender:
        for size in (1, 13):
            sender.send(FRAME[:14] + bytes(size))
    t.balanced()
    tap.equal(reasons(one, other), {"tx_drop_too_short": 2}, "drops")


@tap.case("segmentation: what is to be cut is no packet of its kind")
def segmentation(t):
    """No socket sends one, but a filter can make another protocol of it."""
    one, other = t.nics(only4=True)
    t.ping()
    t.n0.tc("qdisc", "add", "dev", "fe0", "clsact")
    t.n0.tc("filter", "add", "dev", "fe0", "egress", "protocol", "ip", "flower", "ip_proto", "udp",
            "action", "pedit", "munge", "ip", "protocol", "set", "253")
    aborted = one.link["stats"]["tx_aborted_errors"]
    with t.n0.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, 1000)
        for _ in range(2):
            sender.sendto(bytes(5000), (net.V4[1], 9))
    t.balanced()
    tap.equal(reasons(one, other), {"tx_drop_segmentation": 2}, "drops")
    tap.equal(one.link["stats"]["tx_aborted_errors"] - aborted, 2, "frames that could not be sent")
    t.n0.tc("filter", "del", "dev", "fe0", "egress")
    content.datagrams(t.n0, t.n1, *net.V4, sizes=(1, 20000))


@tap.case("no buffer: pause is off, and the receiver stands still")
def no_buffer(t):
    one, other = small(t, 100)
    one.set("-A", "rx", "off")
    with t.n0.packet("fe0") as sender, nic.stalled(other, sender, FRAME):
        for _ in range(4 * RING):
            sender.send(FRAME)
        found = reasons(one, other)
        tap.equal((list(found), found.get("rx_drop_no_buffer", 0) >= 3 * RING),
                  (["rx_drop_no_buffer"], True), f"drops: {found}")
    t.balanced()


@tap.case("pause expired: the receiver stood still for too long")
def pause_expired(t):
    one, other = small(t, 1)
    with t.n0.packet("fe0") as sender, nic.stalled(other, sender, FRAME):
        def expired():
            nic.fill(sender, FRAME, RING)
            return reasons(one, other)

        net.wait_until(expired, "an expired pause")
        tap.equal(list(reasons(one, other)), ["rx_drop_pause_expired"], "reasons")
    t.balanced()


def goes_down(t, which):
    """The receiver stands still, the rings are full, and one end goes down: the drops."""
    for _ in range(10):
        nics = small(t, 4000)
        with t.n0.packet("fe0") as sender, nic.stalled(nics[1], sender, FRAME):
            nic.fill(sender, FRAME, 2 * RING)
            t.n[which].rtnl.change(nics[which].name, up=False)
            found = reasons(*nics)
            t.n[which].rtnl.change(nics[which].name, up=True)
        t.balanced()
        # Where filling the rings takes longer than a pause can last, nothing waits at the end.
        if "rx_drop_pause_expired" not in found:
            return sorted(found)
        t.tidy()
    raise AssertionError(f"too slow: {found}")


@tap.case("no carrier, unread: the receiver goes down, with frames in its ring and on their way")
def receiver_down(t):
    tap.equal(goes_down(t, 1), ["rx_drop_unread", "tx_drop_no_carrier"], "reasons")


@tap.case("closed: the sender goes down, with frames on their way")
def sender_down(t):
    tap.equal(goes_down(t, 0), ["tx_drop_closed"], "reasons")


@tap.case("what finds no room in a smaller ring was never sent, and is told by the link and the queues alike")
def no_room(t):
    for _ in range(10):
        one, other = small(t, 4000)
        one.ethtool.set(ethnl.RINGS, tx=8 * RING)
        with t.n0.packet("fe0") as sender, nic.stalled(other, sender, FRAME):
            nic.fill(sender, FRAME, 6 * RING)
            one.ethtool.set(ethnl.RINGS, tx=RING)
            expired = "rx_drop_pause_expired" in reasons(other)
        t.balanced()
        lost = one.link["stats"]["tx_dropped"]
        tap.equal(one.qstats()["tx_hw_drops"], lost, "of the queues")
        # Where filling the ring takes longer than a pause can last, there is room.
        if not expired:
            tap.equal(lost > 0, True, "frames that found no room")
            return
        t.tidy()
    raise AssertionError("too slow")


tap.main(nic.Pair)
