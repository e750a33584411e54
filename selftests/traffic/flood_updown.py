#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A flood while ends go up and down, move and are deleted; afterwards all works."""

import contextlib
import os
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import conservation  # noqa: E402
import content  # noqa: E402
import net      # noqa: E402
import rtnl     # noqa: E402
import tap      # noqa: E402


def permanent_neighbours(t):
    """With fixed neighbours the flood goes on at once after every interruption."""
    for end in (0, 1):
        t.n[end].ip("neigh", "replace", net.V4[1 - end], "lladdr", net.MAC[1 - end], "dev",
                    f"fe{end}")


def floods(t, stack):
    """Floods in both directions."""
    made = [content.Flood(t.n0, *net.V4), content.Flood(t.n1, *reversed(net.V4))]
    return [stack.enter_context(flood) for flood in made]


def works(t):
    """Everything is as before the trouble."""
    t.ready()
    for end in (0, 1):
        # An address of IPv6 goes with the port when it goes down.
        with contextlib.suppress(rtnl.NetlinkError):
            t.n[end].rtnl.add_address(f"fe{end}", net.V6[end], 64)
        t.n[end].wait_local(net.V6[end])
    for addresses in (net.V4, net.V6):
        content.echo(t.n0, *addresses, sizes=(0, 1000, 20000))
        content.datagrams(t.n0, t.n1, *addresses, sizes=(1, 1472, 30000))
        content.stream(t.n0, t.n1, *addresses, 300000)


@tap.case(f"the receiver goes up and down {net.rounds(100)} times")
def receiver_updown(t):
    t.pair()
    permanent_neighbours(t)
    with contextlib.ExitStack() as stack:
        flood, _ = floods(t, stack)
        for _ in range(net.rounds(100)):
            t.n1.rtnl.change("fe1", up=False)
            t.n1.rtnl.change("fe1", up=True)
        # The sender's own end never went down: the flood reaches the wire again.
        before = t.n1.rtnl.stats("fe1")["rx_packets"]
        permanent_neighbours(t)
        net.wait_until(lambda: t.n1.rtnl.stats("fe1")["rx_packets"] > before + 50,
                       "the flood arriving again")
        tap.note(f"{flood.count} datagrams sent, {flood.refused} refusals")
    works(t)


@tap.case("both ends go up and down at the same time")
def both_updown(t):
    t.pair()
    permanent_neighbours(t)
    errors = []

    def updown(end):
        try:
            for _ in range(net.rounds(25)):
                t.n[end].rtnl.change(f"fe{end}", up=False)
                t.n[end].rtnl.change(f"fe{end}", up=True)
        except Exception as error:      # reported by the case, below
            errors.append(error)

    with contextlib.ExitStack() as stack:
        floods(t, stack)
        threads = [threading.Thread(target=updown, args=(end,)) for end in (0, 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    tap.equal(errors, [], "errors")
    works(t)


@tap.case("the receiver moves away and back under the flood")
def moving(t):
    t.pair()
    permanent_neighbours(t)
    with contextlib.ExitStack() as stack:
        floods(t, stack)
        for _ in range(net.rounds(5)):
            t.n1.rtnl.change("fe1", ns=t.n0.fd)
            t.n0.rtnl.change("fe1", up=True)
            t.n0.rtnl.change("fe1", ns=t.n1.fd)
            t.n1.rtnl.change("fe1", up=True)
    t.n1.rtnl.add_address("fe1", net.V4[1], 24)
    works(t)


@tap.case("pairs are deleted from either end under the flood")
def deleted(t):
    for turn in range(net.rounds(10)):
        t.pair()
        permanent_neighbours(t)
        with contextlib.ExitStack() as stack:
            flood, _ = floods(t, stack)
            net.wait_until(lambda: flood.count > 100, "the flood")
            end = turn % 2
            t.n[end].rtnl.delete(f"fe{end}")
            tap.equal(t.n[1 - end].rtnl.exists(f"fe{1 - end}"), False, "the other end")


tap.main(conservation.Topology)
