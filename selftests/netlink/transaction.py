#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Transactions: changes of several messages are made together or not at all; they
belong to the socket that began them, are bounded, and go with the socket."""

import contextlib
import errno
import os
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import control  # noqa: E402
import genl     # noqa: E402
import net      # noqa: E402
import rtnl     # noqa: E402
import tap      # noqa: E402
from rtnl import attr  # noqa: E402

BEGIN, ADD, COMMIT, ABORT = (control.TRANSACTION_BEGIN, control.TRANSACTION_ADD,
                             control.TRANSACTION_COMMIT, control.TRANSACTION_ABORT)
# What the module allows (rust/ferronic/netlink/transaction.rs).
OPEN_MAX, CHANGES_MAX = 16, 1 << 18


def port(index, limit=None):
    """A change of a port."""
    return attr(2, [attr(1, index)] + ([] if limit is None else [attr(16, limit)]))


def wire(number, datapath=None):
    """A change of a wire."""
    return attr(3, [attr(1, number)] + ([] if datapath is None else [attr(3, datapath)]))


def begin(family):
    """Begins; returns the generation."""
    return genl.number(dict(rtnl.attrs(family.send(BEGIN)[0][4:]))[1])


def pairs(t, count):
    """So many pairs within the first namespace; the numbers of their ports."""
    for number in range(count):
        t.n0.rtnl.add_pair(net.KIND, {"name": f"b{number}", "txq": 1, "rxq": 1},
                           name=f"a{number}", txq=1, rxq=1)
    links = t.n0.rtnl.links()
    return [links[f"{end}{number}"]["index"] for number in range(count) for end in "ab"]


def limits(t):
    return {index: one.get("pause-limit") for index, one in t.c0.ports().items()}


@tap.case("nothing happens before the commit, then everything, each change told in order")
def together(t):
    indices = pairs(t, 4)
    number = t.c0.ports()[indices[0]]["wire"]
    before = t.c0.ports()
    with control.Events(t.c0) as events:
        generation = begin(t.c0)
        tap.equal(generation, max(one["generation"] for one in before.values()), "generation")
        t.c0.send(ADD, b"".join(port(index, 10 + index) for index in indices[2:5]))
        t.c0.send(ADD, b"".join(port(index, 10 + index) for index in indices[5:]))
        t.c0.send(ADD, wire(number, 1))
        t.c0.send(ADD)
        tap.equal((t.c0.ports(), events.come()), (before, []), "before the commit")
        t.c0.send(COMMIT)
        come = events.come()
        tap.equal([(what, one["ifindex"]) for what, one in come],
                  [("change", index) for index in indices[2:] + indices[:2]], "notifications")
        tap.equal([one["generation"] for _, one in come],
                  list(range(generation + 1, generation + 1 + len(come))), "generations")
    after = t.c0.ports()
    tap.equal({i: after[i].get("pause-limit") for i in indices},
              {i: 10 + i if i in indices[2:] else None for i in indices}, "limits")
    tap.equal([after[i]["datapath"] for i in indices], [1, 1] + 6 * [0], "datapaths")


@tap.case("changes of one port are made in the order in which they were added")
def order(t):
    index = pairs(t, 1)[0]
    begin(t.c0)
    for limit in (7, 9, 8):
        t.c0.send(ADD, port(index, limit) + port(index))
    with control.Events(t.c0) as events:
        t.c0.send(COMMIT)
        tap.equal([one["pause-limit"] for _, one in events.come()], [7, 9, 8], "limits")


@tap.case("one change that cannot be made: none is, the text says which, and it is over")
def none(t):
    indices = pairs(t, 3)
    numbers = [t.c0.ports()[index]["wire"] for index in indices[::2]]
    t.n0.rtnl.change("a2", up=True)

    def refused(number, text, *messages):
        before = t.c0.ports()
        begin(t.c0)
        for message in messages:
            t.c0.send(ADD, message)
        try:
            t.c0.send(COMMIT)
        except rtnl.NetlinkError as error:
            tap.equal((errno.errorcode[error.errno], error.text),
                      (errno.errorcode[number], text), "error")
        else:
            raise AssertionError(f"committed, and should have been refused: {text}")
        tap.equal(t.c0.ports(), before, "ports")
        t.c0.refused(errno.ENOENT, COMMIT, b"")

    refused(errno.ENODEV, "port 3: No ferronic port of this namespace",
            port(indices[0], 5) + wire(numbers[0], 1), port(indices[1], 5) + port(77777, 5))
    refused(errno.ENOENT, "wire 3: No wire with a port in this namespace",
            wire(numbers[0], 1), wire(numbers[2], 1) + wire(0xFFFFFF, 1) + port(indices[0], 5))
    refused(errno.ENOENT, "wire 1: No wire with a port in this namespace",
            wire(0xFFFFFF, 1) + port(indices[0], 5))
    t.c0.send(control.WIRE_SET, attr(1, numbers[1]) + attr(3, 1))
    refused(errno.EOPNOTSUPP, "port 2: Nobody pauses on the handoff datapath",
            port(indices[0], 5) + port(indices[2], 5), wire(numbers[0], 1))


@tap.case("of several changes of a wire that is up the last is made, once")
def wires(t):
    indices = pairs(t, 2)
    numbers = [t.c0.ports()[index]["wire"] for index in indices[::2]]
    for name in ("a0", "b0", "a1"):
        t.n0.rtnl.change(name, up=True)
    begin(t.c0)
    t.c0.send(ADD, wire(numbers[0], 1) + wire(numbers[1], 0) + wire(numbers[0]))
    t.c0.send(ADD, wire(numbers[0], 0) + wire(numbers[1], 1))
    with control.Events(t.c0) as events:
        t.c0.send(COMMIT)
        tap.equal([(what, one["ifindex"], one["datapath"]) for what, one in events.come()],
                  [("change", indices[2], 1), ("change", indices[3], 1)], "notifications")


@tap.case("a port that goes before the commit")
def gone(t):
    indices = pairs(t, 2)
    begin(t.c0)
    t.c0.send(ADD, port(indices[0], 5) + port(indices[2], 5))
    t.n0.rtnl.delete("a1")
    before = limits(t)
    t.c0.refused(errno.ENODEV, COMMIT, b"")
    tap.equal(limits(t), before, "limits")


@tap.case("a message that is refused adds nothing, and what was added before stays")
def partly(t):
    indices = pairs(t, 2)
    begin(t.c0)
    t.c0.send(ADD, port(indices[0], 5))
    good = port(indices[1], 6)
    head, here = 4, len(good)
    for number, body, place in (
            (errno.EINVAL, attr(2, [attr(1, 1), attr(2, 1)]), here + head + 8),
            (errno.EINVAL, attr(2, [attr(1, 1), attr(1, 1)]), here + head + 8),
            (errno.EINVAL, attr(2, [attr(1, 1), attr(16, b"\1")]), here + head + 8),
            (errno.ERANGE, attr(2, [attr(1, 1), attr(16, 0)]), here + head + 8),
            (errno.ERANGE, attr(2, [attr(16, 4001), attr(1, 1)]), here + head),
            (errno.ERANGE, attr(3, [attr(1, 1), attr(3, 2)]), here + head + 8),
            (errno.EINVAL, attr(3, [attr(1, 1), attr(2, 2)]), here + head + 8),
            (errno.EINVAL, attr(2, attr(1, 1)), here),
            (errno.EINVAL, attr(1, 1), here), (errno.EINVAL, attr(4, 1), here)):
        t.c0.refused(number, ADD, good + body, at=place)
    for body, kind in ((attr(2, []), 1), (attr(2, [attr(16, 5)]), 1), (attr(3, []), 1)):
        t.c0.refused(errno.EINVAL, ADD, good + body, missing=kind, nest=here)
    t.c0.send(COMMIT)
    after = limits(t)
    tap.equal([after[index] for index in indices], [5, 100, 100, 100], "limits")


@tap.case("what is not nested, cut off, or nested too deeply")
def shapes(t):
    begin(t.c0)
    whole = port(1, 5)
    for size in (0, 1, 3, 4 + 9, 0xFFFF):
        t.c0.refused(errno.EINVAL, ADD, size.to_bytes(2, "little") + whole[2:])
    deep = attr(1, 1)
    for _ in range(30):
        deep = attr(2, [deep])
    t.c0.refused(errno.EINVAL, ADD, deep, at=4)
    t.c0.send(ABORT)


@tap.case("one of a socket; without one there is nothing to add to, commit or abort")
def one(t):
    begin(t.c0)
    t.c0.refused(errno.EBUSY, BEGIN, b"")
    t.c0.send(ABORT)
    for command in (ADD, COMMIT, ABORT):
        t.c0.refused(errno.ENOENT, command, b"")
    other = control.Raw(t.n0)
    begin(t.c0)
    for command in (ADD, COMMIT, ABORT):
        other.refused(errno.ENOENT, command, b"")
    t.c0.send(COMMIT)
    other.close()


@tap.case("with a generation, only if nothing has changed since")
def generation(t):
    indices = pairs(t, 1)
    told = begin(t.c0)
    t.c0.send(ADD, port(indices[0], 5))
    t.c0.send(COMMIT, attr(1, told))
    told = begin(t.c0)
    t.c0.send(ADD, port(indices[0], 6))
    t.n0.rtnl.change("b0", mtu=2000)
    t.c0.refused(errno.ESTALE, COMMIT, attr(1, told), at=0)
    tap.equal(limits(t)[indices[0]], 5, "limit")


@tap.case("so many of a namespace, and closing a socket makes room")
def crowd(t):
    families = [control.Raw(t.n0) for _ in range(OPEN_MAX + 1)]
    for family in families[:-1]:
        begin(family)
    families[-1].refused(errno.ENOSPC, BEGIN, b"")
    begin(t.c1)
    t.c1.send(ABORT)
    for family in families[:3]:
        family.send(ADD, port(1, 5) * 100)
        family.close()
        begin(families[-1])
        families[-1].send(ABORT)
    begin(families[-1])
    for family in families[3:]:
        family.close()
    for _ in range(3):
        families = [control.Raw(t.n0) for _ in range(OPEN_MAX)]
        for family in families:
            begin(family)
        for family in families:
            family.close()


@tap.case("a socket that takes the number of one that is gone has no transaction")
def number(t):
    indices = pairs(t, 1)
    for _ in range(20):
        first = control.Raw(t.n0)
        begin(first)
        first.send(ADD, port(indices[0], 5))
        name = first.link.socket.getsockname()
        first.close()
        with t.n0:
            second = rtnl.Netlink(genl.NETLINK_GENERIC)
        second.close()
        second.socket = t.n0.socket(socket.AF_NETLINK, socket.SOCK_RAW, genl.NETLINK_GENERIC)
        second.socket.setsockopt(rtnl.SOL_NETLINK, rtnl.NETLINK_EXT_ACK, 1)
        second.socket.bind(name)
        first.link = second
        first.refused(errno.ENOENT, COMMIT, b"")
        begin(first)
        first.close()
    tap.equal(limits(t)[indices[0]], 100, "limit")


@tap.case("a hundred thousand changes, made at once; and more than a transaction may have")
def many(t):
    indices = pairs(t, 2)
    chunk = b"".join(port(index, 1 + n % 4000) for n in range(250) for index in indices)
    count = 100000 // net.SLOW // 1000
    begin(t.c0)
    start = time.monotonic()
    for _ in range(count):
        t.c0.send(ADD, chunk)
    added = time.monotonic()
    t.c0.send(COMMIT)
    tap.note(f"{1000 * count} changes: added in {added - start:.2f} s, "
             f"committed in {time.monotonic() - added:.2f} s")
    tap.equal(set(limits(t).values()), {250}, "limits")

    begin(t.c0)
    chunk = port(indices[0]) * 4096
    for _ in range(CHANGES_MAX // 4096):
        t.c0.send(ADD, chunk)
    t.c0.refused(errno.E2BIG, ADD, port(indices[0]), at=0)
    t.c0.send(ADD)
    t.c0.send(ABORT)
    begin(t.c0)
    t.c0.send(ADD, port(indices[0], 77))
    t.c0.send(COMMIT)
    tap.equal(limits(t)[indices[0]], 77, "limit")


@tap.case("a namespace that goes, and a module that is unloaded, with transactions open")
def unload(t):
    path = net.module_path()
    gone = net.Namespace("gone")
    with gone:
        gone.rtnl.add_pair(net.KIND, {"name": "b"}, name="a")
    family = control.Raw(gone)
    begin(family)
    family.send(ADD, port(gone.rtnl.get("a")["index"], 5))
    # The socket keeps the namespace.
    gone.close()
    family.send(COMMIT)
    begin(family)
    family.send(ADD, port(1, 5) * 1000)
    family.close()
    family = control.Raw(t.n0)
    begin(family)
    family.send(ADD, port(1, 5) * 1000)
    try:
        net.run("rmmod", "ferronic")
        family.close()
    finally:
        if not os.path.isdir("/sys/module/ferronic"):
            net.run("insmod", path)


class Fresh(control.RawControl):
    """Without a transaction at the beginning of a case, even if one failed."""

    def tidy(self):
        for family in (self.c0, self.c1):
            with contextlib.suppress(rtnl.NetlinkError):
                family.send(ABORT)
        super().tidy()


tap.main(Fresh)
