#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Statistics, exact to the frame and the byte, the same wherever they are read."""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import content  # noqa: E402
import frames   # noqa: E402
import net      # noqa: E402
import tap      # noqa: E402

KEYS = ("rx_packets", "tx_packets", "rx_bytes", "tx_bytes")


def proc_net_dev(namespace, name):
    """The line of /proc/net/dev: 8 columns received, 8 sent."""
    with namespace, open("/proc/thread-self/net/dev") as file:
        for line in file:
            head, _, tail = line.partition(":")
            if head.strip() == name:
                words = [int(word) for word in tail.split()]
                return dict(zip(KEYS, (words[1], words[9], words[0], words[8])))
    raise AssertionError(f"/proc/net/dev has no {name}")


def everywhere(namespace, name):
    """The four counts as each interface gives them."""
    rtnl = namespace.rtnl.stats(name)
    got = {"rtnetlink": {key: rtnl[key] for key in KEYS},
           "/proc/net/dev": proc_net_dev(namespace, name)}
    stats = json.loads(namespace.ip("-s", "-j", "link", "show", name))[0]["stats64"]
    got["ip -s"] = {f"{way}_{what}": stats[way][what]
                    for way in ("rx", "tx") for what in ("packets", "bytes")}
    values = namespace.sysfs(name, [f"statistics/{key}" for key in KEYS])
    got["/sys"] = dict(zip(KEYS, map(int, values)))
    return got


def expect(namespace, name, want):
    for where, got in everywhere(namespace, name).items():
        tap.equal(got, want, f"{name} in {where}")


@tap.case("a new pair has counted nothing")
def nothing(t):
    t.pair(up=False, quiet=True)
    for namespace, name in ((t.n0, "fe0"), (t.n1, "fe1")):
        stats = namespace.rtnl.stats(name)
        tap.equal({key: value for key, value in stats.items() if value}, {}, name)


@tap.case("frames of every size count themselves, short ones what they are padded to")
def sizes(t):
    t.pair(quiet=True)
    want = [dict.fromkeys(KEYS, 0), dict.fromkeys(KEYS, 0)]
    with t.n0.packet("fe0", frames.ETH_P_TEST) as one, \
            t.n1.packet("fe1", frames.ETH_P_TEST) as other:
        for size in (14, 15, 42, 59, 60, 61, 64, 127, 128, 512, 1000, 1513, 1514):
            for source, sender, receiver in ((0, one, other), (1, other, one)):
                frame = frames.ether(net.MAC[1 - source], net.MAC[source], frames.ETH_P_TEST,
                                     bytes(size - 14))
                sender.send(frame)
                receiver.recv(4000)
                count = frames.on_wire(size)
                want[source]["tx_packets"] += 1
                want[source]["tx_bytes"] += count
                want[1 - source]["rx_packets"] += 1
                want[1 - source]["rx_bytes"] += count
        expect(t.n0, "fe0", want[0])
        expect(t.n1, "fe1", want[1])


@tap.case("a thousand frames back to back, all counted at both ends")
def burst(t):
    t.pair(quiet=True)
    with t.n0.packet("fe0", frames.ETH_P_TEST) as sender, \
            t.n1.packet("fe1", frames.ETH_P_TEST) as receiver:
        frame = frames.ether(net.MAC[1], net.MAC[0], frames.ETH_P_TEST, bytes(86))
        for _ in range(1000):
            sender.send(frame)
        for _ in range(1000):
            receiver.recv(4000)
    expect(t.n0, "fe0", {"rx_packets": 0, "rx_bytes": 0, "tx_packets": 1000, "tx_bytes": 100000})
    expect(t.n1, "fe1", {"tx_packets": 0, "tx_bytes": 0, "rx_packets": 1000, "rx_bytes": 100000})


@tap.case("statistics survive down and up, a move and a rename")
def survive(t):
    t.pair(quiet=True)
    with t.n0.packet("fe0", frames.ETH_P_TEST) as sender, \
            t.n1.packet("fe1", frames.ETH_P_TEST) as receiver:
        for _ in range(10):
            sender.send(frames.ether(net.MAC[1], net.MAC[0], frames.ETH_P_TEST, bytes(86)))
            receiver.recv(4000)
    before = [{key: stats[key] for key in KEYS} for stats in t.stats()]
    tap.equal(before[1]["rx_packets"], 10, "received")
    for end in (0, 1):
        t.n[end].rtnl.change(f"fe{end}", up=False)
        tap.equal({key: t.stats()[end][key] for key in KEYS}, before[end], "while down")
    t.n1.rtnl.change("fe1", ns=t.n0.fd)
    t.n0.rtnl.change("fe1", name="fx1")
    for name in ("fe0", "fx1"):
        t.n0.sysctl(f"net/ipv6/conf/{name}/disable_ipv6", 1)
        t.n0.rtnl.change(name, up=True)
    for name, want in (("fe0", before[0]), ("fx1", before[1])):
        stats = t.n0.rtnl.stats(name)
        tap.equal({key: stats[key] for key in KEYS}, want, name)


@tap.case("what one end sent the other received, for TCP, UDP, ICMP and broadcast")
def conserved(t):
    t.pair(only4=True)
    content.stream(t.n0, t.n1, *net.V4, 1000000)
    content.datagrams(t.n0, t.n1, *net.V4, sizes=(1, 1472, 30000))
    content.echo(t.n0, *net.V4)

    def balanced():
        first, second = t.stats()
        return all(a[f"tx_{what}"] == b[f"rx_{what}"] for a, b in ((first, second), (second, first))
                   for what in ("packets", "bytes"))

    net.wait_until(balanced, "sent and received being equal", 10 * net.SLOW)


@tap.case("counters never go backwards while ends go up and down under traffic")
def monotonic(t):
    t.pair()
    last = [dict.fromkeys(KEYS, 0), dict.fromkeys(KEYS, 0)]
    with content.Flood(t.n0, *net.V4):
        for turn in range(30):
            if turn % 3 == 0:
                t.n1.rtnl.change("fe1", up=turn % 2 == 0)
            for end, stats in enumerate(t.stats()):
                for key in KEYS:
                    if stats[key] < last[end][key]:
                        raise AssertionError(f"fe{end} {key}: {last[end][key]}, then {stats[key]}")
                    last[end][key] = stats[key]


tap.main(net.Topology)
