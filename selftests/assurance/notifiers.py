#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Others refuse what was to happen to a port, through the chain of network
device notifiers: it does not happen, and nothing is left of it."""

import errno
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import faults   # noqa: E402
import net      # noqa: E402
import nic      # noqa: E402
import rtnl     # noqa: E402
import tap      # noqa: E402


def refused(action, function):
    """The function fails with the notifier's error."""
    with faults.notifier(action, errno.EBUSY):
        try:
            function()
        except rtnl.NetlinkError as error:
            tap.equal(errno.errorcode[error.errno], "EBUSY", action)
        else:
            raise AssertionError(f"{action}: was not refused")


@tap.case("a pair is not made, at whatever point of registration, and is made afterwards")
def register(t):
    def make():
        t.n0.rtnl.add_pair(net.KIND, {"name": "fa1", "ns": t.n1.fd}, name="fa0")

    for action in ("NETDEV_POST_INIT", "NETDEV_REGISTER"):
        for _ in range(3):
            refused(action, make)
            tap.equal((t.n0.rtnl.exists("fa0"), t.n1.rtnl.exists("fa1")), (False, False), "made")
    t.pair()
    t.ping()


@tap.case("a port is not taken up, and its peer sees no carrier")
def up(t):
    one, other = t.nics()
    one.namespace.rtnl.change(one.name, up=False)
    refused("NETDEV_PRE_UP", lambda: one.namespace.rtnl.change(one.name, up=True))
    tap.equal((one.link["up"], other.link["carrier"]), (False, False), "up, peer's carrier")
    one.namespace.rtnl.change(one.name, up=True)
    t.ready()
    t.ping()


@tap.case("an MTU that others refuse before or after the driver took it is as before")
def mtu(t):
    one, _ = t.nics()
    for action in ("NETDEV_PRECHANGEMTU", "NETDEV_CHANGEMTU"):
        for value in (9000, 600):
            refused(action, lambda v=value: one.namespace.rtnl.change(one.name, mtu=v))
            tap.equal(one.link["mtu"], 1500, "MTU")
            t.ping(size=1400)


@tap.case("a name that others refuse is as before, also in the control family")
def rename(t):
    one, _ = t.nics()
    one.namespace.rtnl.change(one.name, up=False)
    refused("NETDEV_CHANGENAME", lambda: one.namespace.rtnl.change(one.name, name="fx0"))
    tap.equal(one.namespace.rtnl.exists("fx0"), False, "the new name")
    one.namespace.rtnl.change(one.name, up=True)
    t.ready()
    t.ping()


tap.main(nic.Pair)
