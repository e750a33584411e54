#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""rtnetlink at random: requests to make and to change ports, right and spoilt.
Each is answered, the kernel has nothing to say, and what was made can be deleted.

    fuzz_link.py [--count N] [--seed SEED]
"""

# selftest-timeout: 150

import errno
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import fuzz     # noqa: E402
import net      # noqa: E402
import rtnl     # noqa: E402
import tap      # noqa: E402

ARGUMENTS = fuzz.arguments(1200)
DICE = fuzz.Dice(ARGUMENTS.seed)
# Sysfs directories of many queues take a slow kernel half a minute; too many are refused before there are any.
FEW = b"".join(rtnl.link_attrs(**net.QUEUES))
QUEUES = (1, 2, 4, 8, 257) if net.SLOW > 1 else (1, 2, 4, 64, 256, 257)
# What would take a port out of sight of this test.
ELSEWHERE = {rtnl.IFLA_NET_NS_PID, rtnl.IFLA_NET_NS_FD, 46}
PLAIN = (rtnl.IFLA_MTU, rtnl.IFLA_TXQLEN, rtnl.IFLA_NUM_TX_QUEUES, rtnl.IFLA_NUM_RX_QUEUES,
         rtnl.IFLA_GROUP, rtnl.IFLA_CARRIER, rtnl.IFLA_GSO_MAX_SEGS, rtnl.IFLA_GSO_MAX_SIZE,
         rtnl.IFLA_PROMISCUITY, rtnl.IFLA_OPERSTATE)


def attribute(kinds):
    kind = DICE.choice(kinds) if DICE.random() < 0.9 else DICE.randrange(70)
    if kind in ELSEWHERE:
        kind = rtnl.IFLA_MTU
    dice = DICE.random()
    if kind == rtnl.IFLA_IFNAME:
        value = DICE.choice((f"z{DICE.randrange(6)}", "z%d", "", "x" * 20, "z/1", "%d%d")).encode()
        value += b"\0" * (DICE.random() < 0.9)
    elif kind in (rtnl.IFLA_ADDRESS, rtnl.IFLA_BROADCAST):
        value = DICE.randbytes(6 if dice < 0.8 else DICE.randrange(10))
    elif dice < 0.85:
        value = struct.pack("=I", DICE.choice(QUEUES) if kind in
                            (rtnl.IFLA_NUM_TX_QUEUES, rtnl.IFLA_NUM_RX_QUEUES) else DICE.odd())
    else:
        value = DICE.randbytes(DICE.randrange(12))
    return rtnl.attr(kind, value)


def attributes(most):
    kinds = PLAIN + (rtnl.IFLA_IFNAME, rtnl.IFLA_IFNAME, rtnl.IFLA_ADDRESS)
    return b"".join(attribute(kinds) for _ in range(DICE.randrange(most)))


def header():
    flags, change = (DICE.getrandbits(20), DICE.getrandbits(20)) if DICE.random() < 0.2 else (0, 0)
    return rtnl.ifinfo(0, flags, change)


def creation():
    """A request to make a pair."""
    data = b""
    if DICE.random() < 0.8:
        peer = header() + FEW + attributes(4)
        data += rtnl.attr(1, DICE.spoil(peer, 0.1))
    for _ in range(DICE.choice((0, 0, 0, 1, 2))):
        value = DICE.choice((struct.pack("=I", DICE.odd()), b"\0\0\0\0", b"\1\0\0\0", b"\1", b""))
        data += rtnl.attr(DICE.choice((1, 2, 2, 2, 2, 3, 50, 51)), value)
    info = rtnl.attr(rtnl.IFLA_INFO_KIND, net.KIND)
    info += rtnl.attr(rtnl.IFLA_INFO_DATA | rtnl.NLA_F_NESTED, DICE.spoil(data, 0.1))
    return header() + FEW + attributes(4) + rtnl.attr(rtnl.IFLA_LINKINFO | rtnl.NLA_F_NESTED, info)


def ours(link):
    return [name for name, found in link.links().items() if found["kind"] == net.KIND]


@tap.case("making and changing")
def requests(t):
    link = t.n0.rtnl
    made = refused = changed = 0
    for turn in range(ARGUMENTS.count):
        try:
            if DICE.random() < 0.6:
                link.request(rtnl.RTM_NEWLINK, rtnl.NLM_F_CREATE |
                             DICE.choice((0, rtnl.NLM_F_EXCL)), creation())
                made += 1
            else:
                names = ours(link)
                index = link.get(DICE.choice(names))["index"] if names else 0
                flags, mask = DICE.choice(((1, 1), (0, 1), (0, 0), (0x1100, 0x1300)))
                body = struct.pack("=BxHiII", 0, 0, index, flags, mask)
                link.request(rtnl.RTM_SETLINK, 0, body + DICE.spoil(attributes(3), 0.1))
                changed += 1
        except rtnl.NetlinkError as error:
            refused += 1
            if error.errno in (errno.ENOMEM, errno.EFAULT):
                raise
        if turn % 8 == 7:
            for name in ours(link)[:8]:
                if link.exists(name):
                    link.delete(name)
    fuzz.note(ARGUMENTS, f"{made} made, {changed} changed, {refused} refused")
    if not made or not changed or not refused:
        raise AssertionError("the requests are of no use")
    t.tidy()
    # A spoilt request may have named the namespace of somebody else after all.
    home = rtnl.Rtnl()
    for name in ours(home):
        home.delete(name)
    home.close()
    t.pair()
    t.ping()


tap.main(net.Topology)
