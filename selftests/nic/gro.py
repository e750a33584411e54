#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Merging on reception: less packets for the stack, the same data, exact counts."""

import contextlib
import os
import re
import select
import socket
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import content  # noqa: E402
import control  # noqa: E402
import ethnl    # noqa: E402
import frames   # noqa: E402
import net      # noqa: E402
import nic      # noqa: E402
import rtnl     # noqa: E402
import tap      # noqa: E402
from trace import Trace     # noqa: E402

PSH, ACK = 0x08, 0x10
SOL_PACKET, PACKET_VNET_HDR = 263, 15
UDP_GRO, SO_MEMINFO = 104, 55
PAGE = os.sysconf("SC_PAGE_SIZE")
# Long enough to send some frames.  Where it is not, they come in more than one poll, but still together.
MOMENT = 0.5 * net.SLOW
SEGMENT = 1000


def segments(count, seq=1000, sport=4000, size=SEGMENT, v6=False, gap=None, push=False, tail=None):
    """Frames of one TCP stream, one behind the other; `gap` leaves one out, `push` marks
    the last as the end of what there is to send, which has `tail` bytes if it is shorter."""
    src, dst = net.V6 if v6 else net.V4
    made = []
    for number in range(count):
        if number == gap:
            continue
        flags = ACK | PSH if push and number == count - 1 else ACK
        length = tail if tail and number == count - 1 else size
        body = frames.tcp(src, dst, sport, 5000, seq + number * size, 1, flags,
                          content.randbytes(number, length))
        packet = frames.ipv6(src, dst, 6, body) if v6 else \
            frames.ipv4(src, dst, 6, body, ident=1 + number, flags=0x4000)
        made.append(frames.ether(net.MAC[1], net.MAC[0],
                                 frames.ETH_P_IPV6 if v6 else frames.ETH_P_IP, packet))
    return made


def received(t, other, sent, sender):
    """Sends frames together; the sizes of the packets that fe1's stack gets."""
    return [len(packet) for packet in packets(t, other, sent, sender)]


def packets(t, other, sent, sender):
    """Sends frames together; the packets that fe1's stack gets.  The receiver, which has one
    channel, is deferred meanwhile, so that they are there together."""
    other.one_channel()
    with t.n1.packet("fe1") as receiver:
        with nic.stalled(other, sender, nic.udp_frame(), seconds=MOMENT):
            nic.drain(receiver)
            for frame in sent:
                sender.send(frame)
        # What comes behind them in the same ring comes after them.
        got = []
        header = 74 if sent[0][12:14] == b"\x86\xdd" else 54
        while sum(len(packet) - header for packet in got) < \
                sum(len(frame) - header for frame in sent):
            got.append(receiver.recv(70000))
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

    def merged():
        """Frames that became part of another packet, in the NIC or in the stack."""
        packets_of, _, frames_of, _ = wire_counts(other)
        return frames_of - packets_of + other.private()["gro_merged"]

    for addresses in (net.V4, net.V6):
        before = merged()
        content.stream(t.n0, t.n1, *addresses, 2000000)
        tap.equal(merged() > before, True, f"{merged() - before} frames merged")


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


@tap.case("rx-gro-hw: a frame that the wire has padded is merged as the last, without its padding")
def padded(t):
    _, other = ready(t)
    sent = segments(3, push=True, tail=1)
    data = b"".join(frame[54:] for frame in sent)
    with t.n0.packet("fe0") as sender:
        # Where the machine is slow they may come too far apart.
        for _ in range(100):
            before = wire_counts(other)
            got = packets(t, other, sent, sender)
            if len(got) == 1:
                break
    content.same(got[0][54:], data, "the only packet's payload")
    tap.equal(struct.unpack("!H", got[0][16:18])[0], 40 + len(data), "length of its IP packet")
    tap.equal([b - a for a, b in zip(before, wire_counts(other))],
              [1, 54 + len(data), 3, 2 * (54 + SEGMENT) + 60], "counts")


