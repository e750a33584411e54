#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Checksums: filled on the wire, verified on arrival; a wrong one is delivered,
unverified, and counted."""

import contextlib
import os
import socket
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import content  # noqa: E402
import frames   # noqa: E402
import net      # noqa: E402
import nic      # noqa: E402
import tap      # noqa: E402

SOL_PACKET, PACKET_AUXDATA, PACKET_VNET_HDR = 263, 8, 15
NEEDS_CSUM = 1
TP_STATUS_CSUMNOTREADY, TP_STATUS_CSUM_VALID = 1 << 3, 1 << 7


def right(frame):
    """Whether the TCP or UDP checksum in the bytes of a frame is right."""
    if frame[12:14] == b"\x86\xdd":
        proto, packet = frame[20], frame[14:]
        size = struct.unpack("!H", packet[4:6])[0]
        pseudo, body = packet[8:40] + struct.pack("!II", size, proto), packet[40:40 + size]
    else:
        packet = frame[14:]
        size = struct.unpack("!H", packet[2:4])[0] - 20
        proto = packet[9]
        pseudo, body = packet[12:20] + struct.pack("!HH", proto, size), packet[20:20 + size]
        if frames.checksum(packet[:20]) != 0xFFFF:
            return False
    return frames.checksum(pseudo + body) == 0xFFFF


def captured(receiver, wanted, count):
    """The next frames of that IP protocol, each with the kernel's status word."""
    found = []
    while len(found) < count:
        data, control, _, _ = receiver.recvmsg(70000, 256)
        proto = data[20] if data[12:14] == b"\x86\xdd" else data[23]
        if data[12:14] in (b"\x08\x00", b"\x86\xdd") and proto == wanted:
            status = [struct.unpack("=I", value[:4])[0] for level, kind, value in control
                      if (level, kind) == (SOL_PACKET, PACKET_AUXDATA)]
            found.append((data, status[0]))
    return found


@tap.case("what sockets send bears right checksums on the wire, offload on and off")
def filled(t):
    one, other = t.nics()
    other.set("-K", "gro", "off", "rx-gro-hw", "off")
    for words in ("on", "off"):
        one.set("-K", "tx", words)
        before = one.qstats()
        with t.n1.packet("fe1") as receiver:
            receiver.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
            for addresses in (net.V4, net.V6):
                for size in (0, 1, 2, 3, 63, 1000, 1451, 1452):
                    with t.n0.socket(content.family(addresses[0]), socket.SOCK_DGRAM) as sender:
                        sender.sendto(content.randbytes(size, size), (addresses[1], 9))
                    (frame, status), = captured(receiver, 17, 1)
                    if status & TP_STATUS_CSUMNOTREADY or not right(frame):
                        raise AssertionError(f"tx {words}, {size} bytes to {addresses[1]}: "
                                             f"status {status:#x}, {frame[14:60].hex()}")
        needed = one.qstats()["tx_needs_csum"] - before["tx_needs_csum"]
        tap.equal(needed >= 16, words == "on", f"tx {words}: {needed} checksums left to the device")


@tap.case("the same in frames that take several buffers")
def filled_in_many(t):
    _, other = t.nics(own={"mtu": 9000}, peer={"mtu": 9000})
    other.set("-K", "gro", "off", "rx-gro-hw", "off")
    with t.n1.packet("fe1") as receiver:
        receiver.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        for addresses in (net.V4, net.V6):
            for size in (2000, 3999, 4096, 8951, 8952):
                with t.n0.socket(content.family(addresses[0]), socket.SOCK_DGRAM) as sender:
                    sender.sendto(content.randbytes(size, size), (addresses[1], 9))
                (frame, status), = captured(receiver, 17, 1)
                if status & TP_STATUS_CSUMNOTREADY or not right(frame):
                    raise AssertionError(f"{size} bytes to {addresses[1]}: status {status:#x}, "
                                         f"{frame[14:60].hex()}")


