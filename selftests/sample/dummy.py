#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The sample driver, rust_dummy: what it is given is consumed and counted."""

import errno
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import frames   # noqa: E402
import net      # noqa: E402
import rtnl     # noqa: E402
import tap      # noqa: E402

NAME = "rust_dummy"


class Sample(net.Topology):
    """The two namespaces, with the sample module loaded for the time of the test."""

    def __enter__(self):
        path = os.path.join(os.path.dirname(net.module_path()), f"{NAME}.ko")
        if not os.path.exists(path):
            raise tap.Skip(f"no module at {path}")
        self.path = path
        if not os.path.isdir(f"/sys/module/{NAME}"):
            net.run("insmod", path)
        return super().__enter__()

    def __exit__(self, *arguments):
        super().__exit__(*arguments)
        if os.path.isdir(f"/sys/module/{NAME}"):
            net.run("rmmod", NAME)


def make(t, name="d0"):
    t.n0.rtnl.add_link(NAME, name=name)
    t.n0.sysctl(f"net/ipv6/conf/{name}/disable_ipv6", 1)
    t.n0.rtnl.change(name, up=True)


@tap.case("made, up, with an address of its own, moved and deleted")
def life(t):
    make(t)
    link = t.n0.rtnl.get("d0")
    tap.equal((link["kind"], link["up"]), (NAME, True), "kind, up")
    tap.equal(int(link["address"][:2], 16) & 3, 2, "kind of address")
    t.n0.rtnl.change("d0", ns=t.n1.fd)
    t.n1.rtnl.change("d0", name="d1")
    t.n1.rtnl.delete("d1")
    tap.equal((t.n0.rtnl.exists("d0"), t.n1.rtnl.exists("d1")), (False, False), "left")


@tap.case("frames sent are counted, in number and bytes")
def counters(t):
    make(t)
    with t.n0.packet("d0") as sender:
        for size in (60, 100, 1514):
            sender.send(frames.ether(net.MAC[1], net.MAC[0], frames.ETH_P_TEST, bytes(size - 14)))
    stats = t.n0.rtnl.stats("d0")
    tap.equal((stats["tx_packets"], stats["tx_bytes"]), (3, 60 + 100 + 1514), "sent")
    tap.equal(stats["rx_packets"], 0, "received")


@tap.case("several at once, and a name that is taken")
def several(t):
    for number in range(5):
        make(t, f"d{number}")
    try:
        t.n0.rtnl.add_link(NAME, name="d3")
    except rtnl.NetlinkError as error:
        tap.equal(error.errno, errno.EEXIST, "error")
    else:
        raise AssertionError("was taken")
    for number in range(5):
        t.n0.rtnl.delete(f"d{number}")


@tap.case("unloaded with devices up, and loaded again")
def unload(t):
    make(t)
    net.run("rmmod", NAME)
    tap.equal(t.n0.rtnl.exists("d0"), False, "d0 afterwards")
    net.run("insmod", t.path)
    make(t)


tap.main(Sample)