@tap.case("a super-frame whose last frame is short counts as padded at both ends, merged or not")
def short_last(t):
    one, other = t.nics(quiet=True)
    supported(other)
    frame = segments(1, size=3 * SEGMENT + 1)[0]
    wire_bytes = 3 * (54 + SEGMENT) + 60
    with t.n0.packet("fe0") as sender, t.n1.packet("fe1", frames.ETH_P_IP) as receiver:
        sender.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
        for merges in (True, False):
            other.set("-K", "gro", "off", "rx-gro-hw", "on" if merges else "off")
            before = one.link["stats"], other.link["stats"], one.by_length()[0], other.by_length()[1], \
                one.qstats(), other.qstats()
            sender.send(frames.tcp4_super_frame(frame, SEGMENT))
            if merges:
                content.same(receiver.recv(70000)[54:], frame[54:], "payload")
            else:
                got = [receiver.recv(70000) for _ in range(4)]
                tap.equal([len(one) for one in got], [54 + SEGMENT] * 3 + [60], "frames")
            t.balanced()
            after = one.link["stats"], other.link["stats"], one.by_length()[0], other.by_length()[1], \
                one.qstats(), other.qstats()
            for at, way in enumerate(("tx", "rx")):
                for key, want in (("packets", 4), ("bytes", wire_bytes)):
                    tap.equal(after[at][f"{way}_{key}"] - before[at][f"{way}_{key}"], want,
                              f"{way}_{key}, merges: {merges}")
                a, b = before[2 + at], after[2 + at]
                tap.equal(sorted(b[key] - a[key] for key in b if b[key] != a[key]), [1, 3],
                          f"{way}: lengths of frames, merges: {merges}")
                tap.equal(b[(0, 64)] - a[(0, 64)], 1, f"{way}: shortest frames")
            tap.equal(after[4]["tx_hw_gso_wire_bytes"] - before[4]["tx_hw_gso_wire_bytes"],
                      wire_bytes, "bytes of what was cut")
            tap.equal(after[5]["rx_hw_gro_wire_bytes"] - before[5]["rx_hw_gro_wire_bytes"],
                      wire_bytes if merges else 0, "bytes of what was merged")


@tap.case("rx-gro-hw off: nothing is counted as merged")
def hardware_off(t):
    one, other = t.nics()
    supported(other)
    other.set("-K", "rx-gro-hw", "off")
    before = wire_counts(other)
    content.stream(t.n0, t.n1, *net.V4, 500000)
    tap.equal(wire_counts(other), before, "counts")


def pushed(frame):
    """The frame with the mark that what there is to send ends in it."""
    head, data = frame[:34], frame[54:]
    sport, dport, seq, ack = struct.unpack("!HHII", frame[34:46])
    return head + frames.tcp(*net.V4, sport, dport, seq, ack, ACK | PSH, data)


def piece(packet):
    """Source port of a packet of TCP over IPv4, its place in the stream, and its bytes."""
    sport, _, seq = struct.unpack("!HHI", packet[34:42])
    return sport, seq - 1000, packet[54:]


@tap.case("a gap, a push and another flow end a packet; no byte is lost or doubled")
def boundaries(t):
    """Whatever merges, the NIC or the stack: each packet is a piece of one stream, right where its
    sequence number says."""
    _, other = t.nics(quiet=True)
    streams = {4000: b"".join(content.randbytes(number, SEGMENT) for number in range(10))}
    streams[4001] = streams[4000]
    gap = segments(10, gap=5)
    mixed = [frame for two in zip(segments(10), segments(10, sport=4001)) for frame in two]
    push = [pushed(frame) if number in (3, 6) else frame for number, frame in enumerate(segments(10))]
    supported(other)
    for words in (("gro", "off", "rx-gro-hw", "on"), ("gro", "on", "rx-gro-hw", "off")):
        other.set("-K", *words)
        for what, sent in (("a gap", gap), ("a push", push), ("another flow", mixed)):
            with t.n0.packet("fe0") as sender:
                got = packets(t, other, sent, sender)
            pieces = [piece(packet) for packet in got]
            for port, at, data in pieces:
                content.same(data, streams[port][at:at + len(data)], f"piece of a stream with {what}")
            tap.equal(len(got) < len(sent), True, f"packets merged with {what}")
            if what == "a push":
                # Nothing is behind the end of what there was to send.
                tap.equal([end for end in (4000, 7000) for _, at, data in pieces
                           if at < end < at + len(data)], [], "merged over a push")
            tap.equal(sum(len(data) for _, _, data in pieces), len(sent) * SEGMENT, "bytes")


