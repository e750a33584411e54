#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Segmentation: what the stack hands over in one piece is on the wire as frames
that fit the MTU, each complete in itself."""

import os
import socket
import struct
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import content  # noqa: E402
import frames   # noqa: E402
import net      # noqa: E402
import nic      # noqa: E402
import tap      # noqa: E402

UDP_SEGMENT = 103
FIN, SYN, RST, PSH, ACK, URG, ECE, CWR, AE = (1 << bit for bit in range(9))


class Wire:
    """The frames that arrive at fe1, as bytes, with nothing merged."""

    def __init__(self, t, other):
        other.set("-K", "gro", "off", "rx-gro-hw", "off")
        self.socket = t.n1.packet("fe1")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def frames(self, proto):
        """All frames of that IP protocol that have come so far."""
        self.socket.setblocking(False)
        found = []
        try:
            while True:
                frame = self.socket.recv(70000)
                if frame[12:14] == b"\x08\x00" and frame[23] == proto or \
                        frame[12:14] == b"\x86\xdd" and frame[20] == proto:
                    found.append(frame)
        except BlockingIOError:
            return found


class Packet:
    """An IP packet taken apart, its lengths and checksums judged."""

    def __init__(self, frame):
        packet = frame[14:]
        self.v6 = frame[12:14] == b"\x86\xdd"
        if self.v6:
            size = struct.unpack("!H", packet[4:6])[0]
            self.ident, self.total = 0, 40 + size
            pseudo = packet[8:40] + struct.pack("!II", size, packet[6])
            body, proto = packet[40:40 + size], packet[6]
        else:
            self.total, self.ident = struct.unpack("!HH", packet[2:6])
            tap.equal(frames.checksum(packet[:20]), 0xFFFF, "checksum of the IP header")
            body, proto = packet[20:self.total], packet[9]
            pseudo = packet[12:20] + struct.pack("!HH", proto, len(body))
        tap.equal(max(14 + self.total, 60), max(len(frame), 60), "length of the frame")
        tap.equal(frames.checksum(pseudo + body), 0xFFFF, "checksum")
        if proto == 6:
            self.seq = struct.unpack("!I", body[4:8])[0]
            self.flags = struct.unpack("!H", body[12:14])[0] & 0x1FF
            self.data = body[(body[12] >> 4) * 4:]
        else:
            tap.equal(struct.unpack("!H", body[4:6])[0], len(body), "length of the datagram")
            self.data = body[8:]


def tcp_frames(t, wire, addresses, data):
    """Sends data in one direction; the packets with data that came of it."""
    client, server = content.connect(t.n0, t.n1, *addresses)
    with client, server:
        wire.frames(6)
        thread = threading.Thread(target=client.sendall, args=(data,))
        thread.start()
        got = content.receive_exactly(server, len(data))
        thread.join()
        content.same(got, data, "stream")
        return [packet for packet in map(Packet, wire.frames(6)) if packet.data]


@tap.case("TCP over IPv4 and IPv6: frames within the MTU, in order, checksums and ids right")
def tcp(t):
    for mtu in (1500, 1280, 9000):
        one, other = t.nics(own={"mtu": mtu}, peer={"mtu": mtu})
        with Wire(t, other) as wire:
            for addresses in (net.V4, net.V6):
                data = content.randbytes(mtu, 300000)
                packets = tcp_frames(t, wire, addresses, data)
                if any(packet.total > mtu for packet in packets):
                    raise AssertionError(f"MTU {mtu}: {max(packet.total for packet in packets)}")
                first = packets[0].seq
                joined = bytearray(len(data))
                for packet in packets:
                    at = packet.seq - first & 0xFFFFFFFF
                    joined[at:at + len(packet.data)] = packet.data
                content.same(bytes(joined), data, "data on the wire")
                # Within one super-frame ids go up by one; between them they may jump.
                steps = [b.ident - a.ident & 0xFFFF for a, b in zip(packets, packets[1:])]
                if not packets[0].v6 and steps.count(1) < len(steps) // 2:
                    raise AssertionError(f"ids: steps {steps[:40]}")
                full = max(len(packet.data) for packet in packets)
                for packet in packets:
                    if packet.flags & (FIN | SYN | RST | URG):
                        raise AssertionError(f"flags {packet.flags:#x}")
                    if len(packet.data) < full and not packet.flags & PSH:
                        tap.note(f"a short frame of {len(packet.data)} bytes without PSH")
        stats = one.qstats()
        if not stats["tx_hw_gso_packets"]:
            raise AssertionError("no super-frame was handed to the device")
        if stats["tx_hw_gso_wire_packets"] < 2 * stats["tx_hw_gso_packets"]:
            raise AssertionError(f"{stats}")
        t.tidy()


@tap.case("accurate ECN: cut by the device, and CWR is on every frame")
def accecn(t):
    one, other = t.nics(only4=True)
    for namespace in t.n:
        namespace.sysctl("net.ipv4.tcp_ecn", 3)
    with Wire(t, other) as wire:
        client, server = content.connect(t.n0, t.n1, *net.V4)
        with client, server:
            # One packet that met congestion takes the count that three flags hold from 5 to 6: AE and CWR.
            t.n1.run("nft", "add table ip marked; "
                     "add chain ip marked c { type filter hook output priority 0; }; "
                     "add rule ip marked c ip ecn set ce")
            server.sendall(b"marked")
            content.receive_exactly(client, 6)
            t.n1.run("nft", "delete table ip marked")
            wire.frames(6)
            before = one.qstats()
            data = content.randbytes(3, 300000)
            thread = threading.Thread(target=client.sendall, args=(data,))
            thread.start()
            got = content.receive_exactly(server, len(data))
            thread.join()
            content.same(got, data, "stream")
            after = one.qstats()
            packets = [packet for packet in map(Packet, wire.frames(6)) if packet.data]
    tap.equal({packet.flags & (AE | CWR | ECE) for packet in packets}, {AE | CWR}, "flags")
    if after["tx_hw_gso_packets"] == before["tx_hw_gso_packets"]:
        raise AssertionError("no super-frame was handed to the device")


@tap.case("UDP cut by the device: exact sizes, each with header and checksum")
def udp(t):
    one, other = t.nics()
    with Wire(t, other) as wire:
        for addresses in (net.V4, net.V6):
            for size, segment in ((10000, 1000), (9999, 1000), (2, 1), (50000, 1452), (1000, 1000)):
                with t.n0.socket(content.family(addresses[0]), socket.SOCK_DGRAM) as sender, \
                        t.n1.socket(content.family(addresses[0]), socket.SOCK_DGRAM) as taker:
                    taker.bind((addresses[1], 5004))
                    wire.frames(17)
                    sender.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, segment)
                    data = content.randbytes(size, size)
                    sender.sendto(data, (addresses[1], 5004))
                    count = -(-size // segment)
                    for _ in range(count):
                        taker.recv(70000)
                    packets = [Packet(frame) for frame in wire.frames(17)]
                    # Short datagrams are padded on the wire; the length says what counts.
                    tap.equal([len(packet.data) for packet in packets],
                              [segment] * (size // segment) +
                              [size % segment] * (size % segment > 0), "sizes")
                    content.same(b"".join(packet.data for packet in packets), data, "data")


@tap.case("frames and bytes are counted as on the wire, by both ends alike")
def counted(t):
    one, other = t.nics(only4=True)
    with Wire(t, other) as wire:
        before = one.link["stats"], other.link["stats"]
        stats = one.qstats()
        tcp_frames(t, wire, net.V4, content.randbytes(1, 500000))
        t.balanced()
        after = one.link["stats"], other.link["stats"]
    for key in ("packets", "bytes"):
        tap.equal(after[0][f"tx_{key}"] - before[0][f"tx_{key}"],
                  after[1][f"rx_{key}"] - before[1][f"rx_{key}"], key)
    sent = after[0]["tx_packets"] - before[0]["tx_packets"]
    if sent < 500000 // 1448:
        raise AssertionError(f"{sent} frames for 500000 bytes")
    now = one.qstats()
    wire_bytes = now["tx_hw_gso_wire_bytes"] - stats["tx_hw_gso_wire_bytes"]
    wire_frames = now["tx_hw_gso_wire_packets"] - stats["tx_hw_gso_wire_packets"]
    if wire_bytes > 1514 * wire_frames or wire_bytes < 1000 * wire_frames:
        raise AssertionError(f"{wire_bytes} bytes in {wire_frames} frames")


@tap.case("toggled off, the stack cuts and the device counts no super-frame")
def off(t):
    one, other = t.nics()
    one.set("-K", "tso", "off", "tx-udp-segmentation", "off")
    before = one.qstats()["tx_hw_gso_packets"]
    content.stream(t.n0, t.n1, *net.V4, 300000)
    tap.equal(one.qstats()["tx_hw_gso_packets"], before, "super-frames")


@tap.case("headers too long for the device: the stack cuts, and nothing is lost")
def long_headers(t):
    one, _ = t.nics()
    for size in (64, 248):
        # One destination option (RFC 4727, experimental) that who does not know it skips.
        header = bytes([0, size // 8 - 1, 0x1e, size - 4]) + bytes(size - 4)
        before = one.qstats()["tx_hw_gso_packets"]
        content.stream(t.n0, t.n1, *net.V6, 300000,
                       options=((socket.IPPROTO_IPV6, socket.IPV6_DSTOPTS, header),))
        tap.equal(one.qstats()["tx_hw_gso_packets"] > before, size == 64,
                  f"super-frames behind {size} bytes of options")
    tap.equal(one.private()["tx_drop_segmentation"], 0, "dropped")


@tap.case("over a VLAN, with and without tag insertion by the device")
def vlan(t):
    for words in ("on", "off"):
        one, other = t.nics()
        if one.features()["tx-vlan-offload"] == (False, True) and words == "on":
            continue
        one.try_("-K", "txvlan", words)
        for end in (0, 1):
            t.n[end].ip("link", "add", "link", f"fe{end}", "name", "v", "type", "vlan", "id", "9")
            t.n[end].rtnl.change("v", up=True)
            t.n[end].rtnl.add_address("v", f"192.168.242.{end + 1}", 24)
        before = one.qstats()["tx_hw_gso_packets"]
        content.stream(t.n0, t.n1, "192.168.242.1", "192.168.242.2", 500000)
        if one.qstats()["tx_hw_gso_packets"] == before:
            raise AssertionError(f"txvlan {words}: no super-frame over the VLAN")
        longest = other.link["stats"]
        tap.equal(longest["rx_length_errors"], 0, "frames too long")
        t.tidy()


@tap.case("a receiver with a smaller MTU drops what is too long, and counts it")
def too_long(t):
    one, other = t.nics(quiet=True, own={"mtu": 9000}, peer={"mtu": 1500})
    with t.n0.packet("fe0") as sender, t.n1.packet("fe1", 0x88B5) as receiver:
        head = frames.raw(net.MAC[1]) + frames.raw(net.MAC[0]) + b"\x88\xb5"
        sender.send(head + bytes(1500))
        tap.equal(len(receiver.recv(70000)), 1514, "the longest")
        before = other.link["stats"]["rx_length_errors"]
        # A tag comes on top, and what is beyond the MTU is beyond it by one byte.
        tagged = head[:12] + b"\x81\x00\x00\x05" + head[12:]
        sender.send(tagged + bytes(1500))
        tap.equal(len(receiver.recv(70000)), 1514, "the longest behind a tag")
        sender.send(tagged + bytes(1501))
        for size in (1501, 1505, 4000, 9000):
            sender.send(head + bytes(size))
        sender.send(head + b"after" * 20)
        tap.equal(receiver.recv(70000)[14:19], b"after", "next frame")
        tap.equal(other.link["stats"]["rx_length_errors"] - before, 5, "counted")


tap.main(nic.Pair)
