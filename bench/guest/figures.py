# SPDX-License-Identifier: GPL-2.0
"""The figures: what is measured, in what unit, of which rows, and with what goal
relative to veth. A goal is what the project wants to stay below."""

import functools

import manage
import rules
import tcp
import udp
from rows import PAIRS


class Figure:
    """One number for each row. `method` is a context manager that sets up and
    gives a function which measures so many batches: (nanoseconds, units)."""

    def __init__(self, name, title, unit, method, rows=PAIRS, goals=None, tolerance=0.01,
                 limit=None, counts=None, wall=False, cpus=1, peer=None, grows=None):
        self.name, self.title, self.unit = name, title, unit
        self.method, self.rows = method, rows
        # What the rows are compared with, if it isn't what all others are; a figure of fewer, and
        # by how much this may be more in ours.
        self.peer, self.grows = peer, grows
        self.goals, self.tolerance = goals or {}, tolerance
        # A goal for ours that is no ratio; and what is counted, where it isn't time.
        self.limit, self.counts = limit, counts
        # Only by the clock does it say anything; and the CPUs it takes.
        self.wall, self.cpus = wall, cpus

    @property
    def group(self):
        return self.name.partition("/")[0]


SMALL = {"nic": 1.25, "handoff": 0.85}
TSO = {"nic": 1.35, "handoff": 1.0}
FRAMES = {"nic": 1.2, "handoff": 0.8}
TRIP = {"nic": 1.15, "handoff": 1.15}
# TCP with segmentation by the device settles into one of several rhythms.
LOOSE = 0.03

OURS = "nic", "handoff"
MANAGED = "veth", *OURS
FLOWING = "veth", "veth-gro", *OURS
LISTED = "nft", "nft-set", "hooks"
SETS = "nft-set", "hooks"
# What a packet costs with many rules is at most so many times what it costs with ten.
GROWTH = 1.3
SECOND = 10**9

part = functools.partial

