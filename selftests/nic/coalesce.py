#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Moderation: settings, their limits, and that the rate of raises follows."""

import errno
import os
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import content  # noqa: E402
import ethnl    # noqa: E402
import frames   # noqa: E402
import net      # noqa: E402
import nic      # noqa: E402
import rtnl     # noqa: E402
import tap      # noqa: E402

UDP_SEGMENT = 103
KEYS = ("rx_usecs", "rx_frames", "tx_usecs", "tx_frames")


def fixed(port):
    """Turns adaptive moderation off where there is any."""
    if "adaptive_rx" in port.coalesce():
        port.ethtool.set(ethnl.COALESCE, adaptive_rx=0, adaptive_tx=0)


@tap.case("every setting reads back, each end its own")
def settings(t):
    one, other = t.nics()
    before = other.coalesce()
    for values in ({"rx_usecs": 0}, {"rx_usecs": 100, "rx_frames": 32},
                   {"tx_usecs": 50, "tx_frames": 16}, {"rx_usecs": 1000, "tx_usecs": 1000}):
        one.ethtool.set(ethnl.COALESCE, **values)
        now = one.coalesce()
        tap.equal({key: now[key] for key in values}, values, "settings")
        t.ping()
    tap.equal(other.coalesce(), before, "the other end's")


@tap.case("by ethtool, and kept over down and up and other channels")
def kept(t):
    one, _ = t.nics()
    fixed(one)
    one.set("-C", "rx-usecs", 77, "rx-frames", 11, "tx-usecs", 88, "tx-frames", 22)
    want = [77, 11, 88, 22]
    tap.equal([one.coalesce()[key] for key in KEYS], want, "settings")
    one.namespace.rtnl.change("fe0", up=False)
    one.namespace.rtnl.change("fe0", up=True)
    tap.equal([one.coalesce()[key] for key in KEYS], want, "after down and up")
    one.ethtool.set(ethnl.CHANNELS, combined=8)
    tap.equal([one.coalesce()[key] for key in KEYS], want, "with other channels")


@tap.case("values out of range and settings without effect are refused with a reason")
def bad(t):
    one, _ = t.nics()
    before = one.coalesce()
    for values in ({"rx_usecs": 0xFFFFFFFF}, {"tx_usecs": 0xFFFFFFFF}, {"rx_frames": 0xFFFFFFFF},
                   {"pkt_rate_low": 5}, {"rx_usecs_irq": 3}):
        try:
            one.ethtool.set(ethnl.COALESCE, **values)
        except rtnl.NetlinkError as error:
            if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP, errno.ERANGE) or not error.text:
                raise AssertionError(f"{values}: {error}") from None
        else:
            raise AssertionError(f"{values}: was taken")
        tap.equal(one.coalesce(), before, f"settings after {values}")


@tap.case("of one queue alone")
def per_queue(t):
    one, _ = t.nics()
    fixed(one)
    one.set("-C", "rx-usecs", 20)
    one.namespace.ethtool("--per-queue", "fe0", "queue_mask", "0x2", "--coalesce", "rx-usecs",
                          "300")
    shown = one.namespace.ethtool("--per-queue", "fe0", "queue_mask", "0x3", "--show-coalesce")
    values = [int(line.split()[1]) for line in shown.splitlines() if line.startswith("rx-usecs:")]
    tap.equal(values, [20, 300], "rx-usecs of queues 0 and 1")
    t.ping()


def raises_for(t, one, other, **values):
    """How often fe1 is raised by a thousand frames that come in a stream."""
    fixed(other)
    other.ethtool.set(ethnl.COALESCE, **values)
    before = other.raises()
    with t.n0.packet("fe0") as sender:
        frame = nic.udp_frame()
        for _ in range(1000):
            sender.send(frame)
    t.balanced()
    return other.raises() - before


@tap.case("longer rx-usecs mean fewer raises for the same frames")
def rate(t):
    one, other = t.nics(quiet=True)
    often = raises_for(t, one, other, rx_usecs=0, rx_frames=1)
    seldom = raises_for(t, one, other, rx_usecs=50000, rx_frames=512)
    tap.note(f"{often} raises at 0 us, {seldom} at 50000 us")
    if not 0 < seldom < often / 4:
        raise AssertionError(f"{often} raises at 0 us, {seldom} at 50000 us")