@tap.case("a UDP checksum that comes to zero is sent as all ones")
def zero(t):
    """The last two bytes are chosen so that the sum of everything is 0xffff."""
    one, other = t.nics()
    with t.n1.packet("fe1") as receiver:
        receiver.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        src, dst, sport, dport = *net.V4, 7000, 9
        pseudo = socket.inet_aton(src) + socket.inet_aton(dst) + struct.pack("!HH", 17, 10)
        rest = frames.checksum(pseudo + struct.pack("!HHHH", sport, dport, 10, 0))
        with t.n0.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.bind((src, sport))
            sender.sendto(struct.pack("!H", 0xFFFF - rest), (dst, dport))
        (frame, _), = captured(receiver, 17, 1)
        tap.equal(frame[40:42], b"\xff\xff", "checksum field")
        # Sent as plain zero it would say that there is no checksum at all.
        with t.n0.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.setsockopt(socket.SOL_SOCKET, 11, 1)     # SO_NO_CHECK
            sender.sendto(b"none", (dst, dport))
        (frame, _), = captured(receiver, 17, 1)
        tap.equal(frame[40:42], b"\0\0", "field of a datagram without one")


@tap.case("right checksums are verified by the NIC, and counted")
def verified(t):
    one, other = t.nics(quiet=True)
    before = other.qstats()
    with t.n0.packet("fe0") as sender, t.n1.packet("fe1") as receiver:
        receiver.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        for v6 in (False, True):
            for size in (66, 67, 200, 1514):
                sender.send(nic.udp_frame(size, v6=v6))
                (_, status), = captured(receiver, 17, 1)
                if not status & TP_STATUS_CSUM_VALID:
                    raise AssertionError(f"{size} bytes, IPv{6 if v6 else 4}: not verified")
    after = other.qstats()
    tap.equal(after["rx_csum_unnecessary"] - before["rx_csum_unnecessary"], 8, "counted")
    tap.equal(after["rx_csum_bad"], before["rx_csum_bad"], "bad ones")


@tap.case("wrong checksums are delivered, unverified, counted, and no socket sees them")
def wrong(t):
    one, other = t.nics()
    before = other.qstats()
    with t.n0.packet("fe0") as sender, t.n1.packet("fe1") as receiver, \
            t.n1.socket(socket.AF_INET, socket.SOCK_DGRAM) as taker:
        receiver.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        taker.bind((net.V4[1], 2000))
        for size in (66, 67, 200, 1514):
            sender.send(nic.udp_frame(size, good=False))
            (frame, status), = captured(receiver, 17, 1)
            if status & TP_STATUS_CSUM_VALID or right(frame):
                raise AssertionError(f"{size} bytes: status {status:#x}")
        sender.send(nic.udp_frame(200, good=True))
        tap.equal(len(taker.recv(4000)), 200 - 42, "the datagram behind them")
        tap.equal(nic.drain(taker), 0, "others")
    tap.equal(other.qstats()["rx_csum_bad"] - before["rx_csum_bad"], 4, "counted")


@contextlib.contextmanager
def told(t):
    """Sockets: one that tells what is to be filled, one that sees how frames arrive, one for datagrams."""
    with t.n0.packet("fe0") as sender, t.n1.packet("fe1") as receiver, \
            t.n1.socket(socket.AF_INET, socket.SOCK_DGRAM) as taker:
        sender.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
        receiver.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        taker.bind((net.V4[1], 2000))
        yield sender, receiver, taker


@tap.case("a checksum that is filled anywhere but in the frame's own header vouches for nothing")
def elsewhere(t):
    """As a packet socket may ask for: further inside, or at the place that another protocol has it."""
    _, other = t.nics(only4=True)
    before = other.qstats()
    with told(t) as (sender, receiver, taker):
        frame = nic.udp_frame(200, good=False)
        pseudo = struct.pack("!H", frames.checksum(frame[26:34] + struct.pack("!HH", 17, 200 - 34)))
        for start, offset, own in ((54, 0, False), (34, 16, False), (34, 6, True)):
            if own:
                frame = frame[:40] + pseudo + frame[42:]
            sender.send(struct.pack("=BBHHHH", NEEDS_CSUM, 0, 0, 0, start, offset) + frame)
            (got, status), = captured(receiver, 17, 1)
            tap.equal((bool(status & TP_STATUS_CSUM_VALID), right(got)), (own, own),
                      f"verified and right, filled at {start}+{offset}")
        tap.equal(len(taker.recv(4000)), 200 - 42, "the datagram with a checksum of its own")
        tap.equal(nic.drain(taker), 0, "others")
    after = other.qstats()
    tap.equal(after["rx_csum_unnecessary"] - before["rx_csum_unnecessary"], 1, "counted as verified")


