#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What a rule drops is seen by tracing and by drop_monitor, with the rule's reason."""

import contextlib
import errno
import os
import re
import select
import socket
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import genl     # noqa: E402
import hooks    # noqa: E402
import net      # noqa: E402
import rtnl     # noqa: E402
import tap      # noqa: E402
from hooks import RULE, UDP, attribute, term    # noqa: E402
from control import RULE_ADD    # noqa: E402
from trace import Trace         # noqa: E402

TO_PORT = (term("protocol", UDP), term("dport", 5000))
# What the kernel calls it if the rule says nothing.
PLAIN = "NETFILTER_DROP"

# drop_monitor: commands and attributes.
ALERT, CONFIG, START, STOP = 1, 2, 3, 4
PACKET_ALERT = 5
ALERT_MODE, SYMBOL, PAYLOAD, SW_DROPS, REASON = 1, 3, 7, 20, 23


def drops(trace_):
    """The reasons of those that happened in the module."""
    return re.findall(r"kfree_skb: .*location=\S+ \[ferronic\] reason: (\S+)", "".join(trace_.lines()))


class Monitor:
    """drop_monitor, of which there is one, in the first namespace."""

    def __enter__(self):
        done = subprocess.run(["modprobe", "drop_monitor"], check=False)
        if done.returncode:
            raise tap.Skip("no drop_monitor")
        self.family = genl.Family(contextlib.nullcontext(), "NET_DM")
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, genl.NETLINK_GENERIC)
        self.socket.setsockopt(socket.SOL_SOCKET, 33, 1 << 22)      # SO_RCVBUFFORCE
        self.socket.bind((0, 0))
        self.socket.setsockopt(rtnl.SOL_NETLINK, rtnl.NETLINK_ADD_MEMBERSHIP,
                               self.family.groups["events"])
        self.ask(CONFIG, rtnl.attr(ALERT_MODE, b"\1"))
        self.ask(START, rtnl.attr(SW_DROPS))
        return self

    def ask(self, command, body):
        header = struct.pack("=BBH", command, 2, 0)
        self.family.link.request(self.family.family, 0, header + body)

    def come(self):
        """Reason and payload of those that have come."""
        found = []
        while select.select([self.socket], [], [], 0)[0]:
            data, at = self.socket.recv(1 << 16), 0
            while at + 20 <= len(data):
                size, _, _, _, _, command = struct.unpack_from("=IHHIIB", data, at)
                if command == PACKET_ALERT:
                    said = dict(rtnl.attrs(data[at + 20:at + size]))
                    found.append((said[REASON].rstrip(b"\0").decode(), said.get(PAYLOAD, b"")))
                at += (size + 3) & ~3
        return found

    def __exit__(self, *_):
        self.ask(STOP, rtnl.attr(SW_DROPS))
        self.socket.close()
        self.family.close()


def one_each(t, hook, **place):
    """Drops a packet without a reason, and one with; at that hook."""
    h = t.h0 if hook in ("output", "postrouting", "egress") else t.h1
    h.chain("x", hook, **place)
    with hooks.Datagrams(t) as udp:
        for payload, more in ((b"plain", {}), (b"said", {"drop_reason": "TCP_CSUM"}),
                              # With a modifier and an event, another way.
                              (b"seldom", {"drop_reason": "NO_SOCKET", "nth": 1, "notify": 10})):
            rule = h.rule("x", *TO_PORT, action="drop", **more)
            tap.equal(h.get("x", rule).get("drop_reason"), more.get("drop_reason"), "shown")
            with contextlib.suppress(PermissionError):
                udp.send(payload)
            net.wait_until(lambda: h.get("x", rule)["packets"], "the packet")
            h.remove("x", rule)
    h.delete("x")


@tap.case("the tracepoint has the reason of the rule, at every hook, and names us as the place")
def trace(t):
    t.pair()
    for hook, dev in (("prerouting", None), ("input", None), ("output", None),
                      ("postrouting", None), ("ingress", "fe1"), ("egress", "fe0")):
        with Trace("skb/kfree_skb") as trace_:
            one_each(t, hook, dev=dev)
            tap.equal(drops(trace_), [PLAIN, "TCP_CSUM", "NO_SOCKET"], hook)


@tap.case("drop_monitor has it, with the packet")
def monitor(t):
    t.pair()
    with Monitor() as monitor_:
        one_each(t, "prerouting")
        found = []

        def ours():
            found.extend(monitor_.come())
            return [(reason, word) for reason, payload in found
                    for word in (b"plain", b"said", b"seldom") if word in payload]
        net.wait_until(lambda: len(ours()) >= 3, "alerts")
        tap.equal(ours(), [(PLAIN, b"plain"), ("TCP_CSUM", b"said"), ("NO_SOCKET", b"seldom")],
                  "alerts")


@tap.case("an event says why")
def event(t):
    t.pair()
    t.h1.chain("in", "input")
    t.h1.rule("in", *TO_PORT, action="drop", drop_reason="TCP_CSUM", notify=10)
    with hooks.Events(t.h1) as events, hooks.Datagrams(t) as udp:
        udp.send(b"x")
        tap.equal(events.until(1)[0]["drop_reason"], "TCP_CSUM", "reason")


@tap.case("what is no reason for a drop is refused")
def refused(t):
    t.h1.chain("in", "input")
    for action, reason in (("drop", "NO_SUCH_REASON"), ("drop", "CONSUMED"), ("drop", ""),
                           ("drop", "NOT_DROPPED_YET"), ("accept", "NO_SOCKET")):
        body = hooks.Hooks.words("in", (), action, drop_reason=reason)
        t.h1.refused(errno.EINVAL, RULE_ADD, body,
                     at=body.index(attribute(RULE, "drop_reason", reason)))
    tap.equal(t.h1.rules(), [], "rules")


tap.main(hooks.Topology)
