#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Traffic of which every byte is checked, while everything is reconfigured at random:
nothing arrives damaged or twice, whatever is lost is counted, and traffic goes on
after each change.

    soak.py [--frames N] [--seed SEED]

--frames says how many frames have to pass; the ordinary run has a few thousand,
`make soak` ten million.  The same seed makes the same changes in the same order.
"""

# selftest-timeout: 300

import argparse
import contextlib
import os
import random
import socket
import struct
import sys
import threading
import traceback
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import content  # noqa: E402
import control  # noqa: E402
import ethnl    # noqa: E402
import net      # noqa: E402
import nic      # noqa: E402
import rtnl     # noqa: E402
import tap      # noqa: E402

PARSER = argparse.ArgumentParser()
PARSER.add_argument("--frames", type=int, default=net.rounds(12000))
PARSER.add_argument("--seed", type=int, default=1)
ARGUMENTS, sys.argv[1:] = PARSER.parse_known_args()

# Changes of the configuration, and quiet moments at which what was sent is accounted for.
CHANGES = max(ARGUMENTS.frames // 5000, 24)
QUIET = max(CHANGES // 50, 5)
BLOCK = 1 << 18
UDP_SEGMENT = 103
NIC, HANDOFF = 0, 1


class Traffic(threading.Thread):
    """A sender and a receiver, one thread each; between two pieces the sender waits
    while nothing is to be sent."""

    def __init__(self, soak, name):
        super().__init__(name=name, daemon=True)
        self.soak, self.idle, self.failed = soak, threading.Event(), False
        self.receiver = threading.Thread(target=self.guarded, args=(self.receive,), daemon=True)

    def start(self):
        self.receiver.start()
        super().start()

    def run(self):
        self.guarded(self.send_all)
        self.idle.set()

    def guarded(self, function):
        try:
            function()
        except Exception:
            self.soak.problems.append(f"{self.name}: {traceback.format_exc()}")

    def send_all(self):
        while not self.soak.over.is_set():
            self.idle.set()
            self.soak.gate.wait()
            self.idle.clear()
            self.send()
        self.finish()

    def end(self):
        for thread in (self, self.receiver):
            thread.join(4 * net.PATIENCE)
            if thread.is_alive():
                self.soak.problems.append(f"{self.name} does not come to an end")


class Stream(Traffic):
    """A stream connection one way; its bytes are a block that comes again and again."""

    def __init__(self, soak, way, addresses, port):
        super().__init__(soak, f"stream {port}")
        self.client, self.server = content.connect(
            soak.n[way], soak.n[1 - way], addresses[way], addresses[1 - way], port=port)
        for end in (self.client, self.server):
            # As long as it may take after a few changes in a row; who hangs is found below.
            end.settimeout(8 * net.PATIENCE)
        self.block = content.randbytes(port, BLOCK)
        self.random = random.Random(f"{ARGUMENTS.seed} {port}")
        self.sent = self.got = 0

    def send(self):
        size = self.random.choice((1, 100, 1448, 5000, 65536, 65536))
        at = self.sent % BLOCK
        piece = memoryview(self.block)[at:at + size]
        self.client.sendall(piece)
        self.sent += len(piece)

    def finish(self):
        self.client.shutdown(socket.SHUT_WR)

    def receive(self):
        while data := self.server.recv(BLOCK):
            at = 0
            while at < len(data):
                where = self.got % BLOCK
                size = min(len(data) - at, BLOCK - where)
                content.same(data[at:at + size], self.block[where:where + size],
                             f"{self.name} from byte {self.got} on")
                at += size
                self.got += size

    def close(self):
        tap.equal(self.got, self.sent, f"{self.name}: bytes that arrived")
        self.client.close()
        self.server.close()
        return f"{self.got >> 10} KiB"


class Datagrams(Traffic):
    """Datagrams one way, of all sizes, single ones and several in one packet: each arrives
    as it was sent, once or not at all."""

    HEAD = struct.Struct("!QI")

    def __init__(self, soak, way, addresses, port):
        super().__init__(soak, f"datagrams {port}")
        kind, source, target = content.family(addresses[0]), addresses[way], addresses[1 - way]
        self.sender = soak.n[way].socket(kind, socket.SOCK_DGRAM, timeout=net.PATIENCE)
        self.sender.bind((source, port))
        self.reader = soak.n[1 - way].socket(kind, socket.SOCK_DGRAM, timeout=1)
        self.reader.setsockopt(socket.SOL_SOCKET, content.SO_RCVBUFFORCE, 8 << 20)
        self.reader.bind((target, port))
        self.target = (target, port)
        self.block = content.randbytes(port, 1 << 16)
        self.random = random.Random(f"{ARGUMENTS.seed} {port}")
        self.sent = 0
        self.seen = set()

    def datagram(self, size):
        """One whose content follows from its number."""
        number, self.sent = self.sent, self.sent + 1
        at = number * 7 % 1000
        body = self.block[at:at + size]
        return self.HEAD.pack(number, zlib.crc32(body)) + body

    def send(self):
        try:
            if self.random.random() < 0.5:
                size = self.random.choice((0, 1, 40, 500, 1400, 8000, 40000))
                self.sender.sendto(self.datagram(size), self.target)
            else:
                size = self.random.choice((300, 1000, 1180))
                pieces = b"".join(self.datagram(size) for _ in range(self.random.randrange(2, 20)))
                self.sender.sendmsg([pieces], [(socket.IPPROTO_UDP, UDP_SEGMENT,
                                                struct.pack("=H", self.HEAD.size + size))],
                                    0, self.target)
        except OSError:
            # The port is down, or has no room; the soak looks at what it counts.
            pass

    def finish(self):
        pass

    def receive(self):
        while True:
            try:
                data = self.reader.recv(1 << 17)
            except TimeoutError:
                if self.soak.over.is_set():
                    return
                continue
            number, crc = self.HEAD.unpack_from(data)
            if zlib.crc32(data[self.HEAD.size:]) != crc or data != self.HEAD.pack(number, crc) + \
                    self.block[number * 7 % 1000:][:len(data) - self.HEAD.size]:
                raise AssertionError(f"datagram {number} of {len(data)} bytes is damaged")
            if number in self.seen or number >= self.sent:
                raise AssertionError(f"datagram {number} came twice, or was never sent")
            self.seen.add(number)

    def close(self):
        self.sender.close()
        self.reader.close()
        return f"{len(self.seen)} of {self.sent}"


class Soak(nic.Pair):
    """A pair with traffic."""

    def begin(self):
        for namespace in self.n:
            # A stream that waits goes on soon, also after several changes in a row.
            with contextlib.suppress(OSError):
                namespace.sysctl("net.ipv4.tcp_rto_max_ms", 1000)
            namespace.sysctl("net/ipv6/conf/default/keep_addr_on_down", 1)
        self.nics()
        self.family = control.Raw(self.n0)
        self.wire = rtnl.attr(control.WIRE_ID, self.family.ports()[self.made[0].index]["wire"])
        self.over, self.gate, self.problems = threading.Event(), threading.Event(), []
        self.datapath = NIC
        self.gate.set()
        self.traffic = [kind(self, way, addresses, port + way) for kind, addresses, port in (
            (Stream, net.V4, 6000), (Stream, net.V6, 6010), (Datagrams, net.V4, 6020),
            (Datagrams, net.V6, 6030)) for way in (0, 1)]
        for one in self.traffic:
            one.start()

    def finish(self):
        self.over.set()
        self.gate.set()
        for one in self.traffic:
            one.end()
        self.family.close()
        self.sound()
        tap.note("; ".join(f"{one.name}: {one.close()}" for one in self.traffic))

    def sound(self):
        tap.equal(self.problems, [], "problems")

    def counted(self):
        """What both stacks have counted of packets that are wrong, and of those they had no
        room for."""
        found = {}
        for namespace in self.n:
            with namespace, open("/proc/thread-self/net/snmp") as file:
                lines = [line.split() for line in file]
            for names, values in zip(lines[::2], lines[1::2]):
                for name, value in zip(names[1:], values[1:]):
                    found[names[0] + name] = found.get(names[0] + name, 0) + int(value)
            with namespace, open("/proc/thread-self/net/snmp6") as file:
                for line in file:
                    name, value = line.split()
                    found[name] = found.get(name, 0) + int(value)
        wrong = ("Tcp:InCsumErrors", "Udp:InCsumErrors", "Ip:InHdrErrors", "Udp6InCsumErrors",
                 "Ip6InHdrErrors")
        full = ("Udp:RcvbufErrors", "Udp6RcvbufErrors", "Ip:ReasmFails", "Ip6ReasmFails",
                "Tcp:RetransSegs")
        return [{name: found[name] for name in names} for names in (wrong, full)]

    def frames(self):
        return sum(stats["tx_packets"] for stats in self.stats())

    def pass_(self, count):
        """Waits until so many more frames have passed."""
        wanted = self.frames() + count
        net.wait_until(lambda: self.problems or self.frames() >= wanted,
                       "traffic after the last change", 8 * net.PATIENCE, 0.02)
        self.sound()

    def quiet(self):
        """Stops the senders, and has what was sent accounted for."""
        self.gate.clear()
        for one in self.traffic:
            if not one.idle.wait(8 * net.PATIENCE):
                raise AssertionError(f"{one.name} does not come to rest")
        self.balanced()
        self.gate.set()

    def change(self, dice):
        """Changes something, and returns in words what."""
        port = dice.choice(self.made)
        what = dice.choice(("rings", "channels", "coalesce", "adaptive", "pause", "steering",
                            "feature", "feature", "mtu", "down", "wire"))
        tool, link = port.ethtool, port.namespace.rtnl
        try:
            if what == "rings":
                tool.set(ethnl.RINGS, tx=64 << dice.randrange(6))
                tool.set(ethnl.RINGS, rx=64 << dice.randrange(6))
            elif what == "channels":
                tool.set(ethnl.CHANNELS, combined=dice.choice((1, 2, 3, 4, 8)))
            elif what == "coalesce":
                tool.set(ethnl.COALESCE, adaptive_rx=0, adaptive_tx=0)
                tool.set(ethnl.COALESCE, rx_usecs=dice.choice((0, 20, 500)),
                         rx_frames=dice.choice((1, 16, 64)), tx_usecs=dice.choice((0, 200)),
                         tx_frames=dice.choice((1, 64)))
            elif what == "adaptive":
                tool.set(ethnl.COALESCE, adaptive_rx=dice.randrange(2),
                         adaptive_tx=dice.randrange(2))
            elif what == "pause":
                tool.set(ethnl.PAUSE, rx=dice.randrange(2), tx=dice.randrange(2))
            elif what == "steering":
                tool.rss_set(hkey=dice.randbytes(len(port.rss()["hkey"])))
            elif what == "feature":
                what = dice.choice(("rx-checksum", "rx-hashing", "tx-checksum-ip-generic", "rx-gro",
                                    "tx-tcp-segmentation", "tx-tcp6-segmentation", "rx-gro-hw",
                                    "tx-udp-segmentation", "tx-scatter-gather"))
                tool.feature(what, dice.random() < 0.6)
            elif what == "mtu":
                size = dice.choice((1280, 1500, 1500, 3000, 9000))
                for one in self.made:
                    one.namespace.rtnl.change(one.name, mtu=size)
            elif what == "down":
                link.change(port.name, up=False)
                link.change(port.name, up=True)
            else:
                self.switch(dice.choice((NIC, NIC, HANDOFF)), dice.random() < 0.5)
        except rtnl.NetlinkError:
            # What such a wire does not have is refused; a NIC has all of it.
            if self.datapath != HANDOFF:
                raise
        return f"{port.name} {what}"

    def switch(self, datapath, down):
        for port in self.made if down else ():
            port.namespace.rtnl.change(port.name, up=False)
        self.family.send(control.WIRE_SET, self.wire + rtnl.attr(3, datapath))
        self.datapath = datapath
        for port in self.made if down else ():
            port.namespace.rtnl.change(port.name, up=True)


@tap.case("every byte and every frame accounted for, whatever is changed meanwhile")
def soak(t):
    tap.note(f"{ARGUMENTS.frames} frames, {CHANGES} changes, seed {ARGUMENTS.seed}")
    dice = random.Random(ARGUMENTS.seed)
    t.begin()
    done = []
    first = t.frames()
    try:
        for turn in range(CHANGES):
            t.pass_(ARGUMENTS.frames // CHANGES)
            done.append(t.change(dice))
            if turn % (CHANGES // QUIET) == 0:
                t.quiet()
        t.pass_(ARGUMENTS.frames // CHANGES)
        frames = t.frames() - first
        t.finish()
    except Exception:
        tap.note(f"the last changes: {done[-8:]}")
        t.over.set()
        t.gate.set()
        raise
    t.balanced()
    wrong, full = t.counted()
    tap.note(f"{frames} frames, {sum(port.dropped() for port in t.made)} dropped on the wire; {full}")
    tap.equal(sum(wrong.values()), 0, f"packets that are wrong: {wrong}")
    t.ping()


tap.main(Soak)
