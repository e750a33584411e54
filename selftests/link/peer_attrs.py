#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What can be said of either end when a pair is made: name, namespace, address,
MTU, queues, state; by raw netlink and in the words of ip."""

import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import net      # noqa: E402
import rtnl     # noqa: E402
import tap      # noqa: E402


def ip_add(t, *words):
    """`ip link add` in ns0; skips where ip has no word for the peer."""
    done = t.n0.ip("link", "add", *words, check=False)
    if done.returncode and "Garbage" in done.stderr:
        raise tap.Skip(f"ip has no plug-in for {net.KIND}; `make install` puts it in place")
    if done.returncode:
        raise AssertionError(done.stderr)


@tap.case("the peer's name, address, MTU and namespace")
def basics(t):
    net.make_pair(t.n0, {"name": "fe0", "address": net.MAC[0], "mtu": 2000},
                  {"name": "fe1", "address": net.MAC[1], "mtu": 3000, "ns": t.n1.fd})
    mine, other = t.n0.rtnl.get("fe0"), t.n1.rtnl.get("fe1")
    tap.equal((mine["address"], mine["mtu"]), (net.MAC[0], 2000), "fe0")
    tap.equal((other["address"], other["mtu"]), (net.MAC[1], 3000), "fe1")
    tap.equal(t.n0.rtnl.exists("fe1"), False, "fe1 in ns0")


@tap.case("addresses of their own where none are given: local, unicast, different")
def random_address(t):
    net.make_pair(t.n0, {"name": "fe0"}, {"name": "fe1"})
    first, second = (t.n0.rtnl.get(name)["address"] for name in ("fe0", "fe1"))
    for address in (first, second):
        tap.equal(int(address[:2], 16) & 3, 2, f"kind of {address}")
    if first == second:
        raise AssertionError(f"both are {first}")


@tap.case("queue counts of each end are its own")
def queues(t):
    net.make_pair(t.n0, {"name": "fe0", "txq": 3, "rxq": 5},
                  {"name": "fe1", "txq": 2, "rxq": 7})
    for name, want in (("fe0", (3, 5)), ("fe1", (2, 7))):
        link = t.n0.rtnl.get(name)
        tap.equal((link["num_tx_queues"], link["num_rx_queues"]), want, f"queues of {name}")


@tap.case("one queue each way carries traffic")
def one_queue(t):
    t.pair(own={"txq": 1, "rxq": 1}, peer={"txq": 1, "rxq": 1})
    t.ping()


@tap.case("both ends made up, with carrier at once")
def made_up(t):
    t.n0.rtnl.add_pair(net.KIND, {"name": "fe1", "ns": t.n1.fd}, up=True, peer_up=True, name="fe0")
    for namespace, name in ((t.n0, "fe0"), (t.n1, "fe1")):
        link = namespace.rtnl.get(name)
        tap.equal((link["up"], link["carrier"]), (True, True), f"{name} up, carrier")


@tap.case("only the peer made up")
def peer_up(t):
    t.n0.rtnl.add_pair(net.KIND, {"name": "fe1"}, peer_up=True, name="fe0")
    tap.equal(t.n0.rtnl.get("fe0")["up"], False, "fe0 up")
    tap.equal(t.n0.rtnl.get("fe1")["up"], True, "fe1 up")
    tap.equal(t.n0.rtnl.get("fe1")["carrier"], False, "carrier of fe1")


@tap.case("a peer by the process that lives in its namespace")
def peer_by_pid(t):
    sleeper = t.n1.popen("cat", stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    try:
        net.make_pair(t.n0, {"name": "fe0"}, {"name": "fe1", "extra":
                      [rtnl.attr(rtnl.IFLA_NET_NS_PID, sleeper.pid)]})
    finally:
        sleeper.stdin.close()
        sleeper.wait()
    tap.equal(t.n1.rtnl.exists("fe1"), True, "fe1 in ns1")


@tap.case("group and queue length of the peer")
def small_things(t):
    net.make_pair(t.n0, {"name": "fe0"}, {"name": "fe1", "extra": [
        rtnl.attr(rtnl.IFLA_GROUP, 7), rtnl.attr(rtnl.IFLA_TXQLEN, 123)]})
    link = t.n0.rtnl.get("fe1")
    tap.equal((link["group"], link["txqlen"]), (7, 123), "group, queue length")


@tap.case("ip: every word for the peer")
def by_ip(t):
    ip_add(t, "fe0", "mtu", "1600", "address", net.MAC[0], "numtxqueues", "2", "numrxqueues", "3",
           "type", net.KIND, "peer", "name", "fe1", "mtu", "1700", "address", net.MAC[1],
           "numtxqueues", "4", "numrxqueues", "5", "netns", t.n1.name)
    mine, other = t.n0.rtnl.get("fe0"), t.n1.rtnl.get("fe1")
    tap.equal([mine[k] for k in ("mtu", "address", "num_tx_queues", "num_rx_queues")],
              [1600, net.MAC[0], 2, 3], "fe0")
    tap.equal([other[k] for k in ("mtu", "address", "num_tx_queues", "num_rx_queues")],
              [1700, net.MAC[1], 4, 5], "fe1")


@tap.case("ip: the peer's name in its short form")
def by_ip_short(t):
    ip_add(t, "name", "fe0", "type", net.KIND, "peer", "fe1")
    tap.equal(t.n0.rtnl.get("fe1")["kind"], net.KIND, "kind of fe1")


@tap.case("ip: no word for the peer at all")
def by_ip_plain(t):
    ip_add(t, "fe0", "type", net.KIND)
    links = [link for link in t.n0.rtnl.links().values() if link["kind"] == net.KIND]
    tap.equal(len(links), 2, "links")


@tap.case("ip: help names the kind, and a wrong word is refused")
def by_ip_help(t):
    done = t.n0.ip("link", "help", net.KIND, check=False)
    if net.KIND not in done.stdout + done.stderr:
        raise tap.Skip(f"ip has no plug-in for {net.KIND}")
    done = t.n0.ip("link", "add", "fe0", "type", net.KIND, "frobnicate", "1", check=False)
    if not done.returncode or t.n0.rtnl.exists("fe0"):
        raise AssertionError("a word nobody knows was taken")


tap.main(net.Topology)
