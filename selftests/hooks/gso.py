#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Super frames: counted as the packet they are, or as the segments they stand
for.  A datagram socket that segments (UDP_SEGMENT) makes them of a known size."""

# selftest-timeout: 300

import fcntl
import json
import os
import socket
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import frames   # noqa: E402
import hooks    # noqa: E402
import net      # noqa: E402
import router   # noqa: E402
import tap      # noqa: E402
from counters import checksum_errors  # noqa: E402
from hooks import UDP, term     # noqa: E402

TO_PORT = (term("protocol", UDP), term("dport", 5000))
LONG = 50 * 10**9
SOL_UDP, UDP_SEGMENT = 17, 103
SEGMENTS, SIZE = 10, 100
TUN = ("192.168.245.1", "192.168.245.2")
TUNSETIFF, IFF_TUN, IFF_NO_PI, IFF_VNET_HDR = 0x400454CA, 1, 0x1000, 0x4000
NEEDS_CSUM, GSO_UDP_L4 = 1, 5       # struct virtio_net_hdr
HEADERS = {4: 28, 6: 48}
# Where a super frame is one: at its sender, and behind a wire that hands it off.
SENDER = (("h0", "output", None), ("h0", "postrouting", None), ("h0", "egress", "fe0"))
BEHIND = (("hr", "ingress", "re0"), ("hr", "prerouting", None), ("hr", "forward", None),
          ("hr", "postrouting", None), ("hr", "egress", "re1"), ("h1", "ingress", "fe1"),
          ("h1", "prerouting", None), ("h1", "input", None))


def numbers(count, start=0):
    return [struct.pack("!I", number) * (SIZE // 4) for number in range(start, start + count)]


class Supers(hooks.Datagrams):
    """Datagrams that leave as super frames."""

    def __init__(self, t, family):
        super().__init__(t, family)
        self.sender.setsockopt(SOL_UDP, UDP_SEGMENT, SIZE)

    def super(self, start=0):
        self.send(b"".join(numbers(SEGMENTS, start)))


def everywhere(t):
    """Every point, with both families, on both datapaths."""
    for info, points in (((), SENDER), (router.HANDOFF, SENDER + BEHIND)):
        t.route(info, queues=1)
        for family in (4, 6):
            for who, hook, dev in points:
                hooks_ = getattr(t, who)
                hooks_.chain("x", hook, dev=dev)
                with Supers(t, family) as udp:
                    yield f"IPv{family} at {who} {hook}", hooks_, family, dev, udp
                hooks_.clear()
        t.tidy()
        if not router.HANDOFF:
            break


@tap.case("without more a super frame is one packet: counted once, and met as a whole")
def whole(t):
    for where, hooks_, family, dev, udp in everywhere(t):
        rule = hooks_.rule("x", *TO_PORT)
        lost = hooks_.rule("x", *TO_PORT, action="drop", nth=2)
        for turn in range(3):
            try:
                udp.super(turn * SEGMENTS)
            except PermissionError:
                tap.equal(turn, 1, f"refused, {where}")
        tap.equal(udp.receive(2 * SEGMENTS), numbers(SEGMENTS) + numbers(SEGMENTS, 2 * SEGMENTS),
                  where)
        counted = hooks_.get("x", rule)
        size = SEGMENTS * SIZE + HEADERS[family] + (14 if dev else 0)
        tap.equal((counted["packets"], counted["bytes"]), (3, 3 * size), where)
        tap.equal(hooks_.acted("x", lost), (3, 1), where)


@tap.case("per segment: the one that is meant, and no other")
def segments(t):
    for where, hooks_, family, dev, udp in everywhere(t):
        headers = HEADERS[family] + (14 if dev else 0)
        before = checksum_errors(t.n1)
        for action, more, want in (
                ("drop", {"nth": 13}, lambda n: [] if n == 12 else [n]),
                ("drop", {"every": 5}, lambda n: [] if n % 5 == 4 else [n]),
                ("drop", {"at_most": 3}, lambda n: [] if n < 3 else [n]),
                ("duplicate", {"nth": 13, "copies": 2}, lambda n: [n] * (3 if n == 12 else 1)),
                ("corrupt", {"nth": 13, "bits": 1, "offset": headers + 8},
                 lambda n: [] if n == 12 else [n]),
                ("truncate", {"nth": 13, "length": headers + 8},
                 lambda n: [] if n == 12 else [n])):
            hooks_.rule("x", *TO_PORT, action=action, segments=True, **more)
            for turn in range(2):
                udp.super(turn * SEGMENTS)
            expected = [one for number in range(2 * SEGMENTS) for one in want(number)]
            found = [struct.unpack_from("!I", data)[0] for data in udp.receive(len(expected))]
            tap.equal(found, expected, f"{action} {more} {where}")
            hooks_.remove("x")
        if checksum_errors(t.n1) - before > 1:
            raise AssertionError(f"{where}: more than one wrong checksum")
        # One is overtaken by three others.
        hooks_.rule("x", *TO_PORT, action="reorder", segments=True, nth=3, gap=3, timeout=LONG)
        udp.super()
        tap.equal(udp.receive(SEGMENTS), [numbers(SEGMENTS)[n] for n in
                                          (0, 1, 3, 4, 5, 2, 6, 7, 8, 9)], f"reorder, {where}")
        hooks_.remove("x")
        held = hooks_.rule("x", *TO_PORT, action="delay", segments=True, nth=3, delay=LONG)
        udp.super()
        tap.equal(udp.receive(SEGMENTS - 1), [one for n, one in enumerate(numbers(SEGMENTS))
                                              if n != 2], f"delay, {where}")
        hooks_.remove("x", held)
        tap.equal(udp.receive(1), numbers(1, 2), f"held, {where}")


@tap.case("what can only be done to one packet cuts a super frame, and meets the first")
def cut(t):
    for where, hooks_, family, dev, udp in everywhere(t):
        headers = HEADERS[family] + (14 if dev else 0)
        for action, more in (("corrupt", {"bits": 1, "offset": headers + 8}),
                             ("truncate", {"length": headers + 8})):
            rule = hooks_.rule("x", *TO_PORT, action=action, nth=1, **more)
            udp.super()
            tap.equal(udp.receive(SEGMENTS - 1), numbers(SEGMENTS - 1, 1), f"{action}, {where}")
            tap.equal(hooks_.acted("x", rule), (1, 1), where)
            hooks_.remove("x")


@tap.case("behind a cut, rules and the policy count segments, with their bytes")
def behind(t):
    for where, hooks_, family, dev, udp in everywhere(t):
        hooks_.rule("x", *TO_PORT, action="truncate", nth=1, length=2000)
        rule = hooks_.rule("x", *TO_PORT)
        limit = hooks_.rule("x", *TO_PORT, action="set-mark", mark=1, rate=1, rate_bytes=True,
                            burst=4 * (SIZE + HEADERS[family] + (14 if dev else 0)))
        before = hooks_.chains()["x"]["bytes"]
        udp.super()
        tap.equal(udp.receive(SEGMENTS), numbers(SEGMENTS), where)
        size = SEGMENTS * (SIZE + HEADERS[family] + (14 if dev else 0))
        counted = hooks_.get("x", rule)
        tap.equal((counted["packets"], counted["bytes"]), (SEGMENTS, size), where)
        tap.equal(hooks_.acted("x", limit), (SEGMENTS, 4), f"a rate of bytes, {where}")
        if hooks_.chains()["x"]["bytes"] - before < size:
            raise AssertionError(f"the policy, {where}")
        hooks_.remove("x")


def tun(namespace):
    """A device tun0 whose packets come with what virtio_net tells of them."""
    if not os.path.exists("/dev/net/tun"):
        net.run("modprobe", "tun", check=False)
    with namespace:
        file = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
    fcntl.ioctl(file, TUNSETIFF, struct.pack("16sH22x", b"tun0",
                                             IFF_TUN | IFF_NO_PI | IFF_VNET_HDR))
    namespace.rtnl.change("tun0", up=True)
    namespace.rtnl.add_address("tun0", TUN[0], 24)
    return file


@tap.case("super frames of virtual machines, which don't say how many segments they stand for")
def uncounted(t):
    t.pair(quiet=True)
    body = b"".join(numbers(SEGMENTS))
    size = 8 + len(body)
    # The checksum is left open: that of the pseudo header is in its place.
    start = frames.checksum(socket.inet_aton(TUN[1]) + socket.inet_aton(TUN[0]) +
                             struct.pack("!HH", UDP, size))
    packet = frames.ipv4(TUN[1], TUN[0], UDP, struct.pack("!HHHH", 5001, 5000, size, start) + body)
    told = struct.pack("=BBHHHH", NEEDS_CSUM, GSO_UDP_L4, 28, SIZE, 20, 6)
    file = tun(t.n1)
    try:
        with t.n1.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
            receiver.bind((TUN[0], 5000))
            t.h1.chain("x", "prerouting")
            for action, more, skipped in (
                    ("continue", {}, ()), ("drop", {"segments": True, "nth": 3}, (2,)),
                    ("drop", {"segments": True, "every": 4}, (3, 7)),
                    ("corrupt", {"nth": 1, "bits": 1, "offset": 30}, (0,)),
                    ("truncate", {"nth": 1, "length": 30}, (0,))):
                rule = t.h1.rule("x", *TO_PORT, action=action, **more)
                os.write(file, told + packet)
                want = [data for n, data in enumerate(numbers(SEGMENTS)) if n not in skipped]
                tap.equal([receiver.recv(1 << 16) for _ in want], want, f"{action} {more}")
                tap.equal(t.h1.acted("x", rule)[0], 1, f"{action} {more}")
                t.h1.remove("x")
    finally:
        os.close(file)


@tap.case("super frames that are lists of frames (rx-gro-list) are cut as others are")
def listed(t):
    t.route(queues=1)
    t.router.ethtool("-K", "re0", "rx-gro-list", "on")
    for family in (4, 6):
        for where, hook, dev in BEHIND[:5]:
            hooks_ = getattr(t, where)
            hooks_.chain("x", hook, dev=dev)
            headers = HEADERS[family] + (14 if dev else 0)
            with Supers(t, family) as udp:
                for action, more, skipped in (
                        ("corrupt", {"nth": 1, "bits": 1, "offset": headers + 8}, 0),
                        ("truncate", {"nth": 1, "length": headers + 8}, 0),
                        ("drop", {"segments": True, "nth": 3}, 2)):
                    rule = hooks_.rule("x", *TO_PORT, action=action, **more)
                    udp.super()
                    want = [data for n, data in enumerate(numbers(SEGMENTS)) if n != skipped]
                    tap.equal(udp.receive(SEGMENTS - 1), want, f"{action}, IPv{family} {hook}")
                    tap.equal(hooks_.acted("x", rule), (1, 1), f"{action}, IPv{family} {hook}")
                    hooks_.remove("x")
            hooks_.clear()


@tap.case("whoever comes behind a cut at egress finds the headers of segments where they are")
def headers_of_segments(t):
    t.route(queues=1)
    t.n0.tc("qdisc", "add", "dev", "fe0", "clsact")
    t.n0.tc("filter", "add", "dev", "fe0", "egress", "protocol", "ip", "u32", "match", "ip",
            "dport", "5000", "0xffff", "match", "ip", "protocol", "17", "0xff", "action", "drop")
    t.h0.chain("x", "egress", dev="fe0")
    t.h0.rule("x", *TO_PORT, action="drop", segments=True, nth=3)
    with Supers(t, 4) as udp:
        udp.super()
        shown = json.loads(t.n0.tc("-j", "-s", "filter", "show", "dev", "fe0", "egress"))
        found = [action["stats"]["packets"] for entry in shown
                 for action in entry.get("options", {}).get("actions", ())]
        tap.equal(found, [SEGMENTS - 1], "segments that a classifier has found")


@tap.case("whole super frames are copied, held, overtaken, and their headers set")
def together(t):
    for where, hooks_, family, dev, udp in everywhere(t):
        one, two = numbers(SEGMENTS), numbers(SEGMENTS, SEGMENTS)
        for action, more, want in (
                ("duplicate", {"nth": 1}, one + one + two),
                ("reorder", {"nth": 1, "gap": 1, "timeout": LONG}, two + one),
                ("delay", {"delay": 10**6}, one + two), ("set-dscp", {"dscp": 46}, one + two),
                ("set-mark", {"mark": 1}, one + two), ("sample", {"snap": 2000}, one + two)):
            before = checksum_errors(t.n1)
            hooks_.rule("x", *TO_PORT, action=action, **more)
            with hooks.Events(hooks_) as events:
                udp.super()
                udp.super(SEGMENTS)
                tap.equal(udp.receive(len(want)), want, f"{action}, {where}")
                if action == "sample":
                    tap.equal(len(events.until(2)), 2, f"events, {where}")
            tap.equal(checksum_errors(t.n1) - before, 0, f"wrong checksums, {action}, {where}")
            hooks_.remove("x")


@tap.case("a super frame that opens a connection is not cut, and counted as uncut")
def uncut(t):
    t.route()
    t.n0.run("nft", "add table ip t; add chain ip t c { type filter hook output priority 0; }; "
                    "add rule ip t c ct state new,established counter")
    t.h0.chain("x", "output")
    t.h0.rule("x", *TO_PORT, action="drop", segments=True, nth=3)
    t.h0.rule("x", *TO_PORT, action="drop", segments=True, nth=14)
    with Supers(t, 4) as udp:
        udp.super()
        tap.equal(udp.receive(SEGMENTS), numbers(SEGMENTS), "the first, as a whole")
        tap.equal(t.h0.chains()["x"]["uncut"], 1, "uncut")
        udp.super(SEGMENTS)
        want = numbers(SEGMENTS, SEGMENTS)
        tap.equal(udp.receive(SEGMENTS - 1), want[:3] + want[4:], "the second")
        tap.equal(t.h0.chains()["x"]["uncut"], 1, "uncut")
    t.n0.run("nft", "delete table ip t")


tap.main(router.Router)
