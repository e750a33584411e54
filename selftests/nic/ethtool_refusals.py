#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Every refusal of the driver's says which field is wrong, and changes nothing."""

import errno
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import ethnl    # noqa: E402
import net      # noqa: E402
import nic      # noqa: E402
import rtnl     # noqa: E402
import tap      # noqa: E402

REFUSED = (errno.EINVAL, errno.EOPNOTSUPP, errno.ERANGE)
# ETHTOOL_A_RSS_*, ETHTOOL_A_FLOW_*, RXH_*
HFUNC, XFRM, FLOW_HASH = 3, 6, 8
ETHER, IP4, TCP4 = 1, 2, 4
DESTINATION_MAC, SOURCE, DESTINATION, SOURCE_PORT, LABEL = 1 << 1, 1 << 4, 1 << 5, 1 << 6, 1 << 9


def state(port):
    """All that can be set."""
    return (port.rings(), port.channels(), port.coalesce(), port.pause(), port.rss(),
            port.set("-n", "rx-flow-hash", "tcp4"), port.set("-n", "rx-flow-hash", "udp6"))


def refused(port, word, request):
    """The request must be refused with a text that holds `word`."""
    before = state(port)
    try:
        request()
    except rtnl.NetlinkError as error:
        if error.errno not in REFUSED or word not in error.text:
            raise AssertionError(f"refused with {error}, not naming {word!r}") from None
        tap.note(error)
    else:
        raise AssertionError(f"taken; {word!r} should have been refused")
    tap.equal(state(port), before, "settings afterwards")


def rss(port, *attributes):
    """A request to set RSS with attributes of our own."""
    return lambda: port.ethtool.ask(ethnl.RSS["cmd"][1], port.ethtool.header(), *attributes,
                                    dump=False)


def fields(flow, bits):
    """The fields of one type of flow: ETHTOOL_A_RSS_FLOW_HASH."""
    return rtnl.attr(FLOW_HASH, [rtnl.attr(flow, bits)])


@tap.case("rings: the ring that is too small is named")
def rings(t):
    one, _ = t.nics()
    refused(one, "rx:", lambda: one.ethtool.set(ethnl.RINGS, rx=63))
    refused(one, "tx:", lambda: one.ethtool.set(ethnl.RINGS, tx=1))
    refused(one, "rx:", lambda: one.ethtool.set(ethnl.RINGS, rx=0))
    t.ping()


@tap.case("rings: other numbers are rounded up to a power of two, and read back so")
def rounded(t):
    one, _ = t.nics()
    one.ethtool.set(ethnl.RINGS, rx=1000, tx=65)
    tap.equal([one.rings()[key] for key in ("rx", "tx")], [1024, 128], "sizes")


@tap.case("moderation: each value that is too large is named")
def coalesce(t):
    one, _ = t.nics()
    for key, word, value in (("rx_usecs", "rx-usecs", 1000001), ("tx_usecs", "tx-usecs", 1 << 31),
                             ("rx_frames", "rx-frames", 8193), ("tx_frames", "tx-frames", 1 << 20)):
        refused(one, word, lambda: one.ethtool.set(ethnl.COALESCE, **{key: value}))
    t.ping()


@tap.case("moderation: values that would have no effect are not taken")
def adaptive(t):
    one, _ = t.nics()
    one.ethtool.set(ethnl.COALESCE, adaptive_rx=1, rx_usecs=44)
    tap.equal([one.coalesce()[key] for key in ("adaptive_rx", "rx_usecs")], [1, 44],
              "mode and value at once")
    refused(one, "adaptive-rx", lambda: one.ethtool.set(ethnl.COALESCE, rx_usecs=33))
    one.ethtool.set(ethnl.COALESCE, tx_usecs=33)
    one.ethtool.set(ethnl.COALESCE, adaptive_tx=1)
    refused(one, "adaptive-tx", lambda: one.ethtool.set(ethnl.COALESCE, tx_frames=3))
    one.ethtool.set(ethnl.COALESCE, adaptive_rx=0, adaptive_tx=0)
    tap.equal([one.coalesce()[key] for key in ("rx_usecs", "tx_usecs")], [44, 33], "values again")


@tap.case("moderation: a queue that is not there")
def no_queue(t):
    one, _ = t.nics()
    one.ethtool.set(ethnl.CHANNELS, combined=2)
    done = t.n0.ethtool("-Q", "fe0", "queue_mask", "0x4", "--coalesce", "rx-usecs", "5",
                        check=False)
    if not done.returncode:
        raise AssertionError(done.stdout)
    # A mask with one queue that is not there changes none.
    done = t.n0.ethtool("-Q", "fe0", "queue_mask", "0x6", "--coalesce", "rx-usecs", "5",
                        check=False)
    shown = t.n0.ethtool("-Q", "fe0", "queue_mask", "0x3", "--show-coalesce")
    if not done.returncode or "rx-usecs: 5\n" in shown:
        raise AssertionError(shown)


@tap.case("RSS: another hash function")
def function(t):
    one, _ = t.nics()
    refused(one, "hfunc", rss(one, rtnl.attr(HFUNC, 2)))


@tap.case("RSS: fields that packets of a type do not have")
def no_such_field(t):
    one, _ = t.nics()
    # What no packet of the type has, the core refuses; the rest is the driver's.
    refused(one, "", rss(one, fields(TCP4, SOURCE | LABEL)))
    refused(one, "flow-hash", rss(one, fields(IP4, SOURCE | SOURCE_PORT)))
    refused(one, "flow-hash", rss(one, fields(TCP4, SOURCE | DESTINATION_MAC)))
    refused(one, "flow-hash", rss(one, fields(ETHER, DESTINATION_MAC)))


@tap.case("RSS: one direction only under a symmetric transformation, in either order")
def symmetric(t):
    one, _ = t.nics()
    rss(one, fields(TCP4, SOURCE))()
    # The core or the driver, whichever looks first.
    refused(one, "", rss(one, rtnl.attr(XFRM, 1)))
    rss(one, fields(TCP4, SOURCE | DESTINATION))()
    rss(one, rtnl.attr(XFRM, 2))()
    tap.equal(one.rss()["input_xfrm"], 2, "transformation")
    refused(one, "", rss(one, fields(TCP4, DESTINATION)))


@tap.case("RSS: both transformations at once, tables and keys of the wrong size")
def sizes(t):
    one, _ = t.nics()
    refused(one, "", rss(one, rtnl.attr(XFRM, 3)))
    refused(one, "", rss(one, rtnl.attr(5, bytes(41))))
    refused(one, "", rss(one, rtnl.attr(4, struct.pack("=3I", 0, 1, 2))))
    refused(one, "queue", rss(one, rtnl.attr(4, struct.pack("=I", 4))))


@tap.case("pause: nothing negotiates")
def pause(t):
    one, _ = t.nics()
    refused(one, "", lambda: one.ethtool.set(ethnl.PAUSE, autoneg=1))


@tap.case("refused by the ioctl too")
def ioctl(t):
    one, _ = t.nics()
    before = state(one)
    for words in (("-X", "hfunc", "xor"), ("-X", "weight", "1", "1", "1", "1", "1"),
                  ("-N", "rx-flow-hash", "esp4", "sd"), ("-N", "rx-flow-hash", "tcp4", "m")):
        if not one.try_(*words).returncode:
            raise AssertionError(f"ethtool {words} was taken")
    tap.equal(state(one), before, "settings afterwards")


tap.main(nic.Pair)
