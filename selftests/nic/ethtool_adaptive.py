#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Adaptive moderation, and moderation of single queues."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import content  # noqa: E402
import ethnl    # noqa: E402
import net      # noqa: E402
import nic      # noqa: E402
import tap      # noqa: E402


def adaptations(port):
    return sum(value for name, value in port.private().items() if name.endswith("_adaptations"))


def traffic(t, seconds_of=20):
    """Streams both ways, so many of them."""
    for seed in range(seconds_of):
        content.stream(t.n0, t.n1, *net.V4, 500000, seed=seed)
        yield


@tap.case("off at first; nothing adapts")
def off(t):
    nics = t.nics()
    for _ in traffic(t, 2):
        pass
    tap.equal([adaptations(port) for port in nics], [0, 0], "adaptations")


@tap.case("on, the moderation follows the traffic; off again, the user's holds")
def on(t):
    one, other = t.nics()
    # One channel sees all the polls there are.
    for port in (one, other):
        port.ethtool.set(ethnl.CHANNELS, combined=1)
    other.ethtool.set(ethnl.COALESCE, rx_usecs=55)
    other.set("-C", "adaptive-rx", "on", "adaptive-tx", "on")
    before = adaptations(other)
    for _ in traffic(t, 60):
        if adaptations(other) > before:
            break
    else:
        raise AssertionError(f"never adapted: {other.private()}")
    tap.equal(other.coalesce()["rx_usecs"], 55, "the user's value")
    other.set("-C", "adaptive-rx", "off", "adaptive-tx", "off")
    before = adaptations(other)
    for _ in traffic(t, 2):
        pass
    tap.equal(adaptations(other), before, "adaptations when off")
    tap.equal(other.coalesce()["rx_usecs"], 55, "the user's value")
    tap.equal(adaptations(one), 0, "adaptations of the other end")


@tap.case("what adapting begins with when a port comes up is no adaptation")
def begun(t):
    _, other = t.nics(quiet=True)
    other.set("-C", "adaptive-rx", "on", "adaptive-tx", "on")
    for _ in range(2):
        t.n1.rtnl.change("fe1", up=False)
        t.n1.rtnl.change("fe1", up=True)
    tap.equal(adaptations(other), 0, "adaptations without a frame")


@tap.case("kept over down and up, other channels and other rings, under traffic")
def kept(t):
    _, other = t.nics()
    other.set("-C", "adaptive-rx", "on", "adaptive-tx", "on")
    steps = iter(((ethnl.CHANNELS, {"combined": 7}), (ethnl.RINGS, {"rx": 128, "tx": 128}),
                  (ethnl.CHANNELS, {"combined": 1}), (ethnl.RINGS, {"rx": 1024, "tx": 64})))
    for _ in traffic(t, 6):
        if step := next(steps, None):
            other.ethtool.set(step[0], **step[1])
        tap.equal([other.coalesce()[key] for key in ("adaptive_rx", "adaptive_tx")], [1, 1], "mode")
    other.namespace.rtnl.change("fe1", up=False)
    other.namespace.rtnl.change("fe1", up=True)
    t.ready()
    tap.equal([other.coalesce()[key] for key in ("adaptive_rx", "adaptive_tx")], [1, 1], "mode")
    t.ping()


@tap.case("single queues keep theirs over down and up and other channels")
def queues(t):
    one, _ = t.nics()

    def shown(mask):
        out = t.n0.ethtool("-Q", "fe0", "queue_mask", mask, "--show-coalesce")
        return [int(line.split()[1]) for line in out.splitlines() if line.startswith("rx-usecs:")]

    t.n0.ethtool("-Q", "fe0", "queue_mask", "0x6", "--coalesce", "rx-usecs", "7", "tx-frames", "9")
    default = one.coalesce()["rx_usecs"]
    want = [default, 7, 7, default]
    tap.equal(shown("0xf"), want, "set")
    one.namespace.rtnl.change("fe0", up=False)
    one.namespace.rtnl.change("fe0", up=True)
    tap.equal(shown("0xf"), want, "after down and up")
    one.ethtool.set(ethnl.CHANNELS, combined=2)
    one.ethtool.set(ethnl.CHANNELS, combined=8)
    tap.equal(shown("0xff"), want + [default] * 4, "after other channels")
    one.ethtool.set(ethnl.COALESCE, tx_usecs=50)
    tap.equal(shown("0xff"), [default] * 8, "after a setting for all")
    t.ready()
    t.ping()


tap.main(nic.Pair)
