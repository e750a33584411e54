#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Pages that packets only borrow, of files (sendfile) and of programs
(MSG_ZEROCOPY), are never written, wherever on their way packets are changed."""

# selftest-timeout: 300

import contextlib
import hashlib
import mmap
import os
import socket
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import hooks    # noqa: E402
import router   # noqa: E402
import tap      # noqa: E402
from hooks import TCP, UDP, term     # noqa: E402
from stream import Stream   # noqa: E402

SO_NO_CHECK, SO_ZEROCOPY, MSG_ZEROCOPY = 11, 60, 0x4000000
POINTS = (("h0", "output", None), ("h0", "postrouting", None), ("h0", "egress", "fe0"),
          ("hr", "ingress", "re0"), ("hr", "prerouting", None), ("hr", "forward", None),
          ("hr", "postrouting", None), ("hr", "egress", "re1"), ("h1", "ingress", "fe1"),
          ("h1", "prerouting", None), ("h1", "input", None))
# Everything that writes: to the payload, and to headers.
CHANGES = (("corrupt", {"bits": 50, "offset": 80}), ("truncate", {"length": 300}),
           ("set-dscp", {"dscp": 46}), ("set-ecn", {"ecn": 1}))


@contextlib.contextmanager
def changing(t, who, hook, dev, *terms):
    """Has a chain there change one of seven packets, in turn in each of the ways."""
    hooks_ = getattr(t, who)
    hooks_.chain("x", hook, dev=dev)
    rules = [hooks_.rule("x", *terms, action=action, every=7 + at, segments=True, at_most=12,
                         seed=at, **more) for at, (action, more) in enumerate(CHANGES)]
    yield
    idle = [CHANGES[at][0] for at, rule in enumerate(rules) if not hooks_.get("x", rule)["acted"]]
    tap.equal(idle, [], f"what was not done at {who} {hook}")
    hooks_.clear()


def file_of(data):
    file = tempfile.NamedTemporaryFile()
    file.write(data)
    file.flush()
    return file


def unchanged(file, data, where):
    file.seek(0)
    tap.equal(file.read() == data, True, f"the file is as it was, {where}")


@tap.case("a file that is sent over TCP: read right at the other end, and as it was")
def sent_file(t):
    data = os.urandom(1 << 18)
    want = hashlib.sha256(data).hexdigest()
    with file_of(data) as file:
        for info in ((), router.HANDOFF):
            t.route(info)
            for number, (who, hook, dev) in enumerate(POINTS):
                with changing(t, who, hook, dev, term("protocol", TCP), term("dport", 5001)):
                    stream = Stream(t, 6 if number % 3 == 2 else 4)
                    stream.sender.sendfile(file, 0)
                    tap.equal(stream.end(), want, f"content, {who} {hook}")
                unchanged(file, data, f"{who} {hook}")
            t.tidy()


@tap.case("a file that is sent as datagrams, whose pages reach the receiver")
def datagrams(t):
    data = os.urandom(4096)
    t.route(router.HANDOFF)
    with file_of(data) as file:
        for who, hook, dev in POINTS:
            hooks_ = getattr(t, who)
            for family in (4, 6):
                hooks_.chain("x", hook, dev=dev)
                hooks_.rule("x", term("protocol", UDP), term("dport", 5000), action="corrupt",
                            bits=100, offset=(34 if dev else 20) + 8 + 20 * (family == 6))
                with hooks.Datagrams(t, family) as udp:
                    # IPv6 has checksums, which find it; IPv4 is received as it is.
                    udp.sender.setsockopt(socket.SOL_SOCKET, SO_NO_CHECK, family == 4)
                    os.sendfile(udp.sender.fileno(), file.fileno(), 0, 1024)
                    if family == 4:
                        got, = udp.receive(1)
                        tap.equal(len(got), 1024, "size")
                        wrong = sum((a ^ b).bit_count() for a, b in zip(got, data))
                        if not 50 < wrong <= 100:
                            raise AssertionError(f"{wrong} bits are wrong at {who} {hook}")
                    else:
                        hooks_.policy("x", "accept")
                        hooks_.remove("x")
                        udp.send(b"behind")
                        tap.equal(udp.receive(1), [b"behind"], f"{who} {hook}")
                unchanged(file, data, f"{who} {hook}")
                hooks_.clear()


@tap.case("a file that is sent to oneself")
def loopback(t):
    data = os.urandom(1 << 18)
    with file_of(data) as file:
        for hook, dev in (("output", None), ("egress", "lo"), ("ingress", "lo"),
                          ("prerouting", None), ("input", None)):
            with changing(t, "h0", hook, dev, term("protocol", TCP), term("dport", 5001)):
                stream = Stream(Own(t))
                stream.sender.sendfile(file, 0)
                tap.equal(stream.end(), hashlib.sha256(data).hexdigest(), f"content at {hook}")
            unchanged(file, data, hook)


class Own:
    """Both ends in ns0."""

    target = {4: "127.0.0.1", 6: "::1"}

    def __init__(self, t):
        self.n0 = self.n1 = t.n0


@tap.case("a program's memory that is sent without being copied")
def zero_copy(t):
    with mmap.mmap(-1, 1 << 18) as memory:
        data = os.urandom(len(memory))
        memory[:] = data
        want = hashlib.sha256(data).hexdigest()
        for info in ((), router.HANDOFF):
            t.route(info)
            for who, hook, dev in POINTS:
                with changing(t, who, hook, dev, term("protocol", TCP), term("dport", 5001)):
                    stream = Stream(t)
                    stream.sender.setsockopt(socket.SOL_SOCKET, SO_ZEROCOPY, 1)
                    at = 0
                    while at < len(memory):
                        with memoryview(memory)[at:at + (1 << 15)] as part:
                            at += stream.sender.send(part, MSG_ZEROCOPY)
                    tap.equal(stream.end(), want, f"content, {who} {hook}")
                tap.equal(memory[:] == data, True, f"memory is as it was, {who} {hook}")
            t.tidy()


tap.main(router.Router)
