#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Rings: their sizes, changed while traffic flows, lose nothing uncounted."""

import errno
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import content  # noqa: E402
import ethnl    # noqa: E402
import frames   # noqa: E402
import net      # noqa: E402
import nic      # noqa: E402
import rtnl     # noqa: E402
import tap      # noqa: E402

LEAST, MOST = 64, 8192


def refused(port, hint, **values):
    before = port.rings()
    try:
        port.ethtool.set(ethnl.RINGS, **values)
    except rtnl.NetlinkError as error:
        if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP, errno.ERANGE):
            raise AssertionError(f"{values}: {error}") from None
        if not error.text:
            raise AssertionError(f"{values}: no reason given ({error})") from None
        tap.note(error)
    else:
        raise AssertionError(f"{values}: was taken ({hint})")
    tap.equal(port.rings(), before, "rings afterwards")


@tap.case("limits are 64 and 8192, each end has its own sizes")
def limits(t):
    one, other = t.nics()
    rings = one.rings()
    tap.equal((rings["rx_max"], rings["tx_max"]), (MOST, MOST), "largest")
    before = other.rings()
    one.set("-G", "rx", LEAST, "tx", MOST)
    tap.equal([one.rings()[key] for key in ("rx", "tx")], [LEAST, MOST], "sizes")
    tap.equal(other.rings(), before, "the other end's")
    t.ping()


@tap.case("every power of two between them, RX and TX apart, up and down")
def every_size(t):
    one, _ = t.nics()
    size = LEAST
    while size <= MOST:
        one.ethtool.set(ethnl.RINGS, rx=size, tx=MOST // size * LEAST)
        tap.equal([one.rings()[key] for key in ("rx", "tx")], [size, MOST // size * LEAST], "sizes")
        content.echo(t.n0, *net.V4, sizes=(1000,))
        size *= 2
    one.namespace.rtnl.change(one.name, up=False)
    one.ethtool.set(ethnl.RINGS, rx=128, tx=256)
    one.namespace.rtnl.change(one.name, up=True)
    tap.equal([one.rings()[key] for key in ("rx", "tx")], [128, 256], "sizes set while down")
    t.ready()
    t.ping()


@tap.case("sizes beyond the limits are refused with a reason, and nothing changes")
def bad_size(t):
    one, _ = t.nics()
    for values in ({"rx": 0}, {"tx": 0}, {"rx": LEAST - 1}, {"tx": LEAST - 1}, {"rx": MOST + 1},
                   {"tx": MOST + 1}, {"tx": 0xFFFFFFFF}):
        refused(one, "size", **values)
    t.ping()


def resize(nics, turn):
    for port in nics:
        port.ethtool.set(ethnl.RINGS, rx=LEAST << turn % 8, tx=MOST >> turn % 8)


@tap.case("both ends change their sizes while TCP flows both ways: content intact, no link loss")
def tcp(t):
    nics = t.nics()
    before = [port.link["carrier_changes"] for port in nics]
    changes = nic.Changes(lambda turn: resize(nics, turn), 16)
    seed = 0
    while changes.is_alive() or seed < 2:
        content.stream(t.n0, t.n1, *net.V4, 400000, seed=seed)
        seed += 1
    changes.finish()
    tap.note(f"{seed} streams of 400 kB each way")
    tap.equal([port.link["carrier_changes"] for port in nics], before, "carrier changes")


@tap.case("UDP under changing sizes: what is not received is counted")
def udp(t):
    nics = t.nics(quiet=True)
    changes = nic.Changes(lambda turn: resize(nics, turn), 8)
    sent = 0
    with t.n0.packet("fe0") as sender:
        frame = bytes.fromhex("02fe00000002" "02fe00000001" "88b5") + bytes(86)
        while changes.is_alive() or sent < 1000:
            sender.send(frame)
            sent += 1
    changes.finish()
    t.balanced()
    tap.equal(nics[0].link["stats"]["tx_packets"] + nics[0].link["stats"]["tx_dropped"], sent,
              "frames sent and dropped at the sender")


@tap.case("a queue that stands still because the receiver does is woken by a new size")
def woken(t):
    one, other = t.nics(quiet=True)
    for port in (one, other):
        port.ethtool.set(ethnl.RINGS, rx=LEAST, tx=LEAST)
    nic.goes_on(t, lambda: one.ethtool.set(ethnl.RINGS, tx=4 * LEAST))


@tap.case("frames that a deferred NAPI has not looked at are received, not lost")
def unread(t):
    one, other = t.nics(quiet=True)
    frame = nic.udp_frame()
    with t.n0.packet("fe0") as sender, t.n1.packet("fe1", frames.ETH_P_IP) as receiver:
        for change in (lambda: other.ethtool.set(ethnl.RINGS, rx=2 * LEAST),
                       lambda: other.namespace.rtnl.change("fe1", mtu=9000)):
            with nic.stalled(other, sender, frame):
                nic.drain(receiver)
                sent = one.link["stats"]["tx_packets"]
                for _ in range(20):
                    sender.send(frame)
                change()
                tap.equal(one.link["stats"]["tx_packets"], sent + 20, "sent")
                for _ in range(20):
                    receiver.recv(4000)
    tap.equal(other.dropped(), 0, "dropped")
    t.balanced()


tap.main(nic.Pair)
