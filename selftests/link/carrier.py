#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The carrier: there is one exactly while both ends are up."""

import itertools
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import net      # noqa: E402
import tap      # noqa: E402


def carriers(t):
    return t.n0.rtnl.get("fe0")["carrier"], t.n1.rtnl.get("fe1")["carrier"]


@tap.case("every order of taking the ends up and down")
def orders(t):
    t.pair(up=False, addresses=False)
    up = [False, False]
    tap.equal(carriers(t), (False, False), "carrier after creation")
    # Walks through all changes of one end from each state of both, four times
    # over, so that each state is left in each direction.
    for end in itertools.chain.from_iterable(itertools.product((0, 1), repeat=4)):
        up[end] = not up[end]
        t.n[end].rtnl.change(f"fe{end}", up=up[end])
        tap.equal(carriers(t), (all(up),) * 2, f"carriers with ends up {up}")


@tap.case("the other end's loss and return are announced, and nothing more")
def announced(t):
    t.pair()
    before = t.n0.rtnl.get("fe0")["carrier_changes"]
    with net.Monitor(t.n0) as monitor:
        t.n1.rtnl.change("fe1", up=False)
        monitor.wait("fe0", lambda link: link["operstate"] == 2, "down")
        t.n1.rtnl.change("fe1", up=True)
        monitor.wait("fe0", lambda link: link["operstate"] == 6, "up")
    tap.equal(t.n0.rtnl.get("fe0")["carrier_changes"] - before, 2, "changes")
    t.ping()


@tap.case("an end that is moved away is down, and the peer loses carrier")
def moved(t):
    t.pair()
    t.n1.rtnl.change("fe1", ns=t.n0.fd)
    tap.equal(t.n0.rtnl.get("fe0")["carrier"], False, "carrier of fe0")
    t.n0.rtnl.change("fe1", up=True)
    tap.equal(t.n0.rtnl.get("fe0")["carrier"], True, "carrier of fe0")


@tap.case("a frame sent without carrier is not received later")
def no_carrier(t):
    t.pair(quiet=True)
    with t.n0.packet("fe0") as sender:
        t.n1.rtnl.change("fe1", up=False)
        try:
            sender.send(bytes.fromhex("02fe00000002" "02fe00000001" "88b5") + b"lost" * 20)
        except OSError as error:
            tap.note("refused:", error)
        t.n1.rtnl.change("fe1", up=True)
        t.ready()
        with t.n1.packet("fe1", 0x88B5) as receiver:
            sender.send(bytes.fromhex("02fe00000002" "02fe00000001" "88b5") + b"late" * 20)
            tap.equal(receiver.recv(2000)[14:18], b"late", "first frame received")


@tap.case("routes over the port follow the carrier")
def routes(t):
    t.pair()
    out = t.n0.ip("-j", "route", "get", net.V4[1])
    if '"fe0"' not in out:
        raise AssertionError(out)
    with net.Monitor(t.n0) as monitor:
        t.n1.rtnl.change("fe1", up=False)
        monitor.wait("fe0", lambda link: link["operstate"] == 2, "down")
    if "linkdown" not in t.n0.ip("route"):
        raise AssertionError("the route is not marked linkdown")


tap.main(net.Topology)