def raises_for_bursts(t, one, other, **values):
    """The same for 40 bursts of 50 frames each."""
    fixed(other)
    other.ethtool.set(ethnl.COALESCE, **values)
    before = other.raises()
    with t.n0.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, 100)
        for _ in range(40):
            sender.sendto(bytes(5000), (net.V4[1], 9))
    t.balanced()
    return other.raises() - before


@tap.case("rx-frames ends a wait early, of frames that come one by one and in bursts")
def by_frames(t):
    one, other = t.nics(only4=True)
    other.one_channel()
    t.ping()
    for raises, how in ((raises_for, "one by one"), (raises_for_bursts, "in bursts")):
        seldom = raises(t, one, other, rx_usecs=1000000, rx_frames=512)
        often = raises(t, one, other, rx_usecs=1000000, rx_frames=8)
        tap.note(f"{how}: {seldom} raises at 512 frames, {often} at 8")
        if not seldom * 2 < often:
            raise AssertionError(f"{how}: {seldom} raises at 512 frames, {often} at 8")


def raises_for_completions(t, one, **values):
    """How often fe0, which only sends, is raised for 200 frames."""
    one.ethtool.set(ethnl.COALESCE, **values)
    before = one.raises()
    with t.n0.packet("fe0") as sender:
        frame = nic.udp_frame()
        for _ in range(200):
            sender.send(frame)
    # The last ones come by the timer.
    net.wait_until(lambda: one.private()["napi_completions"] >= one.link["stats"]["tx_packets"],
                   "completions")
    return one.raises() - before


@tap.case("longer tx-usecs mean fewer raises for completions, tx-frames end the wait early")
def completions(t):
    one, _ = t.nics(quiet=True)
    one.ethtool.set(ethnl.CHANNELS, combined=1)
    fixed(one)
    # Byte queue limits that hold the queue would raise it early.
    t.n0.run("unshare", "-m", "sh", "-c", "mount -t sysfs none /sys && echo 1000000 > "
             "/sys/class/net/fe0/queues/tx-0/byte_queue_limits/limit_min")
    at_once = raises_for_completions(t, one, tx_usecs=0, tx_frames=0)
    seldom = raises_for_completions(t, one, tx_usecs=1000000, tx_frames=0)
    by_ten = raises_for_completions(t, one, tx_usecs=1000000, tx_frames=10)
    tap.note(f"{at_once} raises at 0 us, {seldom} at a second, {by_ten} at ten frames")
    tap.equal((seldom * 4 < at_once, seldom * 2 < by_ten, by_ten <= 200 // 10 + seldom + 1),
              (True,) * 3, f"raises: {at_once}, {seldom}, {by_ten}")


@tap.case("an idle vector is raised at once, however long rx-usecs are")
def idle(t):
    """A vector that has been quiet is held for a quarter of a second here.  A machine that is
    busy with other things delivers late too, but not every time."""
    _, other = t.nics(quiet=True)
    other.one_channel()
    fixed(other)
    other.ethtool.set(ethnl.COALESCE, rx_usecs=1000000, rx_frames=512)
    took = []
    with t.n0.packet("fe0") as sender, t.n1.packet("fe1", frames.ETH_P_IP) as receiver:
        for _ in range(20):
            # What is to be seen is what time without a raise does.
            time.sleep(1.1)
            start = time.monotonic()
            sender.send(nic.udp_frame())
            receiver.recv(4000)
            took.append(time.monotonic() - start)
            if took[-1] < 0.2:
                return
    raise AssertionError(f"never in less than 200 ms: {took}")


@tap.case("adaptive moderation can be turned on and off, and traffic passes")
def adaptive(t):
    one, other = t.nics()
    for port in (one, other):
        port.set("-C", "adaptive-rx", "on", "adaptive-tx", "on")
        tap.equal([port.coalesce()[key] for key in ("adaptive_rx", "adaptive_tx")], [1, 1], "on")
    content.stream(t.n0, t.n1, *net.V4, 3000000)
    for port in (one, other):
        port.set("-C", "adaptive-rx", "off", "adaptive-tx", "off")
        tap.equal([port.coalesce()[key] for key in ("adaptive_rx", "adaptive_tx")], [0, 0], "off")
    t.ping()


tap.main(nic.Pair)
