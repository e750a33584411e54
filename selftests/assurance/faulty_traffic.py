#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Traffic while memory is short and while packets' data moves whenever it may:
frames may be dropped and counted, and nothing else happens."""

import contextlib
import errno
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import content  # noqa: E402
import ethnl    # noqa: E402
import faults   # noqa: E402
import frames   # noqa: E402
import hooks    # noqa: E402
import net      # noqa: E402
import nic      # noqa: E402
import rtnl     # noqa: E402
import tap      # noqa: E402

HANDOFF = [rtnl.attr(2, 1)]
SIZES = (1, 63, 512, 1472, 9000, 40000)


class Faulty(faults.Topology, nic.Pair):
    """A pair in two namespaces; allocations beneath the module can fail."""


def burst(t, count):
    """Sends so many frames of several flows and sizes each way; the send buffer of a
    socket fills, but nobody waits for memory that is short."""
    refused = 0
    for way in (0, 1):
        source = t.made[way]
        with source.namespace.packet(source.name) as sender:
            for number in range(count):
                body = frames.ip(net.V4[way], net.V4[1 - way], 17, frames.udp(
                    net.V4[way], net.V4[1 - way], number % 31, 9, bytes(number * 7 % 1400)))
                frame = frames.ether(net.MAC[1 - way], net.MAC[way], frames.ETH_P_IP, body)
                try:
                    sender.send(frame)
                except OSError as error:
                    if error.errno not in faults.ERRORS:
                        raise
                    refused += 1
    return refused


def lost(t):
    return sum(port.dropped() for port in t.made)


@tap.case("with each fourth allocation failing: what is lost is counted, and then all is well")
def short(t):
    t.nics(quiet=True)
    with faults.probability(25):
        refused = burst(t, net.rounds(4000))
        t.balanced()
    tap.note(f"{lost(t)} frames lost, {refused} not taken")
    if not lost(t) + refused:
        raise AssertionError("no allocation failed: does the filter fit?")
    before = lost(t)
    tap.equal(burst(t, 300), 0, "frames not taken with memory there")
    t.balanced()
    tap.equal(lost(t), before, "frames lost with memory there")


@tap.case("no memory at all for a while: rings run dry, and fill again")
def none(t):
    one, other = t.nics(quiet=True)
    for port in (one, other):
        port.ethtool.set(ethnl.RINGS, rx=64, tx=64)
        port.ethtool.set(ethnl.CHANNELS, combined=1)
    with faults.probability(100):
        burst(t, 500)
    # Whoever waited for buffers goes on: the receiver tries again by a timer.
    with one.namespace.packet(one.name) as sender, other.namespace.packet(other.name) as receiver:
        nic.drain(receiver)
        sender.send(nic.udp_frame(sport=4711))
        while receiver.recv(2000) != nic.udp_frame(sport=4711):
            pass
    t.balanced()


@tap.case("no memory for packets: frames that were received all the same are told of by their reason")
def no_packets(t):
    one, other = t.nics(quiet=True)
    for port in (one, other):
        port.one_channel()
    frame = frames.ether(net.MAC[1], net.MAC[0], frames.ETH_P_TEST, bytes(100))
    with t.n0.packet("fe0") as sender, t.n1.packet("fe1", frames.ETH_P_TEST):
        # Small ones are copied, which gives their buffers back; the copies stay where nobody reads.
        with faults.probability(100):
            for _ in range(2000):
                sender.send(frame)
        t.balanced()
    drops = {name: value for port in (one, other) for name, value in port.private().items()
             if "_drop_" in name and value}
    tap.equal(list(drops), ["rx_drop_no_memory"], "reasons")
    tap.equal(other.link["stats"]["rx_dropped"], drops["rx_drop_no_memory"], "rx_dropped")
    tap.equal(other.qstats()["rx_alloc_fail"] >= drops["rx_drop_no_memory"], True, "rx_alloc_fail")


@tap.case("connections and their content with each fiftieth allocation failing")
def stream(t):
    t.nics(only4=True)
    with faults.probability(2):
        content.stream(t.n0, t.n1, *net.V4, net.rounds(2000000))
    t.balanced()
    t.ping()


@tap.case("the same on a wire that hands packets off")
def stream_handoff(t):
    t.nics(only4=True, info=HANDOFF)
    with faults.probability(2):
        content.stream(t.n0, t.n1, *net.V4, net.rounds(2000000))
    t.ping()


@tap.case("reconfiguration under a flood while each tenth allocation fails")
def reconfigure(t):
    one, other = t.nics(only4=True)
    done = refused = 0
    with content.Flood(t.n0, *net.V4), content.Flood(t.n1, *reversed(net.V4)), \
            faults.probability(10):
        for turn in range(net.rounds(160)):
            port = (one, other)[turn % 2]
            for table, values in ((ethnl.RINGS, {"rx": 64 << turn % 4, "tx": 512 >> turn % 3}),
                                  (ethnl.CHANNELS, {"combined": 1 + turn % 5})):
                try:
                    port.ethtool.set(table, **values)
                    done += 1
                except rtnl.NetlinkError as error:
                    if error.errno not in faults.ERRORS:
                        raise
                    refused += 1
    tap.note(f"{done} done, {refused} refused")
    t.balanced()
    t.ping()


DISTURBED = (("set-mark", {"mark": 5, "every": 3}), ("set-dscp", {"dscp": 46, "every": 2}),
             ("corrupt", {"bits": 4, "offset": 60, "every": 5}),
             ("sample", {"snap": 99, "every": 7}), ("duplicate", {"copies": 2, "every": 4}),
             ("delay", {"delay": 10**6, "every": 3}),
             ("reorder", {"gap": 2, "timeout": 10**7, "every": 6}), ("drop", {"every": 9}))
PLACES = ("ingress", "prerouting", "input", "output", "postrouting", "egress")


@tap.case("chains that change, copy and hold packets, and are exchanged, while each fifth fails")
def chains(t):
    t.nics(only4=True)
    done = refused = 0
    with contextlib.ExitStack() as stack:
        both = [stack.enter_context(contextlib.closing(hooks.Hooks(n))) for n in t.n]
        stack.enter_context(hooks.Events(both[0]))
        stack.enter_context(content.Flood(t.n0, *net.V4))
        stack.enter_context(content.Flood(t.n1, *reversed(net.V4)))
        with faults.probability(20):
            for turn in range(net.rounds(480)):
                family, dev = both[turn % 2], (net.NAME0, net.NAME1)[turn % 2]
                place = PLACES[turn % len(PLACES)]
                at = dev if place in ("ingress", "egress") else None
                action, options = DISTURBED[turn % len(DISTURBED)]
                for request in (
                        lambda f=family, p=place, a=at: f.chain(p, p, dev=a),
                        lambda f=family, p=place, a=action, o=options: f.rule(
                            p, hooks.term("protocol", hooks.UDP), action=a, notify=60, **o),
                        lambda f=family, n=turn: f.delete(PLACES[n * 7 % len(PLACES)])):
                    try:
                        request()
                        done += 1
                    except rtnl.NetlinkError as error:
                        if error.errno not in (*faults.ERRORS, errno.EEXIST, errno.ENOENT):
                            raise
                        refused += 1
        for family in both:
            family.clear()
            tap.equal(family.chains(), {}, "chains")
    tap.note(f"{done} done, {refused} refused")
    t.balanced()
    t.ping()


def moving(t, info=()):
    """Everything that a stack sends, with the data of a packet moved at every chance."""
    t.nics(info=info)
    with faults.probability(100, ["fail_skb_realloc"]):
        for addresses in (net.V4, net.V6):
            content.stream(t.n0, t.n1, *addresses, net.rounds(1000000))
            content.datagrams(t.n0, t.n1, *addresses, sizes=SIZES)
            content.echo(t.n0, *addresses, sizes=SIZES)
    t.ping()


@tap.case("packets whose data moves whenever it may")
def realloc(t):
    moving(t)


@tap.case("the same on a wire that hands packets off")
def realloc_handoff(t):
    moving(t, HANDOFF)


tap.main(Faulty)
