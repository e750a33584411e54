#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Queue statistics of the netdev family: complete, monotonic, one with the
link's statistics."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import content  # noqa: E402
import ethnl    # noqa: E402
import genl     # noqa: E402
import net      # noqa: E402
import nic      # noqa: E402
import tap      # noqa: E402

LINK = ("rx_packets", "rx_bytes", "tx_packets", "tx_bytes")
BASIC = {"rx_packets", "rx_bytes", "tx_packets", "tx_bytes", "rx_alloc_fail",
         "rx_csum_unnecessary", "rx_csum_none", "rx_csum_bad", "tx_needs_csum", "tx_stop",
         "tx_wake", "tx_hw_gso_packets", "tx_hw_gso_bytes", "tx_hw_gso_wire_packets",
         "tx_hw_gso_wire_bytes", "rx_hw_drops", "rx_hw_drop_overruns"}


def at_rest(port):
    """Counters of the link, of the device, and of the queues, of one moment: even when a test's traffic has ended a stack
    looks after its neighbours now and then."""
    def read():
        link, whole, queues = port.link["stats"], port.qstats(), port.queue_stats()
        again = port.link["stats"]
        return all(link[key] == again[key] for key in LINK) and (link, whole, queues)

    return net.wait_until(read, f"a moment without traffic of {port.name}")


def agree(port):
    """Once traffic has ended, all sums are the same.  Returns the sums over the queues, and the device's."""
    link, whole, queues = at_rest(port)
    tap.equal({key: whole[key] for key in LINK}, {key: link[key] for key in LINK},
              f"{port.name}: device against link")
    totals = {key: sum(stats.get(key, 0) for stats in queues.values()) for key in LINK}
    for key, total in totals.items():
        if total > whole[key]:
            raise AssertionError(f"{port.name}: {key} of the queues {total}, device {whole[key]}")
    return totals, whole


@tap.case("every statistic that a NIC keeps is there")
def complete(t):
    one, _ = t.nics()
    have = set(one.qstats())
    missing = BASIC - have
    tap.equal(missing, set(), "missing")
    queues = one.queue_stats()
    count = one.channels()["combined"]
    tap.equal(set(queues), {(way, number) for way in (genl.RX, genl.TX) for number in range(count)},
              "queues")


@tap.case("after traffic of all kinds the sums agree")
def sums(t):
    nics = t.nics()
    for addresses in (net.V4, net.V6):
        content.stream(t.n0, t.n1, *addresses, 500000)
        content.datagrams(t.n0, t.n1, *addresses, sizes=(1, 1472, 30000))
    t.balanced()
    for port in nics:
        totals, whole = agree(port)
        # No queue has gone yet, so nothing is left to a base.
        tap.equal(totals, {key: whole[key] for key in LINK}, f"{port.name}: queues against device")


@tap.case("never backwards over down and up, other sizes and other channels")
def monotonic(t):
    nics = t.nics()
    last = [port.qstats() for port in nics]

    def step():
        content.echo(t.n0, *net.V4, sizes=(100, 1000, 5000))
        look()

    def look():
        for number, port in enumerate(nics):
            now = port.qstats()
            for key, value in last[number].items():
                if now.get(key, 0) < value:
                    raise AssertionError(f"{port.name} {key}: {value}, then {now.get(key)}")
            last[number] = now

    step()
    for port in nics:
        port.ethtool.set(ethnl.CHANNELS, combined=1)
        step()
        port.ethtool.set(ethnl.CHANNELS, combined=8)
        step()
        port.ethtool.set(ethnl.RINGS, rx=128, tx=128)
        step()
        port.namespace.rtnl.change(port.name, up=False)
        look()
        port.namespace.rtnl.change(port.name, up=True)
        t.ready()
        step()
    for port in nics:
        agree(port)


@tap.case("read under traffic, later reads are never behind, whichever interface is asked")
def alternating(t):
    one, other = t.nics()
    last = dict.fromkeys(LINK, 0)
    with content.Flood(t.n0, *net.V4):
        for turn in range(100):
            now = other.link["stats"] if turn % 2 else other.qstats()
            for key in LINK:
                if now[key] < last[key]:
                    raise AssertionError(f"turn {turn}: {key} {last[key]}, then {now[key]}")
                last[key] = now[key]


@tap.case("queues are gone from the family while the port is down")
def down(t):
    one, _ = t.nics()
    one.namespace.rtnl.change("fe0", up=False)
    tap.equal(one.queues(), {}, "queues while down")
    tap.equal(one.napis(), {}, "NAPIs while down")
    one.namespace.rtnl.change("fe0", up=True)
    tap.equal(len(one.queues()), 2 * one.channels()["combined"], "queues while up")


tap.main(nic.Pair)
