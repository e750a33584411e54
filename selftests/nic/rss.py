#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Receive-side scaling: the hash is Toeplitz's to the bit, and table, key and
fields do what they say."""

import errno
import os
import socket
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import ethnl    # noqa: E402
import frames   # noqa: E402
import net      # noqa: E402
import nic      # noqa: E402
import rtnl     # noqa: E402
import tap      # noqa: E402
import toeplitz  # noqa: E402

SO_ATTACH_FILTER = 26
BPF_LD_ABS, BPF_JEQ, BPF_RET = 0x20, 0x15, 0x06
SKF_AD_RXHASH, SKF_AD_QUEUE = 0xFFFFF000 + 32, 0xFFFFF000 + 24
SYMMETRIC = 1


class Filter:
    """A packet socket that takes only frames whose recorded hash, or queue, is a
    given one; the value of the packet itself is judged by the kernel."""

    def __init__(self, namespace, name):
        self.socket = namespace.packet(name)

    def want(self, where, value):
        program = [(BPF_LD_ABS, 0, 0, where), (BPF_JEQ, 0, 1, value), (BPF_RET, 0, 0, 65535),
                   (BPF_RET, 0, 0, 0)]
        self.code = b"".join(struct.pack("=HBBI", *step) for step in program)
        # The program must stay in memory until the kernel has copied it.
        import ctypes
        self.buffer = ctypes.create_string_buffer(self.code)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER,
                               struct.pack("@HP", len(program), ctypes.addressof(self.buffer)))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


def frame_of(src, dst, proto, sport=None, dport=None):
    if proto == 17:
        body = frames.udp(src, dst, sport, dport, b"rss" * 10)
    elif proto == 6:
        body = frames.tcp(src, dst, sport, dport, 1, 1, 0x10)
    else:
        body = b"no ports" * 4
    kind = frames.ETH_P_IPV6 if ":" in src else frames.ETH_P_IP
    return frames.ether(net.MAC[1], net.MAC[0], kind, frames.ip(src, dst, proto, body))


def expect_hash(sender, taker, frame, value, what):
    """The frame must arrive with that hash."""
    taker.want(SKF_AD_RXHASH, value)
    nic.drain(taker.socket)
    sender.send(frame)
    try:
        taker.socket.settimeout(net.PATIENCE)
        taker.socket.recv(4000)
    except TimeoutError:
        raise AssertionError(f"{what}: no frame with hash {value:#010x}") from None


@tap.case("the published vectors, recorded in the packet to the bit, and by queue")
def vectors(t):
    toeplitz.check_self()
    one, other = t.nics(quiet=True)
    other.ethtool.rss_set(hkey=toeplitz.KEY)
    other.set("-N", "rx-flow-hash", "tcp4", "sdfn")
    other.set("-N", "rx-flow-hash", "tcp6", "sdfn")
    tap.equal(other.rss()["hkey"], toeplitz.KEY, "key")
    table = other.rss()["indir"]
    with t.n0.packet("fe0") as sender, Filter(t.n1, "fe1") as taker:
        for src, sport, dst, dport, plain, ports in toeplitz.VECTORS_V4 + toeplitz.VECTORS_V6:
            expect_hash(sender, taker, frame_of(src, dst, 253), plain, f"{src} to {dst}")
            frame = frame_of(src, dst, 6, sport, dport)
            expect_hash(sender, taker, frame, ports, f"{src}:{sport} to {dst}:{dport}")
            # The queue is recorded too; the core counts from one.
            taker.want(SKF_AD_QUEUE, table[ports % len(table)] + 1)
            nic.drain(taker.socket)
            sender.send(frame)
            taker.socket.recv(4000)


@tap.case("many flows go where the table says, under a key of our own")
def prediction(t):
    one, other = t.nics(quiet=True)
    key = bytes(range(7, 59))
    other.ethtool.rss_set(hkey=key)
    other.set("-N", "rx-flow-hash", "udp4", "sdfn")
    table = other.rss()["indir"]
    count = other.channels()["combined"]
    want = dict.fromkeys(range(count), 0)
    before = other.rx_by_queue()
    with t.n0.packet("fe0") as sender:
        for sport in range(2000, 2200):
            sender.send(nic.udp_frame(sport=sport, dport=53))
            value = toeplitz.of_flow(key, net.V4[0], net.V4[1], sport, 53)
            want[table[value % len(table)]] += 1
    t.balanced()
    after = other.rx_by_queue()
    tap.equal({queue: after[queue] - before[queue] for queue in after}, want, "frames by queue")


@tap.case("fields of the hash by flow type")
def fields(t):
    one, other = t.nics(quiet=True)
    key = other.rss()["hkey"]
    src, dst = net.V4
    with t.n0.packet("fe0") as sender, Filter(t.n1, "fe1") as taker:
        other.set("-N", "rx-flow-hash", "udp4", "sd")
        expect_hash(sender, taker, frame_of(src, dst, 17, 1, 2), toeplitz.of_flow(key, src, dst),
                    "udp4 by addresses")
        other.set("-N", "rx-flow-hash", "udp4", "sdfn")
        expect_hash(sender, taker, frame_of(src, dst, 17, 1, 2),
                    toeplitz.of_flow(key, src, dst, 1, 2), "udp4 by addresses and ports")
        for flow, proto, (src, dst) in (("tcp4", 6, net.V4), ("tcp6", 6, net.V6),
                                        ("udp6", 17, net.V6)):
            for words, ports in (("sd", ()), ("sdfn", (77, 88))):
                other.set("-N", "rx-flow-hash", flow, words)
                shown = t.n1.ethtool("-n", "fe1", "rx-flow-hash", flow)
                if ("L4 bytes" in shown) != bool(ports):
                    raise AssertionError(shown)
                expect_hash(sender, taker, frame_of(src, dst, proto, 77, 88),
                            toeplitz.of_flow(key, src, dst, *ports), f"{flow} {words}")


@tap.case("fragments and VLAN-tagged frames hash by their addresses and inner flow")
def odd_frames(t):
    one, other = t.nics(quiet=True)
    key = other.rss()["hkey"]
    other.set("-N", "rx-flow-hash", "udp4", "sdfn")
    src, dst = net.V4
    with t.n0.packet("fe0") as sender, Filter(t.n1, "fe1") as taker:
        packet = frames.ipv4(src, dst, 17, frames.udp(src, dst, 5, 6, b"x" * 64), flags=0x2000)
        expect_hash(sender, taker, frames.ether(net.MAC[1], net.MAC[0], 0x800, packet),
                    toeplitz.of_flow(key, src, dst), "a first fragment")
        packet = frames.ipv4(src, dst, 17, frames.udp(src, dst, 5, 6, b"x" * 64))
        expect_hash(sender, taker, frames.ether(net.MAC[1], net.MAC[0], 0x800, packet,
                                                vlans=[(0x8100, 5)]),
                    toeplitz.of_flow(key, src, dst, 5, 6), "a tagged frame")


@tap.case("the symmetric transformation: both directions of a flow hash alike")
def symmetric(t):
    one, other = t.nics(quiet=True)
    for flow in ("tcp4", "udp4", "tcp6", "udp6"):
        other.set("-N", "rx-flow-hash", flow, "sdfn")
    other.ethtool.rss_set(input_xfrm=SYMMETRIC)
    tap.equal(other.rss()["input_xfrm"], SYMMETRIC, "transformation")
    key = other.rss()["hkey"]
    with t.n0.packet("fe0") as sender, Filter(t.n1, "fe1") as taker:
        for a, b in (net.V4, net.V6):
            for src, dst, sport, dport in ((a, b, 10, 20), (b, a, 20, 10)):
                expect_hash(sender, taker, frame_of(src, dst, 17, sport, dport),
                            toeplitz.of_flow(key, a, b, 10, 20, symmetric=True),
                            f"{src}:{sport} to {dst}:{dport}")
    other.ethtool.rss_set(input_xfrm=0)
    tap.equal(other.rss()["input_xfrm"], 0, "transformation")


@tap.case("the table: at least 4 entries a queue, settable, spread evenly by default")
def table(t):
    one, other = t.nics(quiet=True, own=nic.MANY, peer=nic.MANY)
    for count in (1, 4, 5, 16, 64):
        other.ethtool.set(ethnl.CHANNELS, combined=count)
        indir = other.rss()["indir"]
        if len(indir) < 4 * count:
            raise AssertionError(f"{len(indir)} entries for {count} queues")
        uses = [indir.count(queue) for queue in range(count)]
        if sum(uses) != len(indir) or max(uses) - min(uses) > 1:
            raise AssertionError(f"{count} queues, uses {uses}")
    other.ethtool.set(ethnl.CHANNELS, combined=4)
    size = len(other.rss()["indir"])
    other.ethtool.rss_set(indir=[3] * size)
    tap.equal(set(other.rss()["indir"]), {3}, "table")
    with t.n0.packet("fe0") as sender:
        before = other.rx_by_queue()
        for sport in range(100):
            sender.send(nic.udp_frame(sport=sport))
        t.balanced()
        after = other.rx_by_queue()
    tap.equal({queue: after[queue] - before[queue] for queue in after}, {0: 0, 1: 0, 2: 0, 3: 100},
              "frames by queue")


@tap.case("a table of the user's keeps its queues: fewer channels are refused")
def kept(t):
    one, other = t.nics(quiet=True, own=nic.MANY, peer=nic.MANY)
    other.ethtool.set(ethnl.CHANNELS, combined=8)
    size = len(other.rss()["indir"])
    mine = [number % 2 + 5 for number in range(size)]
    other.ethtool.rss_set(indir=mine)
    other.namespace.rtnl.change("fe1", up=False)
    other.namespace.rtnl.change("fe1", up=True)
    tap.equal(other.rss()["indir"], mine, "table after down and up")
    try:
        other.ethtool.set(ethnl.CHANNELS, combined=4)
    except rtnl.NetlinkError as error:
        tap.note(error)
    else:
        raise AssertionError("channels that the table names were taken away")
    other.ethtool.set(ethnl.CHANNELS, combined=16)
    now = other.rss()["indir"]
    tap.equal(set(now), {5, 6}, f"queues in a table of {len(now)}")


@tap.case("ioctl and netlink agree on table and key")
def both_ways(t):
    _, other = t.nics()
    other.set("-X", "weight", 1, 0, 2, 1)
    other.set("-X", "hkey", toeplitz.KEY.hex(":"))
    rss = other.rss()
    tap.equal(rss["hkey"], toeplitz.KEY, "key")
    size = len(rss["indir"])
    tap.equal([rss["indir"].count(queue) for queue in range(4)],
              [size // 4, 0, size // 2, size // 4], "uses")
    other.set("-X", "default")
    uses = [other.rss()["indir"].count(queue) for queue in range(4)]
    if max(uses) - min(uses) > 1:
        raise AssertionError(f"uses after the default {uses}")


@tap.case("changes are announced")
def announced(t):
    _, other = t.nics()
    with t.n1:
        listener = rtnl.Netlink(16)
    try:
        listener.socket.setsockopt(rtnl.SOL_NETLINK, rtnl.NETLINK_ADD_MEMBERSHIP,
                                   other.ethtool.groups["monitor"])
        other.ethtool.rss_set(hkey=bytes(52))
        while not any(body[:1] == b"\x32" for _, _, _, body in listener.receive()):
            pass
    finally:
        listener.close()


@tap.case("what cannot be is refused, and nothing changes")
def bad(t):
    _, other = t.nics()
    before = other.rss()
    size = len(before["indir"])
    for values in ({"indir": [99] * size}, {"hkey": b"short"}, {"hkey": bytes(4096)},
                   {"input_xfrm": 0x40}, {"indir": [0] * (size + 1)}):
        try:
            other.ethtool.rss_set(**values)
        except rtnl.NetlinkError as error:
            if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP, errno.ERANGE):
                raise AssertionError(f"{list(values)}: {error}") from None
        else:
            raise AssertionError(f"{list(values)}: was taken")
        tap.equal(other.rss(), before, "settings afterwards")


tap.main(nic.Pair)