@tap.case("UDP merges only for who asks for it")
def udp(t):
    _, port = t.nics(only4=True)
    port.one_channel()
    t.ping()
    for asks in (False, True):
        with t.n0.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender, \
                t.n1.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver, \
                t.n0.packet("fe0") as waker:
            receiver.bind((net.V4[1], 5004))
            if asks:
                receiver.setsockopt(socket.IPPROTO_UDP, UDP_GRO, 1)
            with nic.stalled(port, waker, nic.udp_frame(), seconds=MOMENT):
                for number in range(20):
                    sender.sendto(content.randbytes(number, 1000), (net.V4[1], 5004))
            got = []
            while sum(map(len, got)) < 20 * 1000:
                got.append(receiver.recv(70000))
            content.same(b"".join(got), b"".join(content.randbytes(number, 1000) for number in range(20)),
                         "datagrams")
            tap.equal(len(got) < 20, asks, f"merged: {[len(data) for data in got]}")
    with t.n0.socket(socket.AF_INET, socket.SOCK_DGRAM) as one, \
            t.n1.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind((net.V4[1], 5004))
        for number in range(50):
            one.sendto(content.randbytes(number, 1000), (net.V4[1], 5004))
        for number in range(50):
            content.same(other.recv(4000), content.randbytes(number, 1000), f"datagram {number}")


def take(receiver, size):
    """Reads packets of TCP over IPv4 until they carry so many bytes; their lengths."""
    got = []
    while sum(length - 54 for length in got) < size:
        got.append(len(receiver.recv(70000)))
    return got


def ready(t, channels=1):
    """A quiet pair, of which fe1 merges and its stack does not."""
    one, other = t.nics(quiet=True)
    supported(other)
    other.set("-K", "gro", "off")
    other.ethtool.set(ethnl.CHANNELS, combined=channels)
    return one, other


@contextlib.contextmanager
def busy(t):
    """While the body runs, frames of other streams come to all queues of fe1."""
    over = threading.Event()
    made = [nic.udp_frame(sport=sport, v6=True) for sport in range(64)]

    def send():
        with t.n0.packet("fe0") as sender:
            while not over.is_set():
                # None are taken while there is no carrier.
                with contextlib.suppress(OSError):
                    for frame in made:
                        sender.send(frame)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@tap.case("rx-gro-hw: frames of one stream that polls find one by one merge")
def over_polls(t):
    _, other = ready(t)
    other.ethtool.set(ethnl.COALESCE, rx_usecs=0)
    with t.n0.packet("fe0") as sender, t.n1.packet("fe1", frames.ETH_P_IP) as receiver:
        # Where the machine is slow they may come too far apart, or in one poll after all.
        for attempt in range(1, 1001):
            before = wire_counts(other), other.private()
            for frame in segments(2, push=True):
                sender.send(frame)
            got = take(receiver, 2 * SEGMENT)
            after = wire_counts(other), other.private()
            polls = {name: after[1][name] - before[1][name] for name in after[1]
                     if name.startswith("napi_polls_of_") and name[14:] not in ("0", "1")}
            if len(got) == 1 and not any(polls.values()):
                tap.note(f"attempt {attempt}")
                tap.equal([b - a for a, b in zip(before[0], after[0])],
                          [1, 54 + 2 * SEGMENT, 2, 2 * (54 + SEGMENT)], "counts")
                return
    raise AssertionError("no two merged")


