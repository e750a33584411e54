#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Counters: all interfaces tell of the same events, and each event is told once."""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import content  # noqa: E402
import ethnl    # noqa: E402
import frames   # noqa: E402
import genl     # noqa: E402
import net      # noqa: E402
import nic      # noqa: E402
import tap      # noqa: E402


def groups(port):
    """`ethtool -S --all-groups` as a dictionary."""
    shown = port.set("-S", "--all-groups")
    return {name: int(value) for name, value in re.findall(r"^(\S+): (\d+)$", shown, re.M)}


def busy(t):
    """Traffic of all kinds."""
    for addresses in (net.V4, net.V6):
        content.stream(t.n0, t.n1, *addresses, 300000)
        content.datagrams(t.n0, t.n1, *addresses, sizes=(1, 1472, 20000))


@tap.case("link, groups, queues and channels count the same frames")
def same(t):
    nics = t.nics()
    busy(t)
    t.balanced()
    for port in nics:
        # Of one moment: a host that talks by itself (neighbour discovery) may have sent in between.
        link = None
        while link != port.link["stats"]:
            link = port.link["stats"]
            group, private, whole = groups(port), port.private(), port.qstats()
            by_queue = port.rx_by_queue()
        for key, want in (("rx_packets", group["eth-mac-FramesReceivedOK"]),
                          ("tx_packets", group["eth-mac-FramesTransmittedOK"]),
                          # There the frame check sequence is part of each.
                          ("rx_bytes", group["eth-mac-OctetsReceivedOK"] -
                           4 * group["eth-mac-FramesReceivedOK"]),
                          ("tx_bytes", group["eth-mac-OctetsTransmittedOK"] -
                           4 * group["eth-mac-FramesTransmittedOK"])):
            tap.equal(link[key], want, key)
            tap.equal(whole[key], want, f"{key} of the queues")
        for way in ("rx", "tx"):
            lengths = sum(value for name, value in group.items() if name.startswith(f"{way}-rmon-"))
            tap.equal(lengths, link[f"{way}_packets"], f"frames by length, {way}")
        channels = range(port.channels()["combined"])
        for key in ("polls", "frames", "completions"):
            tap.equal(sum(private[f"ch{number}_{key}"] for number in channels),
                      private[f"napi_{key}"], key)
        tap.equal(sum(private[f"ch{number}_gro_merged"] for number in channels),
                  private["gro_merged"], "merged")
        tap.equal({number: private[f"ch{number}_frames"] for number in channels}, by_queue,
                  "frames by channel and by queue")
        tap.equal(sum(value for name, value in private.items()
                      if name.startswith("napi_polls_of_")), private["napi_polls"],
                  "polls by number of frames")


@tap.case("frames by length: the shortest and the longest of each range, at both ends")
def ranges(t):
    one, other = t.nics(quiet=True, own={"mtu": 65535}, peer={"mtu": 65535})
    known = list(one.by_length()[0])
    tap.equal(known[0], (0, 64), "the first range")
    tap.equal([low for low, _ in known[1:]], [high + 1 for _, high in known[:-1]], "no gap")
    # Upstream's test of them goes by the shortest, and its traffic generator makes none above 10000.
    tap.equal(known[-1][0] <= 10000, True, f"the last range, {known[-1]}, begins where others send")
    with t.n0.packet("fe0") as sender:
        for low, high in known:
            before = one.by_length()[0], other.by_length()[1]
            for length in {max(low, 60), high}:
                # The frame check sequence is part of it.
                sender.send(frames.ether(net.MAC[1], net.MAC[0], frames.ETH_P_TEST,
                                         bytes(length - 4 - 14)))
            t.balanced()
            after = one.by_length()[0], other.by_length()[1]
            for way, a, b in zip(("sent", "received"), before, after):
                tap.equal({key: b[key] - a[key] for key in b if b[key] != a[key]},
                          {(low, high): 2}, f"{way}, of a range")


@tap.case("multicast and broadcast frames")
def casts(t):
    one, other = t.nics(quiet=True)
    t.n1.ip("link", "set", "fe1", "promisc", "on")
    with t.n0.packet("fe0") as sender:
        for to, count in (("ff:ff:ff:ff:ff:ff", 3), ("01:00:5e:00:00:09", 5), (net.MAC[1], 2)):
            for _ in range(count):
                sender.send(frames.ether(to, net.MAC[0], frames.ETH_P_TEST, bytes(50)))
    t.balanced()
    sent, received = groups(one), groups(other)
    tap.equal([sent["eth-mac-BroadcastFramesXmittedOK"], sent["eth-mac-MulticastFramesXmittedOK"],
               received["eth-mac-BroadcastFramesReceivedOK"],
               received["eth-mac-MulticastFramesReceivedOK"]], [3, 5, 3, 5], "frames")


