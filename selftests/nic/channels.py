#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Channels: any number of them, changed while traffic flows."""

import contextlib
import errno
import os
import sys
from unittest import mock

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import content  # noqa: E402
import ethnl    # noqa: E402
import genl     # noqa: E402
import net      # noqa: E402
import nic      # noqa: E402
import rtnl     # noqa: E402
import tap      # noqa: E402


def check(port, count):
    """Every interface agrees on the number of channels."""
    tap.equal(port.channels()["combined"], count, "ethtool")
    tap.equal(port.queues().keys(), {(way, number) for way in (genl.RX, genl.TX)
                                     for number in range(count)}, "queues of the netdev family")
    listed = port.namespace.run("unshare", "-m", "sh", "-c", "mount -t sysfs none /sys && "
                                f"ls /sys/class/net/{port.name}/queues").split()
    tap.equal(sorted(listed), sorted(f"{way}-{number}" for way in ("rx", "tx")
                                     for number in range(count)), "queues in /sys")


@tap.case("at least 4 at first, 64 at most unless more are asked for, whatever the CPUs")
def defaults(t):
    with mock.patch.dict(rtnl.Rtnl.unless_told, clear=True):
        one, _ = t.nics()
    channels = one.channels()
    tap.equal(channels["combined_max"], 64, "largest number")
    if channels["combined"] < 4:
        raise AssertionError(channels)
    check(one, channels["combined"])
    t.tidy()
    one, other = t.nics(own={"txq": 100, "rxq": 100}, peer={"txq": 2, "rxq": 3})
    tap.equal(one.channels()["combined_max"], 100, "more asked for")
    tap.equal(other.channels()["combined_max"], 2, "fewer asked for")
    t.ping()


@tap.case("numbers up and down, each end its own")
def numbers(t):
    one, other = t.nics(own=nic.MANY, peer=nic.MANY)
    before = other.channels()["combined"]
    for count in (1, 2, 3, 8, 5, 64, 4, 1, 16):
        one.ethtool.set(ethnl.CHANNELS, combined=count)
        check(one, count)
        content.echo(t.n0, *net.V4, sizes=(1000,))
    tap.equal(other.channels()["combined"], before, "the other end's")


@tap.case("a number set while down holds when up")
def while_down(t):
    one, _ = t.nics()
    one.namespace.rtnl.change("fe0", up=False)
    one.ethtool.set(ethnl.CHANNELS, combined=7)
    one.namespace.rtnl.change("fe0", up=True)
    t.ready()
    check(one, 7)
    t.ping()


@tap.case("numbers that cannot be are refused with a reason, and nothing changes")
def bad_number(t):
    one, _ = t.nics()
    before = one.channels()
    for values in ({"combined": 0}, {"combined": 65}, {"combined": 0xFFFFFFFF}, {"rx": 1},
                   {"tx": 1}, {"other": 1}):
        try:
            one.ethtool.set(ethnl.CHANNELS, **values)
        except rtnl.NetlinkError as error:
            if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP) or not error.text:
                raise AssertionError(f"{values}: {error}") from None
        else:
            raise AssertionError(f"{values}: was taken")
        tap.equal(one.channels(), before, f"channels after {values}")
    t.ping()


def rechannel(nics, count):
    for port in nics:
        port.ethtool.set(ethnl.CHANNELS, combined=count)


@tap.case("changed while TCP flows both ways: content intact, no link loss")
def tcp(t):
    nics = t.nics(own=nic.MANY, peer=nic.MANY)
    before = [port.link["carrier_changes"] for port in nics]
    counts = (1, 8, 2, 64, 3, 4) * 2
    changes = nic.Changes(lambda turn: rechannel(nics, counts[turn]), len(counts))
    seed = 0
    while changes.is_alive() or seed < 2:
        content.stream(t.n0, t.n1, *(net.V4, net.V6)[seed % 2], 400000, seed=seed)
        seed += 1
    changes.finish()
    tap.note(f"{seed} streams of 400 kB each way")
    tap.equal([port.link["carrier_changes"] for port in nics], before, "carrier changes")


@tap.case("changed under a flood: what is not received is counted, counters never go back")
def flood(t):
    nics = t.nics(quiet=True, own=nic.MANY, peer=nic.MANY)
    sent = 0
    last = 0
    counts = (1, 16, 2, 4) * 2
    changes = nic.Changes(lambda turn: rechannel(nics, counts[turn]), len(counts))
    with t.n0.packet("fe0") as sender:
        while changes.is_alive() or sent < 1000:
            # Frames of many flows, so that every queue gets some.
            sender.send(nic.udp_frame(sport=1000 + sent % 64))
            sent += 1
            if sent % 50 == 0:
                now = t.n1.rtnl.stats("fe1")["rx_packets"]
                if now < last:
                    raise AssertionError(f"frames received: {last}, then {now}")
                last = now
    changes.finish()
    t.balanced()


@tap.case("fewer: what is in the rings that go is received, from queues that the stack still knows")
def leaving(t):
    """Where the stack steers packets to CPUs it complains of a queue that is none."""
    one, other = t.nics(quiet=True)
    flows = [nic.udp_frame(sport=1000 + number) for number in range(32)]
    with steered_by_the_stack(), t.n0.packet("fe0") as sender:
        with nic.stalled(other, sender, flows[0]):
            # Each vector is raised for the first that comes, and deferred then.
            for turn in range(3):
                for frame in flows:
                    sender.send(frame)
            sent = one.link["stats"]["tx_packets"]
            before = other.rx_by_queue()
            other.ethtool.set(ethnl.CHANNELS, combined=2)
            tap.equal(one.link["stats"]["tx_packets"], sent, "sent")
        t.balanced()
    tap.equal(sum(before.values()) < sent, True, f"frames that wait: {before} of {sent}")
    tap.equal(other.dropped(), 0, "dropped")


@contextlib.contextmanager
def steered_by_the_stack():
    """Has the whole kernel steer packets to the CPUs of their receivers (RFS)."""
    path = "/proc/sys/net/core/rps_sock_flow_entries"
    with open(path, encoding="ascii") as file:
        before = file.read()

    def write(value):
        with open(path, "w", encoding="ascii") as file:
            file.write(value)

    write("1024")
    try:
        yield
    finally:
        write(before)


@tap.case("all queues carry traffic")
def all_queues(t):
    one, other = t.nics(quiet=True)
    for port in (one, other):
        port.ethtool.set(ethnl.CHANNELS, combined=4)
    with t.n0.packet("fe0") as sender:
        for sport in range(400):
            sender.send(nic.udp_frame(sport=1000 + sport))
    t.balanced()
    by_queue = other.rx_by_queue()
    if len(by_queue) != 4 or any(count < 50 for count in by_queue.values()):
        raise AssertionError(by_queue)


@tap.case("the default qdisc is one per queue")
def qdisc(t):
    one, _ = t.nics()
    tap.equal(one.link["qdisc"], "mq", "qdisc")
    one.ethtool.set(ethnl.CHANNELS, combined=6)
    shown = t.n0.tc("qdisc", "show", "dev", "fe0")
    tap.equal(shown.count("parent :"), 6, f"qdiscs below mq in {shown}")


tap.main(nic.Pair)