@tap.case("rx-gro-hw: small frames that were merged take little of their receiver's memory")
def small(t):
    _, other = ready(t)
    with t.n0.packet("fe0") as sender, t.n1.packet("fe1", frames.ETH_P_IP) as receiver:
        # The kernel doubles it: of packets with a buffer of half a page each not nearly so many would have room.
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 5 << 14)
        for number in range(64):
            for frame in segments(2, sport=4000 + number, size=200, push=True):
                sender.send(frame)
        t.balanced()
        got = nic.drain(receiver)
        tap.equal(got in range(64, 129), True, f"{got} packets received: between 64 and 128")
    tap.equal(other.qstats()["rx_hw_gro_packets"] > 32, True, "packets merged")


@tap.case("rx-gro-hw: who holds a merged packet is charged for what of a page it keeps")
def charged(t):
    """Of each small frame that was added, a quarter of a page at least: the page comes back with the last of its pieces."""
    _, other = ready(t)
    with t.n0.packet("fe0") as sender, t.n1.packet("fe1", frames.ETH_P_IP) as receiver:
        def charge(count):
            """Sends so many frames: what the socket is charged for the first packet, and the lengths of all."""
            for frame in segments(count, size=8, push=True):
                sender.send(frame)
            select.select([receiver], [], [], net.PATIENCE)
            memory = struct.unpack_from("=I", receiver.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, 36))
            return memory[0], take(receiver, 8 * count)

        alone, _ = charge(1)
        # Where the machine is slow they may come too far apart.
        for attempt in range(1, 1001):
            merged, got = charge(3)
            if got == [54 + 24]:
                tap.note(f"attempt {attempt}: {alone} bytes, merged {merged}")
                tap.equal(merged - alone >= 2 * PAGE // 4, True, f"{merged} bytes for three, {alone} for one")
                return
    raise AssertionError("no three merged")


@tap.case("rx-gro-hw: what waits for more goes up when nothing comes, or nothing but other streams")
def lone(t):
    _, other = ready(t)
    before = wire_counts(other), other.link["stats"]
    with t.n0.packet("fe0") as sender, t.n1.packet("fe1", frames.ETH_P_IP) as receiver:
        for count in (1, 2, 3):
            for frame in segments(count):
                sender.send(frame)
            take(receiver, count * SEGMENT)
        t.balanced()
        merged = [b - a for a, b in zip(before[0], wire_counts(other))]
        tap.equal(other.link["stats"]["rx_packets"] - before[1]["rx_packets"], 6, "frames")
        tap.equal(merged[2] - merged[0], (merged[3] - merged[1]) // 54, "headers merged away")
        with busy(t):
            for turn in range(5):
                sender.send(segments(1, sport=4000 + turn)[0])
                take(receiver, SEGMENT)
    t.balanced()


@tap.case("rx-gro-hw: what waits for more goes up in time, however many others begin to wait")
def in_time(t):
    """None of them passes it, and for all of them there is a place."""
    _, other = ready(t)
    with t.n0.packet("fe0") as sender, t.n1.packet("fe1", frames.ETH_P_IP) as receiver:
        receiver.setblocking(False)
        # Where the sender is held up the queue is quiet, and all that is held goes up: that tells nothing.
        for _ in range(30):
            others, up = one_and_others(sender, receiver)
            tap.equal(up[0], 4000, "the first that goes up")
            if len(up) <= others // 2:
                tap.note(f"{others} others had begun to wait, and {len(up)} went up")
                return
            tap.note(f"{others} others had begun to wait, and {len(up)} went up: the queue was quiet")
            net.wait_until(lambda got=up, all_=others + 1: len(got) == all_ or got.extend(ports_of(receiver)),
                           "all that was sent")
    raise AssertionError("nothing went up but where the queue was quiet")


def ports_of(receiver):
    """The source ports of what has come."""
    found = []
    with contextlib.suppress(BlockingIOError):
        while True:
            found.append(piece(receiver.recv(70000))[0])
    return found


def one_and_others(sender, receiver):
    """Sends a frame, and others of other streams, until something goes up; how many, and their ports."""
    sender.send(segments(1, sport=4000)[0])
    for others in range(1, 451):
        # Who sleeps may leave the queue quiet.
        until = time.monotonic() + 0.0001
        while time.monotonic() < until:
            pass
        sender.send(segments(1, sport=4000 + others)[0])
        up = ports_of(receiver)
        if up:
            return others, up
    raise AssertionError("450 frames later it is still held")


@tap.case("rx-gro-hw: what waits for more goes up in polls that keep to their budget")
def budget(t):
    _, other = ready(t)
    streams = 200
    sent = [segments(1, sport=4000 + number)[0] for number in range(streams)]
    with t.n0.packet("fe0") as sender, Trace("napi/napi_poll", "net/napi_gro_receive_entry") as trace:
        packets(t, other, sent, sender)
        in_poll, polls = {}, []
        for line in trace.lines():
            cpu, event = re.search(r"\[(\d+)\] \S+ +[\d.]+: (.*)", line).groups()
            if event.startswith("napi_gro_receive_entry: dev=fe1"):
                in_poll[cpu] = in_poll.get(cpu, 0) + 1
            elif "for device fe1 " in event:
                work, budget_ = map(int, re.search(r"work (\d+) budget (\d+)", event).groups())
                polls.append((in_poll.pop(cpu, 0), work, budget_))
    # One is the datagram that begins it.
    tap.equal(sum(given for given, _, _ in polls), streams + 1, "packets given to the stack")
    tap.equal([poll for poll in polls if not poll[0] <= poll[1] <= poll[2]], [],
              "polls (packets, work, budget) that gave more than they told")


@tap.case("rx-gro-hw: nothing that waits for more is lost when rings, channels, features change")
def kept(t):
    one, other = ready(t, 4)
    with contextlib.closing(control.Raw(t.n0)) as family:
        wire = rtnl.attr(control.WIRE_ID, family.ports()[one.index]["wire"])
        changes = (
            lambda: other.ethtool.set(ethnl.RINGS, rx=256),
            lambda: other.ethtool.set(ethnl.RINGS, rx=512),
            lambda: other.ethtool.set(ethnl.CHANNELS, combined=1),
            lambda: other.ethtool.set(ethnl.CHANNELS, combined=4),
            lambda: other.namespace.rtnl.change(other.name, mtu=9000),
            lambda: other.namespace.rtnl.change(other.name, mtu=1500),
            lambda: other.ethtool.feature("rx-gro-hw", False),
            lambda: other.ethtool.feature("rx-gro-hw", True),
            lambda: family.send(control.WIRE_SET, wire + rtnl.attr(3, 1)),
            lambda: family.send(control.WIRE_SET, wire + rtnl.attr(3, 0)),
        )
        with t.n0.packet("fe0") as sender, \
                t.n1.packet("fe1", frames.ETH_P_IP) as receiver, busy(t):
            for turn, change in enumerate(changes * 3):
                for number in range(8):
                    sender.send(segments(1, sport=4000 + 8 * turn + number)[0])
                change()
                take(receiver, 8 * SEGMENT)
    t.balanced()


@tap.case("rx-gro-hw: what waits for more when the port goes down is counted")
def closed(t):
    _, other = ready(t, 4)
    with t.n0.packet("fe0") as sender, busy(t):
        for turn in range(10):
            for number in range(8):
                sender.send(segments(1, sport=4000 + 8 * turn + number)[0])
            other.namespace.rtnl.change(other.name, up=False)
            other.namespace.rtnl.change(other.name, up=True)
            t.ready()
    t.balanced()


tap.main(nic.Pair)