@tap.case("a drop is told once, by its reason, and in the standard statistics")
def drops(t):
    one, other = t.nics(quiet=True)
    with t.n0.packet("fe0") as sender:
        for _ in range(4):
            sender.send(frames.ether("02:00:00:00:00:99", net.MAC[0], frames.ETH_P_TEST, bytes(50)))
        t.n1.rtnl.change("fe1", mtu=500)
        for _ in range(3):
            sender.send(frames.ether(net.MAC[1], net.MAC[0], frames.ETH_P_TEST, bytes(1000)))
    t.balanced()
    private = other.private()
    tap.equal([private["rx_drop_filtered"], private["rx_drop_too_long"]], [4, 3], "by reason")
    tap.equal(other.dropped(), 7, "all reasons")
    tap.equal(one.refused_to_send(), 0, "of the sender")
    tap.equal(other.qstats()["rx_hw_drops"], 7, "of the device")
    tap.equal(other.link["stats"]["rx_length_errors"], 3, "of the link")
    shown = groups(other)
    tap.equal([shown["eth-mac-FrameTooLongErrors"], shown["rmon-etherStatsOversizePkts"]], [3, 3],
              "of the groups")


@tap.case("names stay the same over channels, down and up; numbers never go back")
def names(t):
    one, other = t.nics()
    before = other.private()
    plain = [name for name in before if not name.startswith("ch")]
    busy(t)
    for count in (1, 6, 4):
        other.ethtool.set(ethnl.CHANNELS, combined=count)
        now = other.private()
        tap.equal([name for name in now if not name.startswith("ch")], plain, "names")
        tap.equal({int(name[2:].split("_")[0]) for name in now if name.startswith("ch")},
                  set(range(count)), "channels")
        for name, value in now.items():
            if value < before.get(name, 0):
                raise AssertionError(f"{name}: {before[name]}, then {value}")
        before.update(now)
        other.namespace.rtnl.change("fe1", up=False)
        other.namespace.rtnl.change("fe1", up=True)
        t.ready()
        t.ping()
        if other.raises() < sum(value for name, value in now.items() if name.endswith("_raises")):
            raise AssertionError("raises went back over down and up")


@tap.case("checksums: verified, wrong, and not looked at when that is off")
def checksums(t):
    one, other = t.nics(quiet=True)

    def counted(good):
        before = other.qstats()
        with t.n0.packet("fe0") as sender:
            for _ in range(5):
                sender.send(nic.udp_frame(100, good=good))
        t.balanced()
        after = other.qstats()
        return [after[key] - before[key] for key in
                ("rx_csum_unnecessary", "rx_csum_bad", "rx_csum_none")]

    tap.equal(counted(True), [5, 0, 0], "right ones")
    tap.equal(counted(False), [0, 5, 0], "wrong ones")
    other.set("-K", "rx", "off")
    tap.equal(counted(False), [0, 0, 5], "with rx-checksumming off")


@tap.case("the link that goes down is counted, and told about if asked for")
def link_down(t):
    one, other = t.nics()

    def downs(port):
        shown = port.ethtool.raw(ethnl.LINKSTATE, ethnl.FLAG_STATS)
        return genl.number(shown[ethnl.LINKSTATE["ext_down_count"]])

    tap.equal([downs(one), downs(other)], [0, 0], "at first")
    for turn in (1, 2):
        other.namespace.rtnl.change("fe1", up=False)
        other.namespace.rtnl.change("fe1", up=True)
        t.ready()
        tap.equal([downs(one), downs(other)], [turn, turn], "afterwards")
    other.ethtool.set(ethnl.CHANNELS, combined=2)
    other.ethtool.set(ethnl.RINGS, rx=64)
    tap.equal([downs(one), downs(other)], [2, 2], "with other channels and rings")


@tap.case("GRO: what it merges is counted")
def gro(t):
    one, other = t.nics()
    one.set("-K", "tso", "off", "gso", "off")
    other.set("-K", "rx-gro-hw", "off")
    before = other.private()["gro_merged"]
    content.stream(t.n0, t.n1, *net.V4, 1000000)
    if other.private()["gro_merged"] <= before:
        raise AssertionError(other.private())


tap.main(nic.Pair)
