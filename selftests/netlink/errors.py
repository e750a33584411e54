#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Requests that must be refused: with the right error, a sentence, and the place
in the message that is wrong or the attribute that is missing."""

import errno
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import control  # noqa: E402
import hooks    # noqa: E402
import rtnl     # noqa: E402
import tap      # noqa: E402
from rtnl import attr  # noqa: E402

INVALID, RANGE = errno.EINVAL, errno.ERANGE

# What each command may be sent: (command, flags) -> names and numbers of attributes.
DUMP = rtnl.NLM_F_DUMP
REQUESTS = control.requests()
ALLOWED = {key: {number for number, _ in names.values()} for key, names in REQUESTS.items()}
# Those whose first attribute is the number of a port.
PORTS = [key for key, names in REQUESTS.items() if "ifindex" in names and names["ifindex"][0] == 1]
# Those whose first attribute is a number, and which of them have one of 64 bits.
NUMBERS = [key for key, names in REQUESTS.items()
           for number, kind in names.values() if number == 1 and kind in ("u32", "uint")]
WIDE = (control.TRANSACTION_COMMIT, 0)


def port(t):
    """A pair, and the number of the port in the first namespace."""
    t.pair()
    return t.n0.rtnl.get("fe0")["index"]


@tap.case("names that tests carry with them, to load quickly, are the specification's")
def names(_):
    for space, here in (("chain", hooks.CHAIN), ("term", hooks.TERM), ("rule", hooks.RULE),
                        ("packet", hooks.PACKET)):
        tap.equal(here, tuple(name.replace("-", "_") for name in control.names(space)), space)
    for enumeration, here in (("chain-family", hooks.FAMILIES), ("hook", hooks.HOOKS),
                              ("test", hooks.TESTS), ("action", hooks.ACTIONS)):
        tap.equal(here, control.entries(enumeration), enumeration)


@tap.case("unknown attributes, by every command")
def unknown(t):
    index = port(t)
    for (command, flags), names in REQUESTS.items():
        allowed = ALLOWED[command, flags]
        first = [attr(1, "a" if kind == "string" else index)
                 for number, kind in names.values() if number == 1]
        first = b"".join(first) if (command, flags) != WIDE else b""
        for kind in range(0, 60):
            if kind not in allowed:
                t.c0.refused(INVALID, command, first + attr(kind, 1), at=len(first), flags=flags)
        t.c0.refused(INVALID, command, attr(0x3FFF, 1), at=0, flags=flags)


@tap.case("missing attributes")
def missing(t):
    index = attr(1, port(t))
    for command, body, kind in (
            (control.PORT_GET, b"", 1), (control.PORT_SET, b"", 1),
            (control.PORT_SET, attr(16, 10), 1), (control.WIRE_GET, b"", 1),
            (control.CHANNEL_GET, b"", 1), (control.CHANNEL_GET, index, 2),
            (control.CHANNEL_GET, attr(2, 0), 1), (control.STAGE_GET, b"", 1),
            (control.STAGE_GET, index, 2), (control.STAGE_GET, index + attr(2, 0), 3),
            (control.STAGE_GET, index + attr(3, 0), 2), (control.STATS_RESET, b"", 1),
            (control.WIRE_SET, b"", 1), (control.WIRE_SET, attr(3, 0), 1),
            (control.SAMPLING_SET, index, 3), (control.SAMPLING_SET, attr(3, 1), 1),
            (control.LATENCY_GET, index, 2), (control.LATENCY_GET, attr(2, 0), 1),
            (control.CHAIN_ADD, attr(1, "a"), 4), (control.CHAIN_SET, attr(1, "a"), 7),
            (control.RULE_GET, attr(1, "a"), 2), (control.RULE_REPLACE, attr(1, "a"), 2)):
        t.c0.refused(INVALID, command, body, missing=kind)
    for command, flags in REQUESTS:
        if 1 in ALLOWED[command, flags] and not flags and command != control.TRANSACTION_COMMIT:
            t.c0.refused(INVALID, command, b"", missing=1)


@tap.case("attributes that come twice")
def twice(t):
    index = port(t)
    one = attr(1, index)
    t.c0.refused(INVALID, control.PORT_GET, one + one, at=len(one))
    t.c0.refused(INVALID, control.PORT_SET, one + attr(16, 7) + attr(16, 9), at=2 * len(one))
    t.c0.refused(INVALID, control.PORT_SET, attr(16, 7) + one + attr(16, 9), at=2 * len(one))
    for (command, flags), names in REQUESTS.items():
        for number, kind in names.values():
            if number == 1:
                body = {"string": b"a\0", "uint": bytes(8)}.get(kind, struct.pack("=I", index))
                first = attr(1, body)
                t.c0.refused(INVALID, command, first + first, at=len(first), flags=flags)
    t.c0.refused(INVALID, control.STAGE_GET, one + attr(2, 0) + attr(3, 0) + one, at=3 * len(one))
    tap.equal(dict(rtnl.attrs(t.c0.send(control.PORT_GET, one)[0][4:]))[16], struct.pack("=I", 100),
              "limit")


@tap.case("attributes of the wrong length, and such that end too early")
def truncated(t):
    index = port(t)
    for command, flags in NUMBERS:
        for size in (0, 1, 2, 3, 5, 6 if (command, flags) == WIDE else 8, 100):
            t.c0.refused(INVALID, command, attr(1, bytes(size)), at=0, flags=flags)
    whole = attr(1, index)
    # The header says more than there is, or less than a header.
    for size in (0, 1, 3, 9, 12, 0xFFFF):
        body = struct.pack("=HH", size, 1) + whole[4:]
        t.c0.refused(INVALID, control.PORT_GET, body)
    for cut in (1, 2, 3):
        t.c0.refused(INVALID, control.PORT_GET, whole + whole[:cut])


@tap.case("values out of range")
def ranges(t):
    index = attr(1, port(t))
    for value in (0, 1 << 31, 0xFFFFFFFF):
        for command, flags in PORTS:
            t.c0.refused(RANGE, command, attr(1, value), at=0, flags=flags)
    for value in (0, 4001, 0xFFFFFFFF):
        t.c0.refused(RANGE, control.PORT_SET, index + attr(16, value), at=8)
    for value in (256, 0xFFFFFFFF):
        t.c0.refused(RANGE, control.CHANNEL_GET, index + attr(2, value), at=8)
    t.c0.refused(RANGE, control.STAGE_GET, index + attr(2, 2) + attr(3, 0), at=8)
    t.c0.refused(RANGE, control.STAGE_GET, index + attr(2, 0) + attr(3, 6), at=16)
    t.c0.refused(RANGE, control.WIRE_SET, attr(1, 1) + attr(3, 2), at=8)
    t.c0.refused(RANGE, control.SAMPLING_SET, index + attr(3, 1) + attr(4, 2), at=16)
    t.c0.refused(RANGE, control.LATENCY_GET, index + attr(2, 999), at=8)


@tap.case("attributes that are nested and should not be")
def nested(t):
    index = port(t)
    for command, flags in ALLOWED:
        if 1 in ALLOWED[command, flags]:
            t.c0.refused(INVALID, command, attr(1 | rtnl.NLA_F_NESTED, index), at=0, flags=flags)
            t.c0.refused(INVALID, command, attr(1, [attr(1, index)]), at=0, flags=flags)


@tap.case("attributes that a rule's action has no use for")
def useless(t):
    names = REQUESTS[control.RULE_ADD, 0]
    head = attr(1, "a") + attr(names["action"][0], 1)
    for name in ("mark", "mark-mask", "dscp", "ecn", "queue", "bypass", "snap", "bits", "offset",
                 "length", "copies", "delay", "jitter", "gap", "timeout"):
        number, kind = names[name]
        value = {"flag": b"", "uint": struct.pack("=Q", 10**6)}.get(kind, struct.pack("=I", 1))
        t.c0.refused(INVALID, control.RULE_ADD, head + attr(number, value), at=len(head))
    terms = attr(names["term"][0], [attr(1, 11), attr(2, 0), attr(4, struct.pack("=Q", 17)),
                                    attr(6, struct.pack("=Q", 1))])
    t.c0.refused(INVALID, control.RULE_ADD, head + terms, at=len(head))


@tap.case("things that are not there")
def absent(t):
    index = port(t)
    loopback = t.n0.rtnl.get("lo")["index"]
    other = t.n1.rtnl.get("fe1")["index"]
    for number in {loopback, 77777, 0x7FFFFFFF} | ({other} - {index}):
        for command, rest in ((control.PORT_GET, b""), (control.PORT_SET, attr(16, 9)),
                              (control.CHANNEL_GET, attr(2, 0)),
                              (control.STAGE_GET, attr(2, 0) + attr(3, 0)),
                              (control.STATS_RESET, b""), (control.SAMPLING_GET, b""),
                              (control.SAMPLING_SET, attr(3, 1)), (control.LATENCY_RESET, b""),
                              (control.LATENCY_GET, attr(2, 0))):
            t.c0.refused(errno.ENODEV, command, attr(1, number) + rest, at=0)
        for command in (control.CHANNEL_GET, control.STAGE_GET, control.LATENCY_GET):
            t.c0.refused(errno.ENODEV, command, attr(1, number), at=0, flags=DUMP)
    one = attr(1, index)
    t.c0.refused(errno.ENOENT, control.CHANNEL_GET, one + attr(2, 200), at=8)
    for direction, stage in ((0, 4), (0, 5), (1, 0), (1, 1), (1, 2)):
        t.c0.refused(errno.ENOENT, control.STAGE_GET, one + attr(2, direction) + attr(3, stage),
                     at=16)
    t.c0.refused(errno.ENOENT, control.LATENCY_GET, one + attr(2, 0), at=0)
    t.c0.refused(INVALID, control.SAMPLING_SET, one + attr(3, 0) + attr(4, 0), at=16)
    t.c0.refused(INVALID, control.SAMPLING_SET, one + attr(3, 0) + attr(5, 0), at=16)
    t.c0.refused(errno.ENOENT, control.WIRE_GET, attr(1, 0), at=0)
    t.c0.refused(errno.ENOENT, control.WIRE_GET, attr(1, 0xFFFFFFFF), at=0)
    t.c0.refused(errno.ENOENT, control.WIRE_SET, attr(1, 0xFFFFFFFF), at=0)


@tap.case("commands that are not there, and dumps of those that have none")
def commands(t):
    port(t)
    for command in range(0, 256):
        for flags in (0, DUMP):
            if (command, flags) not in REQUESTS:
                t.c0.refused(errno.EOPNOTSUPP, command, b"", flags=flags, silent=True)


@tap.case("headers: a reserved field that is used, flags that mean nothing, too short")
def headers(t):
    index = attr(1, port(t))
    t.c0.refused(INVALID, control.PORT_GET, index,
                 header=struct.pack("=BBH", control.PORT_GET, 1, 1))
    for flags in (rtnl.NLM_F_CREATE, rtnl.NLM_F_EXCL, 0x100, 0x10, 0x8000):
        t.c0.refused(INVALID, control.PORT_GET, index, flags=flags)
    for size in range(4):
        t.c0.refused(INVALID, control.PORT_GET, b"", header=bytes(size), silent=True)


@tap.case("what was refused has changed nothing")
def unchanged(t):
    index = attr(1, port(t))
    before = t.c0.dump(control.PORT_GET)
    for body in (attr(16, 0), attr(16, 5000), attr(16, 7) + attr(16, 8), attr(16, 7) + attr(17, 1),
                 attr(16, b"\1"), attr(16, 7) + b"\1\2"):
        try:
            t.c0.send(control.PORT_SET, index + body)
        except rtnl.NetlinkError:
            continue
        raise AssertionError(f"{body} was taken")
    tap.equal(t.c0.dump(control.PORT_GET), before, "ports")


tap.main(control.RawControl)
