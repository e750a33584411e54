#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""RSS contexts: sets of table, key and fields that n-tuple rules send frames to."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import ethnl    # noqa: E402
import frames   # noqa: E402
import net      # noqa: E402
import nic      # noqa: E402
import rtnl     # noqa: E402
import steer    # noqa: E402
import tap      # noqa: E402
import toeplitz  # noqa: E402


@tap.case("a context has a table, a key and fields of its own")
def contexts(t):
    other = steer.quiet(t)
    key = bytes(range(52))
    context = steer.new_context(other, "start", 2, "equal", 2)
    before = other.rss()
    other.ethtool.rss_set(hkey=key, context=context)
    tap.equal(other.rss(), before, "settings without a context")
    inside = other.ethtool.rss(context)
    tap.equal((set(inside["indir"]), inside["hkey"]), ({2, 3}, key), "those of the context")
    other.set("-N", "rx-flow-hash", "udp4", "sdfn", "context", context)
    at = steer.add(other, "flow-type", "udp4", "context", context)
    with steer.sending(t) as send:
        table = inside["indir"]
        want = {2: 0, 3: 0}
        for port in range(64):
            want[table[toeplitz.of_flow(key, *net.V4, port, 53) % len(table)]] += 1
        tap.equal(send(*(steer.packet(sport=port, dport=53) for port in range(64))), want,
                  "frames by queue")
        other.set("-N", "rx-flow-hash", "udp4", "sd", "context", context)
        queue = table[toeplitz.of_flow(key, *net.V4) % len(table)]
        tap.equal(send(*(steer.packet(sport=port) for port in range(8))), {queue: 8},
                  "by addresses")
        # Without a rule nothing has changed.
        tap.equal(send(steer.packet(6)), {0: 1}, "another flow")
    other.refused("-X", "context", context, "delete", hint="busy")
    other.set("-N", "delete", at)
    other.set("-X", "context", context, "delete")
    other.refused("-x", "context", context)


@tap.case("the queue of a rule is added to what the table of the context says")
def offsets(t):
    other = steer.quiet(t)
    context = steer.new_context(other, "equal", 1)
    at = steer.add(other, "flow-type", "udp4", "context", context, "action", 2)
    with steer.sending(t) as send:
        tap.equal(send(steer.packet()), {2: 1}, "queue 0 and 2")
        other.ethtool.rss_set(indir=[1], context=context)
        tap.equal(send(steer.packet()), {3: 1}, "queue 1 and 2")
        # What would lead beyond the last queue is refused, whichever of both changes.
        other.refused("-X", "context", context, "start", 2, "equal", 1)
        try:
            other.ethtool.rss_set(indir=[2], context=context)
        except rtnl.NetlinkError as error:
            if "n-tuple" not in str(error):
                raise
        else:
            raise AssertionError("a table that leads a rule to no queue was taken")
        other.refused("-N", "flow-type", "udp4", "context", context, "action", 3)
        other.refused("-L", "combined", 3)
        tap.equal(send(steer.packet()), {3: 1}, "after the refusals")
    tap.equal(steer.rules(other), [at], "rules")


@tap.case("frames without a hash go where the table of their context says first")
def hashless(t):
    other = steer.quiet(t)
    context = steer.new_context(other, "start", 2, "equal", 2)
    steer.add(other, "flow-type", "ether", "proto", frames.ETH_P_TEST, "context", context)
    frame = frames.ether(net.MAC[1], net.MAC[0], frames.ETH_P_TEST, bytes(86))
    first = other.ethtool.rss(context)["indir"][0]
    with steer.sending(t) as send:
        tap.equal((first, send(frame)), (2, {2: 1}), "of another ethertype")


@tap.case("rules and contexts outlast down, up and other numbers of channels")
def kept(t):
    other = steer.quiet(t, own=nic.MANY, peer=nic.MANY)
    context = steer.new_context(other, "start", 2, "equal", 2)
    table = other.ethtool.rss(context)["indir"]
    # A table that was given whole stays as long at least; one of two entries may become shorter.
    other.ethtool.rss_set(indir=[2, 3], context=context)
    at = steer.add(other, "flow-type", "udp4", "dst-port", 1, "context", context)
    single = steer.add(other, "flow-type", "udp4", "dst-port", 2, "action", 3)
    other.namespace.rtnl.change("fe1", up=False)
    second = steer.new_context(other, "equal", 1)
    other.namespace.rtnl.change("fe1", up=True)
    with steer.sending(t) as send:
        tap.equal(send(steer.packet(dport=2)), {3: 1}, "after down and up")
        other.ethtool.set(ethnl.CHANNELS, combined=64)
        grown = other.ethtool.rss(context)["indir"]
        tap.equal(grown, [2, 3] * (len(grown) // 2), "the table of the context")
        if len(grown) < 4 * 64:
            raise AssertionError(f"{len(grown)} entries for 64 queues")
        got = send(*(steer.packet(dport=1, sport=port) for port in range(20)))
        tap.equal(set(got) | {2, 3}, {2, 3}, "queues of the context")
        # A queue that a rule or a context leads to stays.
        other.refused("-L", "combined", 3, hint="too low")
        other.set("-X", "context", second, "delete")
        other.ethtool.set(ethnl.CHANNELS, combined=4)
        tap.equal(len(other.ethtool.rss(context)["indir"]), len(table), "entries again")
        tap.equal(send(steer.packet(dport=2)), {3: 1}, "with 4 channels")
    tap.equal(steer.rules(other), [single, at], "rules")


@tap.case("contexts that cannot be are refused, and nothing changes")
def bad(t):
    _, other = t.nics()
    context = steer.new_context(other, "equal", 2)
    before = other.ethtool.rss(context)
    other.refused("-X", "context", 60, "equal", 3)
    other.refused("-N", "rx-flow-hash", "udp4", "sd", "context", 60)
    for values in ({"indir": [99]}, {"hkey": b"short"}, {"input_xfrm": 0x40}, {"indir": []}):
        try:
            other.ethtool.rss_set(context=context, **values)
        except rtnl.NetlinkError as error:
            tap.note(values, error)
        else:
            raise AssertionError(f"{values}: was taken")
        tap.equal(other.ethtool.rss(context), before, "the context afterwards")
    made = [context]
    while len(made) < 63:
        made.append(steer.new_context(other))
    other.refused("-X", "context", "new")
    tap.equal(other.ethtool.rss(context), before, "the context afterwards")


tap.main(nic.Pair)
