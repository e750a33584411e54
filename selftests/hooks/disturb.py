#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What rules do to packets besides letting them pass or not: marks, header
fields, corruption, truncation, copies, delay, reordering; also of super frames,
and of pages that belong to a file."""

import errno
import hashlib
import os
import socket
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import frames   # noqa: E402
import hooks    # noqa: E402
import net      # noqa: E402
import tap      # noqa: E402
from counters import snmp  # noqa: E402
from hooks import TCP, UDP, term     # noqa: E402
from stream import Stream   # noqa: E402

TO_PORT = (term("protocol", UDP), term("dport", 5000))
TCP_TO_PORT = (term("protocol", TCP), term("dport", 5001))
LONG = 50 * 10**9       # longer than any test waits


def payloads(count, start=0):
    return [b"%04d" % number for number in range(start, start + count)]


@tap.case("set-mark: later chains see the mark, a mask keeps other bits")
def mark(t):
    t.pair()
    t.h1.chain("a", "prerouting", priority=-10)
    t.h1.chain("b", "input")
    t.h1.rule("a", *TO_PORT, action="set-mark", mark=0x11)
    t.h1.rule("a", *TO_PORT, action="set-mark", mark=0x220, mark_mask=0xFF0)
    # The mark as the packet entered the chain.
    same = t.h1.rule("a", term("mark", 0x11))
    seen = t.h1.rule("b", term("mark", 0x221))
    with hooks.Datagrams(t) as udp:
        udp.send(b"x")
        udp.receive(1)
    tap.equal((t.h1.get("a", same)["packets"], t.h1.get("b", seen)["packets"]), (0, 1), "seen")


@tap.case("set-mark at output chooses another route")
def reroute(t):
    t.pair()
    t.n0.ip("rule", "add", "fwmark", "7", "table", "77")
    t.n0.ip("route", "add", "blackhole", "default", "table", "77")
    t.h0.chain("out", "output", family="ip")
    t.h0.rule("out", *TO_PORT, action="set-mark", mark=7, nth=2)
    with hooks.Datagrams(t) as udp:
        udp.send(b"a")
        try:
            udp.send(b"b")
        except OSError as error:
            tap.note(f"the second: {error}")
        udp.send(b"c")
        tap.equal(udp.receive(2), [b"a", b"c"], "arrived")
    t.n0.ip("rule", "del", "fwmark", "7", "table", "77")


@tap.case("set-dscp and set-ecn: the receiver sees them, checksums are right")
def traffic_class(t):
    t.pair()
    for family, level, option, kind in ((4, socket.IPPROTO_IP, 13, socket.IP_TOS),
                                        (6, socket.IPPROTO_IPV6, 66, 67)):
        for hooks_, hook, dev in ((t.h0, "egress", "fe0"), (t.h0, "postrouting", None),
                                  (t.h1, "ingress", "fe1"), (t.h1, "input", None)):
            hooks_.chain("x", hook, dev=dev)
            hooks_.rule("x", *TO_PORT, action="set-dscp", dscp=46)
            hooks_.rule("x", *TO_PORT, action="set-ecn", ecn=1)
            with hooks.Datagrams(t, family) as udp:
                udp.receiver.setsockopt(level, option, 1)
                udp.send(b"x" * 1000)
                data, extra, _, _ = udp.receiver.recvmsg(2000, 100)
                tap.equal(data, b"x" * 1000, "content")
                found = {(entry[0], entry[1]): entry[2][0] for entry in extra}
                tap.equal(found[level, kind], 46 << 2 | 1, f"IPv{family} at {hook}")
            hooks_.clear()


@tap.case("queue: dropped if nobody listens, accepted with bypass; not at a device")
def queue(t):
    t.pair()
    t.h1.chain("in", "input")
    rule = t.h1.rule("in", *TO_PORT, action="queue", queue=7)
    with hooks.Datagrams(t) as udp:
        udp.send(b"a")
        net.wait_until(lambda: t.h1.get("in", rule)["packets"] == 1, "the first")
        t.h1.replace("in", rule, *TO_PORT, action="queue", queue=7, bypass=True)
        udp.send(b"b")
        tap.equal(udp.receive(1), [b"b"], "arrived")
    t.h1.chain("dev", "ingress", dev="fe1")
    body = t.h1.words("dev", (), "queue", queue=7)
    t.h1.refused(errno.EINVAL, hooks.RULE_ADD, body, at=8)


@tap.case("corrupt: one bit of the payload of the second packet")
def corrupt(t):
    t.pair()
    for hooks_, hook, dev, offset in ((t.h1, "ingress", "fe1", 42), (t.h1, "input", None, 28),
                                      (t.h0, "output", None, 28), (t.h0, "egress", "fe0", 42)):
        hooks_.chain("x", hook, dev=dev)
        hooks_.rule("x", *TO_PORT, action="corrupt", nth=2, bits=1, offset=offset, seed=9)
        with hooks.Datagrams(t) as udp:
            udp.sender.setsockopt(socket.SOL_SOCKET, 11, 1)     # SO_NO_CHECK
            udp.send(*(bytes(300) for _ in range(3)))
            bits = [sum(byte.bit_count() for byte in data) for data in udp.receive(3)]
            tap.equal(bits, [0, 1, 0], f"bits that are set, {hook}")
            udp.sender.setsockopt(socket.SOL_SOCKET, 11, 0)
            hooks_.reset("x")
            # A datagram with a checksum is found to be wrong.
            before = snmp(t.n1, "Udp", "InCsumErrors")
            udp.send(*payloads(3))
            tap.equal(udp.receive(2), [b"0000", b"0002"], hook)
            tap.equal(snmp(t.n1, "Udp", "InCsumErrors") - before, 1, f"checksum errors, {hook}")
        hooks_.clear()


@tap.case("corrupt: the same seed, the same bits")
def seeds(t):
    t.pair()
    seen = []
    for seed in (1, 1, 2):
        t.h1.chain("x", "input")
        t.h1.rule("x", *TO_PORT, action="corrupt", bits=8, offset=28, seed=seed)
        with hooks.Datagrams(t) as udp:
            udp.sender.setsockopt(socket.SOL_SOCKET, 11, 1)
            udp.send(*(bytes(300) for _ in range(5)))
            seen.append(udp.receive(5))
        t.h1.clear()
    tap.equal((seen[0] == seen[1], seen[0] == seen[2]), (True, False), "alike")


@tap.case("truncate: frames end where they are cut off")
def truncate(t):
    t.pair(quiet=True)
    t.h1.chain("x", "ingress", dev="fe1")
    t.h1.rule("x", term("ethertype", frames.ETH_P_TEST), action="truncate", length=100, nth=2)
    with t.n0.packet("fe0") as sender, t.n1.packet("fe1", frames.ETH_P_TEST) as receiver:
        for number in range(3):
            sender.send(frames.ether(net.MAC[1], net.MAC[0], frames.ETH_P_TEST,
                                     bytes([number]) * 500))
        tap.equal([len(receiver.recv(2000)) for _ in range(3)], [514, 100, 514], "lengths")


@tap.case("duplicate: so many copies, all alike, at every hook")
def duplicate(t):
    t.pair()
    for family in (4, 6):
        for hooks_, hook, dev in ((t.h0, "output", None), (t.h0, "postrouting", None),
                                  (t.h0, "egress", "fe0"), (t.h1, "ingress", "fe1"),
                                  (t.h1, "prerouting", None), (t.h1, "input", None)):
            hooks_.chain("x", hook, dev=dev)
            rule = hooks_.rule("x", *TO_PORT, action="duplicate", copies=3, nth=2)
            with hooks.Datagrams(t, family) as udp:
                udp.send(*payloads(3))
                tap.equal(udp.receive(6), [b"0000"] + 4 * [b"0001"] + [b"0002"], hook)
                tap.equal(hooks_.acted("x", rule), (3, 1), "the copies are not matched again")
            hooks_.clear()


@tap.case("delay: others pass, and the packet goes on where it was")
def delay(t):
    t.pair()
    for family in (4, 6):
        for hooks_, hook, dev in ((t.h0, "output", None), (t.h0, "postrouting", None),
                                  (t.h0, "egress", "fe0"), (t.h1, "ingress", "fe1"),
                                  (t.h1, "prerouting", None), (t.h1, "input", None)):
            hooks_.chain("x", hook, dev=dev)
            hooks_.chain("after", hook, dev=dev, priority=1)
            rule = hooks_.rule("x", *TO_PORT, action="delay", delay=LONG, nth=1)
            after = hooks_.rule("after", *TO_PORT)
            with hooks.Datagrams(t, family) as udp:
                udp.send(*payloads(4))
                tap.equal(udp.receive(3), payloads(4)[1:], f"before, {hook}")
                tap.equal(hooks_.chains()["x"]["held"], 1, "held")
                # Its rule goes: so does the packet.
                hooks_.remove("x", rule)
                tap.equal(udp.receive(1), [b"0000"], f"behind, {hook}")
                tap.equal(hooks_.get("after", after)["packets"], 4, "at the hook behind")
                tap.equal(hooks_.chains()["x"]["held"], 0, "held")
            hooks_.clear()


@tap.case("delay: a timer lets packets go, in their order")
def timer(t):
    t.pair()
    t.h1.chain("x", "input")
    t.h1.rule("x", *TO_PORT, action="delay", delay=30 * 10**6)
    with hooks.Datagrams(t) as udp:
        udp.send(*payloads(200))
        tap.equal(udp.receive(200), payloads(200), "all")
    t.h1.clear()
    t.h1.chain("x", "input")
    t.h1.rule("x", *TO_PORT, action="delay", delay=20 * 10**6, jitter=10 * 10**6, seed=3)
    with hooks.Datagrams(t) as udp:
        udp.send(*payloads(200))
        tap.equal(sorted(udp.receive(200)), payloads(200), "all, with jitter")


@tap.case("reorder: so many others overtake the packet")
def reorder(t):
    t.pair()
    for hooks_, hook, dev in ((t.h0, "output", None), (t.h0, "egress", "fe0"),
                              (t.h1, "ingress", "fe1"), (t.h1, "input", None)):
        hooks_.chain("x", hook, dev=dev)
        hooks_.rule("x", *TO_PORT, action="reorder", gap=2, timeout=LONG, nth=2)
        with hooks.Datagrams(t) as udp:
            udp.send(*payloads(6))
            tap.equal(udp.receive(6), [b"0000", b"0002", b"0003", b"0001", b"0004", b"0005"], hook)
        hooks_.clear()


@tap.case("held packets: dropped when their device goes, bounded in number")
def held(t):
    t.pair()
    t.h1.chain("x", "input")
    t.h1.chain("dev", "ingress", dev="fe1")
    t.h1.rule("x", *TO_PORT, action="delay", delay=LONG, every=2)
    t.h1.rule("dev", *TO_PORT, action="delay", delay=LONG, every=3)
    with hooks.Datagrams(t) as udp:
        udp.send(*payloads(300))
        net.wait_until(lambda: sum(c["held"] for c in t.h1.chains().values()) == 200, "held")
    t.n1.rtnl.change("fe1", up=False)
    tap.equal([c["held"] for c in t.h1.chains().values()], [0, 0], "after the device went down")
    t.n1.rtnl.change("fe1", up=True)
    t.ready()
    with hooks.Datagrams(t) as udp:
        udp.send(*payloads(30))
        net.wait_until(lambda: t.h1.chains()["dev"]["held"] == 10, "held")
    t.n0.rtnl.delete("fe0")
    tap.equal({n: c["held"] for n, c in t.h1.chains().items()}, {"x": 0}, "the device is gone")


@tap.case("held packets: 10,000 of them when a namespace ends")
def namespace(t):
    a = net.Namespace("a")
    with a:
        there = hooks.Hooks(a)
        a.rtnl.change("lo", up=True)
        there.chain("x", "input")
        rule = there.rule("x", term("protocol", UDP), action="delay", delay=LONG)
        sender = a.socket(socket.AF_INET, socket.SOCK_DGRAM)
        receiver = a.socket(socket.AF_INET, socket.SOCK_DGRAM)
        receiver.bind(("127.0.0.1", 5000))
        sender.connect(("127.0.0.1", 5000))
        for _ in range(10000):
            sender.send(b"x")
        net.wait_until(lambda: there.get("x", rule)["packets"] == 10000, "sent")
        tap.equal(there.chains()["x"]["held"], 10000, "held")
        sender.close()
        receiver.close()
        there.close()
    a.close()


@tap.case("super frames: a segment of one is dropped, corrupted, truncated, copied, held")
def segments(t):
    t.pair()
    data = os.urandom(1 << 20)
    want = hashlib.sha256(data).hexdigest()
    for hook, dev in (("output", None), ("egress", "fe0")):
        for action, more in (("drop", {}), ("corrupt", {"bits": 3, "offset": 80}),
                             ("truncate", {"length": 200}), ("duplicate", {}),
                             ("reorder", {"gap": 3}), ("delay", {"delay": 10**6})):
            t.h0.chain("x", hook, dev=dev)
            rule = t.h0.rule("x", *TCP_TO_PORT, action=action, every=100, segments=True, **more)
            stream = Stream(t)
            stream.sender.sendall(data)
            tap.equal(stream.end(), want, f"content, {action} at {hook}")
            found = t.h0.get("x", rule)
            if found["acted"] < 5 or found["packets"] >= 100 * found["acted"]:
                raise AssertionError(f"{action} at {hook}: {found}")
            t.h0.clear()


@tap.case("a file's pages are never written: corruption of what sendfile sends")
def pages(t):
    t.pair()
    data = os.urandom(1 << 18)
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        for hook, dev in (("output", None), ("egress", "fe0")):
            t.h0.chain("x", hook, dev=dev)
            rule = t.h0.rule("x", *TCP_TO_PORT, action="corrupt", bits=100, offset=80, every=5,
                             at_most=20)
            stream = Stream(t)
            stream.sender.sendfile(file, 0)
            tap.equal(stream.end(), hashlib.sha256(data).hexdigest(), f"content at {hook}")
            if not t.h0.get("x", rule)["acted"]:
                raise AssertionError(f"{hook}: nothing was corrupted")
            file.seek(0)
            tap.equal(file.read() == data, True, f"the file, {hook}")
            t.h0.clear()


tap.main(hooks.Topology)
