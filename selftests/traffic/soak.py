#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Traffic of which every byte is checked, while everything is reconfigured at random:
nothing arrives damaged or twice, whatever is lost is counted, and traffic goes on
after each change.

    soak.py [--frames N] [--seed SEED]

--frames says how many frames have to pass; the ordinary run has 12,000, `make soak` ten
million.  The same seed makes the same changes in the same order.
"""

# selftest-timeout: 300

import argparse
import contextlib
import os
import random
import select
import socket
import subprocess
import sys
import time

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
CHANGES = max(ARGUMENTS.frames // 10000, 24)
QUIET = max(CHANGES // 50, 5)
PROGRAM = f"{control.BUILT}/traffic"
NIC, HANDOFF = 0, 1


class Traffic:
    """A program that sends by one socket, and compares what comes by the other one, each in a
    thread: Python would have but one for all of them."""

    def __init__(self, kind, sender, receiver, port):
        for end in (sender, receiver):
            end.setblocking(True)
        self.name = f"{kind} {port}"
        self.process = subprocess.Popen(
            [PROGRAM, kind, *(str(end.fileno()) for end in (sender, receiver)),
             str(ARGUMENTS.seed << 16 | port)], pass_fds=[sender.fileno(), receiver.fileno()],
            bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        sender.close()
        receiver.close()

    def command(self, letter):
        """Those whose program has ended tell so by what they say."""
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(letter)

    def says(self):
        """Its next line."""
        if not select.select([self.process.stdout], [], [], 8 * net.PATIENCE)[0]:
            raise AssertionError(f"{self.name}: says nothing")
        return self.process.stdout.readline().decode().strip()

    def idle(self):
        """Returns when nothing more is sent."""
        tap.equal(self.says(), "idle", self.name)

    def sound(self):
        if self.process.poll() is not None:
            raise AssertionError(f"{self.name}: {self.says()}, status {self.process.returncode}")

    def end(self):
        """What was sent, and what has arrived."""
        line = self.says()
        tap.equal((self.process.wait(net.PATIENCE), line.endswith("arrived")), (0, True),
                  f"{self.name}: {line}: status")
        return f"{self.name}: {line}"

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


def stream(t, way, addresses, port):
    """A stream connection one way."""
    client, server = content.connect(t.n[way], t.n[1 - way], addresses[way], addresses[1 - way],
                                     port=port)
    return Traffic("stream", client, server, port)


def datagrams(t, way, addresses, port):
    """Datagrams one way, of all sizes, single ones and several in one packet."""
    kind, source, target = content.family(addresses[0]), addresses[way], addresses[1 - way]
    sender = t.n[way].socket(kind, socket.SOCK_DGRAM)
    receiver = t.n[1 - way].socket(kind, socket.SOCK_DGRAM)
    receiver.setsockopt(socket.SOL_SOCKET, content.SO_RCVBUFFORCE, 8 << 20)
    for end, address in ((sender, source), (receiver, target)):
        end.bind((address, port))
    sender.connect((target, port))
    return Traffic("datagrams", sender, receiver, port)


class Soak(nic.Pair):
    """A pair with traffic."""

    def __init__(self):
        super().__init__()
        self.running = contextlib.ExitStack()

    def begin(self):
        if not os.path.exists(PROGRAM):
            raise tap.Skip(f"no {PROGRAM}: make selftests-bin builds it")
        for namespace in self.n:
            # A stream that waits goes on soon, also after several changes in a row.
            with contextlib.suppress(OSError):
                namespace.sysctl("net.ipv4.tcp_rto_max_ms", 1000)
            namespace.sysctl("net/ipv6/conf/default/keep_addr_on_down", 1)
        self.nics()
        self.family = control.Raw(self.n0)
        self.running.callback(self.family.close)
        self.wire = rtnl.attr(control.WIRE_ID, self.family.ports()[self.made[0].index]["wire"])
        self.datapath = NIC
        self.traffic = []
        for kind, addresses, port in ((stream, net.V4, 6000), (stream, net.V6, 6010),
                                      (datagrams, net.V4, 6020), (datagrams, net.V6, 6030)):
            for way in (0, 1):
                one = kind(self, way, addresses, port + way)
                self.traffic.append(one)
                self.running.callback(one.close)

    def finish(self):
        """Lets all that was sent arrive."""
        for one in self.traffic:
            one.command(b"e")
        tap.note("; ".join(one.end() for one in self.traffic))

    def tidy(self):
        self.running.close()
        super().tidy()

    def sound(self):
        for one in self.traffic:
            one.sound()

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

        def passed():
            self.sound()
            return self.frames() >= wanted

        net.wait_until(passed, "traffic after the last change", 8 * net.PATIENCE, 0.02)

    def quiet(self):
        """Stops the senders, and has what was sent accounted for."""
        for one in self.traffic:
            one.command(b"p")
        for one in self.traffic:
            one.idle()
        self.balanced()
        for one in self.traffic:
            one.command(b"g")

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
    first, begin = t.frames(), time.monotonic()
    try:
        for turn in range(CHANGES):
            t.pass_(ARGUMENTS.frames // CHANGES)
            done.append(t.change(dice))
            if turn % (CHANGES // QUIET) == 0:
                t.quiet()
        t.pass_(ARGUMENTS.frames // CHANGES)
        frames = t.frames() - first
        tap.note(f"{frames / (time.monotonic() - begin):.0f} frames a second")
        t.finish()
    except Exception:
        tap.note(f"the last changes: {done[-8:]}")
        raise
    t.balanced()
    wrong, full = t.counted()
    tap.note(f"{frames} frames, {sum(port.dropped() for port in t.made)} dropped on the wire; {full}")
    tap.equal(sum(wrong.values()), 0, f"packets that are wrong: {wrong}")
    t.ping()


tap.main(Soak)
