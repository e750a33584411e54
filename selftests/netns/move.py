#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Ports and namespaces: a port that moves is the same port, on the same wire."""

import contextlib
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import content  # noqa: E402
import frames   # noqa: E402
import net      # noqa: E402
import rtnl     # noqa: E402
import tap      # noqa: E402


@tap.case("address, MTU, queues and counters move with the port")
def properties(t):
    t.pair(quiet=True, own={"mtu": 3000}, peer={"mtu": 4000})
    with t.n0.packet("fe0") as sender, t.n1.packet("fe1", frames.ETH_P_TEST) as receiver:
        sender.send(frames.ether(net.MAC[1], net.MAC[0], frames.ETH_P_TEST, bytes(1000)))
        receiver.recv(4000)
    keys = ("address", "mtu", "num_tx_queues", "num_rx_queues", "min_mtu", "max_mtu")
    before = t.n1.rtnl.get("fe1")
    t.n1.rtnl.change("fe1", ns=t.n0.fd)
    after = t.n0.rtnl.get("fe1")
    tap.equal([after[key] for key in keys], [before[key] for key in keys], "properties")
    tap.equal(after["stats"]["rx_packets"], before["stats"]["rx_packets"], "frames received")


@tap.case("the wire carries on after each move of either end")
def wire(t):
    with contextlib.closing(net.Namespace("third")) as third:
        t.pair(addresses=False)
        places = [t.n0, t.n1]
        for end, target in ((1, third), (0, t.n1), (1, t.n0), (0, third), (0, t.n0), (1, t.n1)):
            places[end].rtnl.change(f"fe{end}", ns=target.fd)
            places[end] = target
            target.rtnl.change(f"fe{end}", up=True)
            for number in (0, 1):
                net.running(places[number], f"fe{number}")
            with places[0].packet("fe0", frames.ETH_P_TEST) as one, \
                    places[1].packet("fe1", frames.ETH_P_TEST) as other:
                for sender, receiver, (src, dst) in ((one, other, net.MAC),
                                                     (other, one, net.MAC[::-1])):
                    frame = frames.ether(dst, src, frames.ETH_P_TEST, os.urandom(100))
                    sender.send(frame)
                    content.same(receiver.recv(4000), frame, f"after the move of fe{end}")


@tap.case("both ends in one namespace carry frames too")
def one_namespace(t):
    net.make_pair(t.n0, {"name": "fe0", "address": net.MAC[0]},
                  {"name": "fe1", "address": net.MAC[1]})
    for name in ("fe0", "fe1"):
        t.n0.rtnl.change(name, up=True)
    for name in ("fe0", "fe1"):
        net.running(t.n0, name)
    with t.n0.packet("fe0") as sender, t.n0.packet("fe1", frames.ETH_P_TEST) as receiver:
        frame = frames.ether(net.MAC[1], net.MAC[0], frames.ETH_P_TEST, bytes(100))
        sender.send(frame)
        content.same(receiver.recv(4000), frame, "frame")


@tap.case("a name taken in the target namespace is refused, and the port stays")
def name_taken(t):
    t.pair(up=False)
    net.make_pair(t.n0, {"name": "fe1"}, {"name": "other"})
    try:
        t.n1.rtnl.change("fe1", ns=t.n0.fd)
    except rtnl.NetlinkError as error:
        tap.note(error)
    else:
        raise AssertionError("was taken")
    tap.equal(t.n1.rtnl.exists("fe1"), True, "fe1 where it was")
    t.n0.rtnl.change("fe0", up=True)
    t.n1.rtnl.change("fe1", up=True)
    tap.equal(t.n0.rtnl.get("fe0")["carrier"], True, "carrier from its peer")


@tap.case("a port renamed by the move itself")
def renamed(t):
    t.pair()
    t.n1.rtnl.change("fe1", ns=t.n0.fd, name="moved")
    tap.equal(t.n0.rtnl.get("moved")["kind"], net.KIND, "kind")
    t.n0.rtnl.change("moved", up=True)
    tap.equal(t.n0.rtnl.get("fe0")["carrier"], True, "carrier")


@tap.case("what a packet carries in one namespace does not reach the other")
def scrubbed(t):
    """The mark and priority of a sender are its own namespace's affair."""
    t.pair()
    if t.n1.run("nft", "--version", check=False).returncode:
        raise tap.Skip("nft is not there")
    t.n1.run("nft", "add table netdev t; "
             "add chain netdev t c { type filter hook ingress device fe1 priority 0; }; "
             "add rule netdev t c meta mark 7 counter drop; "
             "add rule netdev t c meta priority 0:6 counter drop")
    with t.n0.socket(2, 2) as sender, t.n1.socket(2, 2) as receiver:
        receiver.bind((net.V4[1], 5000))
        sender.setsockopt(1, 36, 7)             # SO_MARK
        sender.setsockopt(1, 12, 6)             # SO_PRIORITY
        sender.sendto(b"clean", (net.V4[1], 5000))
        tap.equal(receiver.recv(100), b"clean", "datagram")
    rules = t.n1.run("nft", "list", "ruleset")
    tap.equal(rules.count("packets 0"), 2, f"rules that met nothing in {rules}")


@tap.case("a namespace with many ports goes, and so do their peers")
def many(t):
    with contextlib.closing(net.Namespace("third")) as third:
        for number in range(20):
            net.make_pair(t.n0, {"name": f"m{number}"}, {"name": f"n{number}", "ns": third.fd})
            third.rtnl.change(f"n{number}", up=True)
            t.n0.rtnl.change(f"m{number}", up=True)
        with net.Monitor(t.n0) as monitor:
            third.close()
            for number in range(20):
                monitor.wait(f"m{number}", lambda link: link is None, "gone")


tap.main(net.Topology)
