# SPDX-License-Identifier: GPL-2.0
"""A program that decides on packets of NFQUEUE, by netlink messages of its own."""

import contextlib
import select
import struct

import net
import rtnl
from rtnl import attr

NETLINK_NETFILTER, SUBSYSTEM = 12, 3
PACKET, VERDICT, CONFIG = 0, 1, 2
CFG_CMD, CFG_PARAMS, CFG_MASK, CFG_FLAGS = 1, 2, 4, 5
BIND, COPY_PACKET, FLAG_GSO = 1, 2, 4
PACKET_HDR, VERDICT_HDR, MARK, PAYLOAD = 1, 2, 3, 10
DROP, ACCEPT, REPEAT = 0, 1, 4


class Packet:
    """A packet that waits for its verdict."""

    def __init__(self, attributes):
        self.id, self.protocol, self.hook = struct.unpack("!IHB", attributes[PACKET_HDR])
        self.payload = attributes.get(PAYLOAD, b"")


class Queue:
    """The listener on a queue of a namespace."""

    def __init__(self, namespace, number):
        self.number = number
        with namespace:
            self.link = rtnl.Netlink(NETLINK_NETFILTER)
        self.ask(CONFIG, attr(CFG_CMD, struct.pack("!BBH", BIND, 0, 0)))
        self.ask(CONFIG, attr(CFG_PARAMS, struct.pack("!IB", 0xFFFF, COPY_PACKET)) +
                 attr(CFG_MASK, struct.pack("!I", FLAG_GSO)) +
                 attr(CFG_FLAGS, struct.pack("!I", FLAG_GSO)))
        self.waiting = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.link.close()

    def ask(self, kind, body, ack=True):
        header = struct.pack("!BBH", 0, 0, self.number)
        if ack:
            self.link.request(SUBSYSTEM << 8 | kind, 0, header + body)
        else:
            message = struct.pack("=IHHII", 20 + len(body), SUBSYSTEM << 8 | kind,
                                  rtnl.NLM_F_REQUEST, 0, 0) + header + body
            self.link.socket.send(message)

    def come(self):
        """The packets that have come by now."""
        found = []
        with contextlib.suppress(BlockingIOError):
            while select.select([self.link.socket], [], [], 0)[0]:
                for kind, _, _, body in self.link.receive():
                    if kind == SUBSYSTEM << 8 | PACKET:
                        found.append(Packet(dict(rtnl.attrs(body[4:]))))
        return found

    def packets(self, count):
        """So many."""
        net.wait_until(lambda: self.waiting.extend(self.come()) or len(self.waiting) >= count,
                       f"{count} packets of queue {self.number}")
        taken, self.waiting = self.waiting[:count], self.waiting[count:]
        return taken

    def verdict(self, packet, verdict, payload=None, mark=None):
        body = attr(VERDICT_HDR, struct.pack("!II", verdict, packet.id))
        if mark is not None:
            body += attr(MARK, struct.pack("!I", mark))
        if payload is not None:
            body += attr(PAYLOAD, payload)
        self.ask(VERDICT, body, ack=False)
