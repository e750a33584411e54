# SPDX-License-Identifier: GPL-2.0
"""Frames at random: headers that are right, odd and cut off, in stacks of all
kinds, with and without what a stack asks of a NIC."""

import socket
import struct

import frames
import net

NEEDS_CSUM = 1
NONE, TCP4, TCP6, UDP_L4, ECN = 0, 1, 4, 5, 0x80
TCP, UDP, SCTP, ICMP, GRE = 6, 17, 132, 1, 47


class Grammar:
    """Makes a frame and what is asked of the NIC for it."""

    def __init__(self, dice, addresses=(net.V4, net.V6), macs=net.MAC):
        self.dice, self.addresses, self.macs = dice, addresses, macs

    def transport(self, protocol, size):
        dice = self.dice
        payload = dice.randbytes(size)
        if protocol == TCP:
            words = dice.choice((5, 5, 5, 8, 15, dice.randrange(16)))
            head = struct.pack("!HHIIBBHHH", dice.odd(16), 5000, dice.odd(), dice.odd(), words << 4,
                               dice.choice((0x10, 0x18, dice.getrandbits(8))), dice.odd(16), 0, 0)
            return head + bytes(max(words * 4 - 20, 0)) + payload, 16
        if protocol == UDP:
            length = 8 + size if dice.random() < 0.8 else dice.odd(16)
            return struct.pack("!HHHH", dice.odd(16), 5000, length, dice.odd(16)) + payload, 6
        if protocol == SCTP:
            return struct.pack("!HHII", 1, 2, dice.odd(), 0) + payload, 8
        return dice.randbytes(8) + payload, 2

    def ipv4(self, size):
        dice = self.dice
        protocol = dice.choice((TCP, TCP, UDP, UDP, SCTP, ICMP, GRE, dice.getrandbits(8)))
        body, field = self.transport(protocol, size)
        options = dice.choice((0, 0, 0, 1, 10))
        total = 20 + 4 * options + len(body) if dice.random() < 0.85 else dice.odd(16)
        fragment = 0 if dice.random() < 0.85 else dice.odd(16)
        src, dst = self.addresses[0]
        head = struct.pack("!BBHHHBBH4s4s", 0x40 | (5 + options), dice.getrandbits(8), total & 0xFFFF,
                           dice.odd(16), fragment, 64, protocol, 0, socket.inet_aton(src),
                           socket.inet_aton(dst)) + bytes(4 * options)
        head = head[:10] + struct.pack("!H", ~frames.checksum(head) & 0xFFFF) + head[12:]
        return head + body, len(head), field, {TCP: TCP4, UDP: UDP_L4}.get(protocol, NONE)

    def ipv6(self, size):
        dice = self.dice
        protocol = dice.choice((TCP, TCP, UDP, SCTP, 58, dice.getrandbits(8)))
        body, field = self.transport(protocol, size)
        extra = b""
        for _ in range(dice.choice((0, 0, 0, 1, 2, 9))):
            kind = dice.choice((0, 43, 44, 60, 51))
            extra = bytes((protocol, dice.choice((0, 0, 1, 255)))) + dice.randbytes(6) + extra
            protocol = kind
        length = len(extra) + len(body) if dice.random() < 0.85 else dice.odd(16)
        head = struct.pack("!IHBB", 6 << 28 | dice.getrandbits(20), length & 0xFFFF, protocol, 64)
        head += b"".join(socket.inet_pton(socket.AF_INET6, a) for a in self.addresses[1])
        kind = NONE if extra else {TCP: TCP6, UDP: UDP_L4}.get(protocol, NONE)
        return head + extra + body, len(head) + len(extra), field, kind

    def frame(self):
        """A frame, and the virtio header that says what is asked."""
        dice = self.dice
        size = dice.choice((0, 1, 17, 100, 1000, 1460, dice.randrange(9000), dice.randrange(60000)))
        body, offset, field, kind = dice.choice((self.ipv4, self.ipv6))(size)
        tags = [(dice.choice((0x8100, 0x8100, 0x88A8)), dice.getrandbits(16))
                for _ in range(dice.choice((0, 0, 0, 1, 2, 5)))]
        proto = frames.ETH_P_IP if body[:1] and body[0] >> 4 == 4 else frames.ETH_P_IPV6
        if dice.random() < 0.05:
            proto = dice.odd(16)
        to = self.macs[1] if dice.random() < 0.9 else dice.randbytes(6).hex(":")
        frame = frames.ether(to, self.macs[0], proto, body, tags)
        start = 14 + 4 * len(tags) + offset
        flags, gso, length, segment = 0, NONE, 0, 0
        if dice.random() < 0.5:
            flags = NEEDS_CSUM
            if kind != NONE and dice.random() < 0.6:
                gso, segment = kind, dice.choice((1, 8, 536, 1000, 1448, dice.odd(16)))
                length = start + (8 if kind == UDP_L4 else 20)
                if kind != UDP_L4 and dice.random() < 0.2:
                    gso |= ECN
            elif len(frame) > 1514:
                frame = frame[:dice.randrange(14, 1515)]
        else:
            frame = frame[:1514]
            start = field = 0
        if dice.random() < 0.1:
            start, field = dice.odd(16), dice.odd(16)
        asked = struct.pack("=BBHHHH", flags, gso, min(length, 65535), segment & 0xFFFF,
                            min(start, 65535), field)
        return dice.spoil(asked, 0.03) + dice.spoil(frame, 0.2)