@tap.case("a checksum that is filled on another sum than the pseudo header's is wrong, and said to be")
def spoilt(t):
    """As after a program that has changed an address and forgot the checksum."""
    _, other = t.nics(only4=True)
    before = other.qstats()
    with told(t) as (sender, receiver, taker):
        frame = nic.udp_frame(200, good=False)
        pseudo = frames.checksum(frame[26:34] + struct.pack("!HH", 17, 200 - 34))
        for spoil in (0x1234, 0):
            seed = struct.pack("!H", pseudo ^ spoil)
            sender.send(struct.pack("=BBHHHH", NEEDS_CSUM, 0, 0, 0, 34, 6) +
                        frame[:40] + seed + frame[42:])
            (got, status), = captured(receiver, 17, 1)
            tap.equal((bool(status & TP_STATUS_CSUM_VALID), right(got)), (not spoil, not spoil),
                      f"verified and right, on a sum spoilt by {spoil:#x}")
        tap.equal(len(taker.recv(4000)), 200 - 42, "the datagram whose sum is right")
        tap.equal(nic.drain(taker), 0, "others")
    after = other.qstats()
    tap.equal([after[name] - before[name] for name in ("rx_csum_bad", "rx_csum_unnecessary")],
              [1, 1], "counted as bad, as verified")


@tap.case("the same of packets that are cut, whether the receiver merges or not")
def spoilt_and_cut(t):
    _, other = t.nics(only4=True)
    with told(t) as (sender, receiver, _):
        segment = frames.tcp(*net.V4, 1000, 2000, 1, 1, 0x10, bytes(4000))
        packet = bytearray(frames.tcp4_super_frame(frames.ether(
            net.MAC[1], net.MAC[0], frames.ETH_P_IP, frames.ip(*net.V4, 6, segment)), 1000))
        # Of the super frame's checksum, behind ten bytes of what a packet socket is told.
        packet[10 + 51] ^= 0x12
        for merges in ("on", "off"):
            other.set("-K", "rx-gro-hw", merges)
            before = other.qstats()["rx_csum_bad"]
            sender.send(bytes(packet))
            for frame, status in captured(receiver, 6, 4):
                tap.equal((len(frame), bool(status & TP_STATUS_CSUM_VALID), right(frame)),
                          (1054, False, False), f"merging {merges}: length, verified, right")
            tap.equal(other.qstats()["rx_csum_bad"] - before, 4, f"merging {merges}: counted as bad")


@tap.case("with rx off nothing is verified by the NIC, and traffic passes")
def rx_off(t):
    one, other = t.nics()
    other.set("-K", "rx", "off")
    before = other.qstats()
    content.datagrams(t.n0, t.n1, *net.V4, sizes=(1, 1000, 20000))
    content.stream(t.n0, t.n1, *net.V6, 300000)
    tap.equal(other.qstats()["rx_csum_unnecessary"], before["rx_csum_unnecessary"], "verified")
    other.set("-K", "rx", "on")


@tap.case("checksums of odd places: fragments, VLANs, IPv6 extension headers, no checksum")
def odd(t):
    one, other = t.nics(quiet=True)
    src, dst = net.V6
    with t.n0.packet("fe0") as sender, t.n1.packet("fe1") as receiver:
        datagram = frames.udp(src, dst, 1, 2, b"x" * 100)
        hop = b"\x11\0\1\4\0\0\0\0"         # hop-by-hop options: padding; UDP follows
        packets = [
            frames.ether(net.MAC[1], net.MAC[0], 0x86DD, frames.ipv6(src, dst, 0, hop + datagram)),
            frames.ether(net.MAC[1], net.MAC[0], 0x86DD, frames.ipv6(src, dst, 17, datagram),
                         vlans=[(0x8100, 3)]),
            frames.ether(net.MAC[1], net.MAC[0], 0x800, frames.ipv4(
                *net.V4, 17, frames.udp(*net.V4, 1, 2, b"x" * 96), flags=0x2000)),
            frames.ether(net.MAC[1], net.MAC[0], 0x800, frames.ipv4(
                *net.V4, 17, struct.pack("!HHHH", 1, 2, 20, 0) + b"x" * 12)),
            frames.ether(net.MAC[1], net.MAC[0], 0x800, b"\x45" + b"\0" * 30),
            frames.ether(net.MAC[1], net.MAC[0], 0x86DD, b"\x60" + b"\0" * 3),
        ]
        before = other.qstats()["rx_csum_bad"]
        for packet in packets:
            sender.send(packet)
            data = receiver.recv(4000)
            if packet[12:14] != b"\x81\0":      # the tag is handed over beside the frame
                content.same(data[:len(packet)], packet, "frame")
        tap.equal(other.qstats()["rx_csum_bad"], before, "counted as bad")


tap.main(nic.Pair)
