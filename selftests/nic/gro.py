#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Merging on reception: less packets for the stack, the same data, exact counts."""

import os
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import content  # noqa: E402
import frames   # noqa: E402
import net      # noqa: E402
import nic      # noqa: E402
import tap      # noqa: E402

PSH, ACK = 0x08, 0x10
SEGMENT = 1000


def segments(count, seq=1000, sport=4000, size=SEGMENT, v6=False, gap=None):
    """Frames of one TCP stream, one behind the other; `gap` leaves one out."""
    src, dst = net.V6 if v6 else net.V4
    made = []
    for number in range(count):
        if number == gap:
            continue
        body = frames.tcp(src, dst, sport, 5000, seq + number * size, 1, ACK,
                          content.randbytes(number, size))
        packet = frames.ipv6(src, dst, 6, body) if v6 else \
            frames.ipv4(src, dst, 6, body, ident=1 + number, flags=0x4000)
        made.append(frames.ether(net.MAC[1], net.MAC[0],
                                 frames.ETH_P_IPV6 if v6 else frames.ETH_P_IP, packet))
    return made


def received(t, other, sent, sender):
    """Sends frames together; the sizes of the packets that fe1's stack gets.  The
    receiver is deferred meanwhile, so that they are there together."""
    with t.n1.packet("fe1") as receiver:
        with nic.stalled(other, sender, nic.udp_frame(), seconds=0.2):
            nic.drain(receiver)
            for frame in sent:
                sender.send(frame)
        # All of one flow: what comes behind it in the same ring comes after it.
        got = []
        header = 74 if sent[0][12:14] == b"\x86\xdd" else 54
        while sum(size - header for size in got) < sum(len(frame) - header for frame in sent):
            got.append(len(receiver.recv(70000)))
    return got


@tap.case("frames of one stream merge; with gro off they come one by one")
def merge(t):
    one, other = t.nics(quiet=True)
    with t.n0.packet("fe0") as sender:
        got = received(t, other, segments(16), sender)
        # An idle vector is raised at once: what came by then is a packet of its own.
        tap.equal(sum(length - 54 for length in got), 16 * SEGMENT, "payload with gro on")
        tap.equal(len(got) < 16, True, f"merged with gro on: {got}")
        other.set("-K", "gro", "off", "rx-gro-hw", "off")
        got = received(t, other, segments(16), sender)
        tap.equal(got, [54 + SEGMENT] * 16, "with gro off")


@tap.case("counters count frames, not merged packets")
def counted(t):
    one, other = t.nics(quiet=True)
    before = other.link["stats"]
    with t.n0.packet("fe0") as sender:
        received(t, other, segments(16), sender)
    t.balanced()
    after = other.link["stats"]
    tap.equal(after["rx_packets"] - before["rx_packets"], 17, "frames")
    tap.equal(after["rx_bytes"] - before["rx_bytes"], 60 + 16 * (54 + SEGMENT), "bytes")


@tap.case("TCP streams arrive in fewer packets than frames, whole")
def stream(t):
    one, other = t.nics()
    one.set("-K", "tso", "off", "gso", "off")
    content.stream(t.n0, t.n1, *net.V4, 2000000)
    content.stream(t.n0, t.n1, *net.V6, 2000000)


def supported(port):
    """Skips where the NIC does not merge by itself."""
    if port.features()["rx-gro-hw"] == (False, True):
        raise tap.Skip("rx-gro-hw is not offered")


def wire_counts(port):
    stats = port.qstats()
    return [stats[f"rx_hw_gro_{key}"] for key in
            ("packets", "bytes", "wire_packets", "wire_bytes")]


@tap.case("rx-gro-hw: bare frames merge in the NIC, counted exactly")
def hardware(t):
    one, other = t.nics(quiet=True)
    supported(other)
    other.set("-K", "gro", "off", "rx-gro-hw", "on")
    before, want = wire_counts(other), [0] * 4
    with t.n0.packet("fe0") as sender:
        for v6, header in ((False, 54), (True, 74)):
            got = received(t, other, segments(16, v6=v6), sender)
            tap.equal(sum(size - header for size in got), 16 * SEGMENT, "payload")
            # What comes while the first poll ends is a packet of its own.
            merged = [size for size in got if size > header + SEGMENT]
            tap.equal(len(merged) > 0, True, f"merged: {got}")
            count = sum(size - header for size in merged) // SEGMENT
            for at, more in enumerate((len(merged), sum(merged), count,
                                       count * (header + SEGMENT))):
                want[at] += more
    tap.equal([b - a for a, b in zip(before, wire_counts(other))], want,
              "packets merged, their bytes, frames merged, their bytes")


@tap.case("rx-gro-hw against TSO: one large packet, counted as the frames it stands for")
def against_tso(t):
    one, other = t.nics(only4=True)
    supported(other)
    other.set("-K", "gro", "on", "rx-gro-hw", "on")
    before = one.link["stats"], other.link["stats"], wire_counts(other), one.qstats()
    content.stream(t.n0, t.n1, *net.V4, 2000000)
    t.balanced()
    after = one.link["stats"], other.link["stats"], wire_counts(other), one.qstats()
    merged = after[2][2] - before[2][2]
    if merged < 500:
        raise AssertionError(f"{merged} frames merged of 2 MB")
    cut = after[3]["tx_hw_gso_wire_packets"] - before[3]["tx_hw_gso_wire_packets"]
    if cut < merged // 2:
        raise AssertionError(f"{cut} frames sent of super-frames, {merged} merged")
    for key in ("packets", "bytes"):
        tap.equal(after[0][f"tx_{key}"] - before[0][f"tx_{key}"],
                  after[1][f"rx_{key}"] - before[1][f"rx_{key}"], key)


@tap.case("rx-gro-hw off: nothing is counted as merged")
def hardware_off(t):
    one, other = t.nics()
    supported(other)
    other.set("-K", "rx-gro-hw", "off")
    before = wire_counts(other)
    content.stream(t.n0, t.n1, *net.V4, 500000)
    tap.equal(wire_counts(other), before, "counts")


@tap.case("a gap, a push and another flow end a packet; no byte is lost or doubled")
def boundaries(t):
    one, other = t.nics(quiet=True)
    with t.n0.packet("fe0") as sender:
        got = received(t, other, segments(10, gap=5), sender)
        tap.equal(sum(size - 54 for size in got), 9 * SEGMENT, "bytes around a gap")
        if len(got) < 2:
            raise AssertionError(f"merged over a gap: {got}")


@tap.case("UDP merges only for who asks for it")
def udp(t):
    t.nics()
    with t.n0.socket(socket.AF_INET, socket.SOCK_DGRAM) as one, \
            t.n1.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind((net.V4[1], 5004))
        for number in range(50):
            one.sendto(content.randbytes(number, 1000), (net.V4[1], 5004))
        for number in range(50):
            content.same(other.recv(4000), content.randbytes(number, 1000), f"datagram {number}")


tap.main(nic.Pair)