FIGURES = {figure.name: figure for figure in (
    *(Figure(f"udp/{size}/drop", f"UDP, {size} bytes, from pktgen, dropped by tc at the receiver",
             "packet", part(udp.dropped, size=size), ("dummy", *PAIRS, "tap"),
             SMALL if size == 60 else FRAMES if size == 1514 else None)
      for size in (60, 256, 1514)),
    Figure("udp/60/burst", "UDP, 60 bytes, from pktgen in bursts of 16, dropped by tc", "packet",
           part(udp.dropped, size=60, burst=16), ("dummy", "nic")),
    *(Figure(f"udp/{size}/socket", f"UDP, {size} bytes, from socket to socket", "packet",
             part(udp.between_sockets, size=size - 42))
      for size in (60, 256, 1514)),
    Figure("udp/60/forward", "UDP, 60 bytes, routed to a second pair", "packet",
           part(udp.forwarded, size=60)),
    Figure("udp/60/bridge", "UDP, 60 bytes, bridged to a second pair", "packet",
           part(udp.bridged, size=60)),
    Figure("udp/60/ifb", "UDP, 60 bytes, redirected to an ifb and back", "packet",
           part(udp.redirected, size=60)),
    Figure("tcp/1500", "TCP stream, MTU 1500", "byte", tcp.streams, goals=TSO, tolerance=LOOSE),
    Figure("tcp/1500/no-tso", "TCP stream, MTU 1500, sender without TSO and GSO", "byte",
           part(tcp.streams, tso=False), goals=FRAMES),
    Figure("tcp/1500/no-gro", "TCP stream, MTU 1500, receiver without GRO", "byte",
           part(tcp.streams, gro=False), tolerance=LOOSE),
    Figure("tcp/1500/plain", "TCP stream, MTU 1500, without TSO and GRO", "byte",
           part(tcp.streams, tso=False, gro=False)),
    Figure("tcp/9000", "TCP stream, MTU 9000", "byte", part(tcp.streams, mtu=9000),
           tolerance=LOOSE),
    Figure("tcp/9000/no-tso", "TCP stream, MTU 9000, sender without TSO and GSO", "byte",
           part(tcp.streams, mtu=9000, tso=False)),
    Figure("tcp/both", "TCP streams both ways at once, MTU 1500", "byte",
           part(tcp.streams, back=True), tolerance=LOOSE),
    Figure("tcp/rr", "TCP, one byte there and one back", "round trip", tcp.round_trips, goals=TRIP),
    Figure("udp/gso", "UDP segmented by the device, 40 datagrams of 1472 bytes", "byte",
           part(udp.between_sockets, size=1472, segments=40)),
    Figure("udp/gso/gro", "the same, received merged (UDP_GRO)", "byte",
           part(udp.between_sockets, size=1472, segments=40, gro=1)),
    *(Figure(f"flows/{count}x{channels}",
             f"UDP, 60 bytes, {count} flow{'s' * (count > 1)} over {channels} "
             f"channel{'s' * (channels > 1)}, dropped by tc", "packet",
             part(udp.flows, count=count, channels=channels), FLOWING)
      for channels in (1, 4, 16) for count in (1, 10, 1000)),
    *(Figure(f"control/create/{count}", f"creating {count} pair{'s' * (count > 1)}, one request each",
             "pair", part(manage.made, count=count), MANAGED, tolerance=LOOSE)
      for count in (1, 100, 1000)),
    *(Figure(f"control/delete/{count}", f"deleting {count} pair{'s' * (count > 1)}, one request each",
             "pair", part(manage.made, count=count, deleting="each"), MANAGED, tolerance=LOOSE)
      for count in (1, 100)),
    *(Figure(f"control/delete-group/{count}", f"deleting {count} pairs by one request", "pair",
             part(manage.made, count=count, deleting="group"), MANAGED, tolerance=LOOSE)
      for count in (100, 1000)),
    *(Figure(f"control/dump/{count}", f"telling of {count} ports by the control family: ports, "
             "wires, stages, sampling", "port", part(manage.dumped, count=count), ("nic",),
             tolerance=LOOSE)
      for count in (10, 100, 1000)),
    Figure("gap/channels", "traffic stands still while the number of channels changes (-L)",
           "change", part(manage.reconfigured, what="channels", values=(4, 2)),
           ("veth", *OURS), tolerance=None, limit=1000000),
    Figure("gap/rings", "traffic stands still while the rings are exchanged (-G)", "change",
           part(manage.reconfigured, what="rings", values=(512, 1024)), OURS, tolerance=None,
           limit=1000000),
    Figure("memory/down", "memory of a port that was never up, 1 channel", "port",
           part(manage.memory, up=False), OURS, tolerance=0.2, counts="bytes"),
    *(Figure(f"memory/{channels}x{ring}",
             f"memory of a port that is up, {channels} channel{'s' * (channels > 1)}, rings of {ring}",
             "port", part(manage.memory, channels=channels, ring=ring), OURS, tolerance=0.2,
             counts="bytes", limit=(12 << 20) if (channels, ring) == (4, 512) else None)
      for channels, ring in ((1, 1024), (4, 256), (4, 512), (4, 1024), (4, 4096), (16, 1024))),
    Figure("rules/0", "UDP, 60 bytes, an empty chain, at PREROUTING", "packet",
           part(rules.unmatched, count=0), LISTED, peer="nft"),
    *(Figure(f"rules/{count}", f"UDP, 60 bytes, {count} rule{'s' * (count != 1)} that "
             f"{'do' if count != 1 else 'does'}n't match, at PREROUTING", "packet",
             part(rules.unmatched, count=count), LISTED, peer="nft",
             goals={"hooks": 1.0}, grows=("rules/10", GROWTH) if count > 10 else None)
      for count in (1, 10, 100, 1000)),
    # Walked one by one, so many would take minutes a batch.
    *(Figure(f"rules/{count}", f"the same, {count} rules", "packet",
             part(rules.unmatched, count=count), SETS, peer="nft-set", goals={"hooks": 1.0},
             grows=("rules/10", GROWTH))
      for count in (10000, 100000)),
    Figure("rules/10/16-shapes", "the same, 10 rules: prefixes of several lengths, protocols, ports",
           "packet", part(rules.unmatched, count=10, shapes=16), LISTED, peer="nft",
           goals={"hooks": 1.0}),
    *(Figure(f"rules/{count}/16-shapes", f"the same, {count} rules of 16 shapes", "packet",
             part(rules.unmatched, count=count, shapes=16), SETS, peer="nft-set",
             goals={"hooks": 1.0}, grows=("rules/10/16-shapes", GROWTH))
      for count in (10000, 100000)),
    *(Figure(f"rules/1/{name}", f"UDP, 60 bytes, one rule at PREROUTING that matches and {does}; "
             "nftables drops behind it", "packet", part(rules.matched, action=action),
             ("nft", "hooks"), peer="nft", goals={"hooks": 1.0})
      for name, action, does in (("count", "continue", "counts"), ("accept", "accept", "accepts"))),
    *(Figure(f"rules/ingress/{count}", f"UDP, 60 bytes, {count} rule{'s' * (count != 1)} that "
             f"{'do' if count != 1 else 'does'}n't match, at netdev ingress", "packet",
             part(rules.unmatched, count=count, where="ingress"), rows, peer=rows[0],
             goals={"hooks": 1.0})
      for count, rows in ((1, LISTED), (10000, SETS))),
    Figure("rules/replace/10000", "10,000 rules replaced by a transaction, from its begin to its end",
           "ruleset", part(rules.replaced, count=10000, whole=True), ("hooks",), tolerance=None,
           limit=SECOND),
    Figure("rules/commit/10000", "the same, its commit only", "ruleset",
           part(rules.replaced, count=10000, whole=False), ("hooks",), tolerance=None, limit=SECOND),
    # What is allowed, and counters of one CPU.
    *(Figure(f"rules/memory/{count}", f"memory of a rule, of {count}", "rule",
             part(rules.memory, count=count), ("hooks",), tolerance=0.2, counts="bytes",
             limit=256 + 16)
      for count in (10000, 100000)),
    *(Figure(f"scale/{threads}", f"UDP, 60 bytes, dropped by tc, sent by {threads} "
             f"CPU{'s' * (threads > 1)} at once, each on a channel of its own", "packet",
             part(udp.scaled, threads=threads), MANAGED, cpus=threads, wall=True)
      for threads in (1, 2, 4, 8)),
)}
