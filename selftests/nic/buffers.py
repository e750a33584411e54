#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Page pools of receive queues: one for posted buffers, as large as frames need them,
one for copies of small frames, used again and again."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import content  # noqa: E402
import ethnl    # noqa: E402
import frames   # noqa: E402
import net      # noqa: E402
import nic      # noqa: E402
import tap      # noqa: E402

PAGE = 4096


def pools(port):
    return port.netdev.page_pools(port.index)


def counts(port):
    """Statistics of the port's pools, summed up."""
    found = port.netdev.page_pool_stats(port.index)
    if not found:
        raise tap.Skip("a kernel without statistics of page pools")
    return {name: sum(stats[name] for stats in found.values())
            for name in next(iter(found.values()))}


@tap.case("two page pools a queue, known to the core with device and NAPI")
def known(t):
    one, _ = t.nics()
    for count in (4, 7, 2):
        one.ethtool.set(ethnl.CHANNELS, combined=count)
        # Those of before may still be there: some packet has a page of theirs.
        found = [pool for pool in pools(one).values() if "napi_id" in pool]
        tap.equal(sorted(pool["napi_id"] for pool in found), sorted(list(one.napis()) * 2),
                  "NAPIs of pools")
        queues = {napi for (kind, _), napi in one.queues().items() if kind == 0}
        tap.equal({pool["napi_id"] for pool in found}, queues, "NAPIs of receive queues")
    one.namespace.rtnl.change("fe0", up=False)
    net.wait_until(lambda: not pools(one), "no pool of a port that is down")


@tap.case("pools that nobody has a page of go with their rings")
def gone(t):
    one, _ = t.nics(quiet=True)
    net.wait_until(lambda: len(pools(one)) == 8, "no pools but those of the four channels")
    for change in (lambda: one.ethtool.set(ethnl.RINGS, rx=1024),
                   lambda: one.namespace.rtnl.change("fe0", mtu=9000),
                   lambda: one.ethtool.set(ethnl.CHANNELS, combined=4),
                   lambda: one.ethtool.set(ethnl.CHANNELS, combined=2)):
        change()
        found = pools(one).values()
        tap.equal([pool for pool in found if "napi_id" not in pool], [], "pools without a queue")
        tap.equal(len(found), 2 * one.channels()["combined"], "pools")


@tap.case("half a page a frame while they fit, whole pages otherwise; all posted")
def size(t):
    one, other = t.nics()
    one.ethtool.set(ethnl.CHANNELS, combined=1)
    one.ethtool.set(ethnl.RINGS, rx=512)
    for mtu, length in ((1500, PAGE // 2), (68, PAGE // 2), (9000, PAGE), (65535, PAGE),
                        (1500, PAGE // 2)):
        for port in (one, other):
            port.namespace.rtnl.change(port.name, mtu=mtu)
        tap.equal(one.rings()["rx_buf_len"], length, f"buffers at an MTU of {mtu}")
        # Those of before may still be there: some packet has a page of theirs.
        found = [pool for pool in pools(one).values() if "napi_id" in pool]
        tap.equal(len(found), 2, "pools")
        tap.equal(max(pool["inflight_mem"] for pool in found) >= 512 * length, True,
                  f"memory in the ring at an MTU of {mtu}: {found}")
        if mtu >= 1280:
            content.datagrams(t.n0, t.n1, *net.V4, sizes=(1, 1000, 20000))


def flood(t, other, size):
    """What the pools of fe1 have counted for two rings of frames."""
    before = counts(other)
    with t.n0.packet("fe0") as sender:
        frame = frames.ether(net.MAC[1], net.MAC[0], frames.ETH_P_TEST, bytes(size - 14))
        for _ in range(4096):
            sender.send(frame)
    t.balanced()
    after = counts(other)
    return {name: after[name] - before[name] for name in after}


def taken(stats):
    return stats["alloc_fast"] + stats["alloc_slow"]


@tap.case("pages come back to their pool; small frames take pieces, not the buffers of the ring")
def recycled(t):
    _, other = t.nics(quiet=True)
    other.ethtool.set(ethnl.CHANNELS, combined=1)
    t.n1.tc("qdisc", "add", "dev", "fe1", "clsact")
    t.n1.tc("filter", "add", "dev", "fe1", "ingress", "matchall", "action", "drop")
    large = flood(t, other, 1500)
    small = flood(t, other, 200)
    for size, stats in ((1500, large), (200, small)):
        again = stats["recycle_cached"] + stats["recycle_ring"]
        tap.note(f"4096 frames of {size} bytes: {taken(stats)} pages, {again} of them recycled")
        # What is new is in the ring, or in the pool's cache.
        tap.equal((again * 2 > taken(stats), stats["alloc_slow"] < 600), (True, True),
                  f"recycled, and not made anew: {stats}")
    tap.equal(taken(small) * 2 < taken(large), True, "pages for small frames and for large ones")


tap.main(nic.Pair)
