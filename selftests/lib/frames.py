# SPDX-License-Identifier: GPL-2.0
"""Frames built and taken apart by hand, so that a test knows every byte."""

import socket
import struct

ETH_P_IP, ETH_P_IPV6, ETH_P_8021Q, ETH_P_8021AD = 0x0800, 0x86DD, 0x8100, 0x88A8
ETH_P_TEST = 0x88B5         # IEEE local experimental ethertype 1
ETH_ZLEN = 60               # the smallest frame, without its check sequence


def raw(text):
    """The bytes of an Ethernet address."""
    return bytes.fromhex(text.replace(":", ""))


def checksum(data, start=0):
    """The internet checksum of `data`, not yet complemented."""
    if len(data) % 2:
        data += b"\0"
    total = start + sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def ether(dst, src, proto, payload=b"", vlans=()):
    """An Ethernet frame; `vlans` are pairs of tag protocol and tag, outermost
    first."""
    frame = raw(dst) + raw(src)
    for tpid, tag in vlans:
        frame += struct.pack("!HH", tpid, tag)
    return frame + struct.pack("!H", proto) + payload


def ipv4(src, dst, proto, payload, ident=1, ttl=64, flags=0, tos=0):
    head = struct.pack("!BBHHHBBH4s4s", 0x45, tos, 20 + len(payload), ident, flags, ttl, proto, 0,
                       socket.inet_aton(src), socket.inet_aton(dst))
    return head[:10] + struct.pack("!H", ~checksum(head) & 0xFFFF) + head[12:] + payload


def ipv6(src, dst, proto, payload, hops=64):
    return struct.pack("!IHBB", 6 << 28, len(payload), proto, hops) + \
        socket.inet_pton(socket.AF_INET6, src) + socket.inet_pton(socket.AF_INET6, dst) + payload


def _pseudo(src, dst, proto, size):
    if ":" in src:
        return socket.inet_pton(socket.AF_INET6, src) + socket.inet_pton(socket.AF_INET6, dst) + \
            struct.pack("!II", size, proto)
    return socket.inet_aton(src) + socket.inet_aton(dst) + struct.pack("!HH", proto, size)


def udp(src, dst, sport, dport, payload, good=True):
    """A UDP datagram with its checksum; a wrong one unless `good`."""
    size = 8 + len(payload)
    head = struct.pack("!HHHH", sport, dport, size, 0)
    total = ~checksum(_pseudo(src, dst, 17, size) + head + payload) & 0xFFFF or 0xFFFF
    if not good:
        total ^= 0x5555
    return head[:6] + struct.pack("!H", total) + payload


def tcp(src, dst, sport, dport, seq, ack, flags, payload=b"", good=True, options=b"", window=8192):
    size = 20 + len(options) + len(payload)
    head = struct.pack("!HHIIBBHHH", sport, dport, seq, ack, (5 + len(options) // 4) << 4, flags,
                       window, 0, 0)
    total = ~checksum(_pseudo(src, dst, 6, size) + head + options + payload) & 0xFFFF
    if not good:
        total ^= 0x5555
    return head[:16] + struct.pack("!H", total) + head[18:] + options + payload


def tcp4_super_frame(frame, size):
    """What a packet socket with PACKET_VNET_HDR takes for a frame of TCP over IPv4 without
    options: that it is to be cut after each `size` bytes of payload."""
    needs_checksum, tcpv4 = 1, 1
    src, dst = (socket.inet_ntoa(frame[at:at + 4]) for at in (26, 30))
    pseudo = checksum(_pseudo(src, dst, 6, len(frame) - 34))
    return struct.pack("=BBHHHH", needs_checksum, tcpv4, 54, size, 34, 16) + \
        frame[:50] + struct.pack("!H", pseudo) + frame[52:]


def ip(src, dst, proto, payload):
    return ipv6(src, dst, proto, payload) if ":" in src else ipv4(src, dst, proto, payload)


def on_wire(size, zlen=ETH_ZLEN):
    """What a frame of `size` bytes counts: short ones are padded."""
    return max(size, zlen)
