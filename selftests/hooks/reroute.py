#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Locally made packets whose mark or traffic class a rule changes at output: they
take the way that the rules of routing have for them then.

   ns0: fe0 ------ fe1 :ns1      where packets go by the main table
        fo0 ------ fo1           where marked ones go
"""

# selftest-timeout: 300

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import hooks    # noqa: E402
import net      # noqa: E402
import tap      # noqa: E402
from hooks import UDP, term     # noqa: E402

TO_PORT = (term("protocol", UDP), term("dport", 5000))
OTHER4 = ("192.168.244.1", "192.168.244.2")
OTHER6 = ("fd00:244::1", "fd00:244::2")
MARK, DSCP = 7, 8


def payloads(count):
    return [b"%04d" % number for number in range(count)]


class Ways(hooks.Topology):
    """Two pairs between the namespaces."""

    def ways(self):
        self.pair()
        net.make_pair(self.n0, {"name": "fo0", **net.QUEUES},
                      {"name": "fo1", "ns": self.n1.fd, **net.QUEUES})
        for namespace, name, four, six in ((self.n0, "fo0", OTHER4[0], OTHER6[0]),
                                           (self.n1, "fo1", OTHER4[1], OTHER6[1])):
            namespace.rtnl.change(name, up=True)
            namespace.rtnl.add_address(name, four, 24)
            namespace.rtnl.add_address(name, six, 64)
        net.running(self.n0, "fo0")
        net.running(self.n1, "fo1")
        self.n1.wait_local(OTHER6[1])
        self.n1.sysctl("net/ipv4/conf/all/rp_filter", 0)
        for option, target, way in (("-4", net.V4[1], OTHER4[1]), ("-6", net.V6[1], OTHER6[1])):
            self.n0.ip(option, "route", "add", target, "via", way, "dev", "fo0", "table", "70")
            for words in (("fwmark", str(MARK)), ("dscp", str(DSCP))):
                self.n0.ip(option, "rule", "add", *words, "table", "70")

    def tidy(self):
        for option in ("-4", "-6"):
            while not self.n0.ip(option, "rule", "del", "table", "70", check=False).returncode:
                pass
        super().tidy()

    def seen(self):
        """Watches both ways out."""
        for dev in ("fe0", "fo0"):
            self.h0.chain(dev, "egress", dev=dev)
            self.h0.rule(dev, *TO_PORT)

    def counts(self):
        return tuple(rule["packets"] for name in ("fe0", "fo0") for rule in self.h0.rules(name))


@tap.case("set-mark and set-dscp at output choose another way, for the packets they meet")
def chosen(t):
    t.ways()
    for family in (4, 6):
        for action, more in (("set-mark", {"mark": MARK}), ("set-dscp", {"dscp": DSCP})):
            t.seen()
            t.h0.chain("x", "output")
            t.h0.rule("x", *TO_PORT, action=action, every=2, **more)
            t.h0.chain("behind", "postrouting")
            index = t.n0.rtnl.get("fo0")["index"]
            there = t.h0.rule("behind", *TO_PORT, term("oif", index))
            with hooks.Datagrams(t, family) as udp:
                udp.send(*payloads(6))
                tap.equal(sorted(udp.receive(6)), payloads(6), "arrived")
                tap.equal(t.counts(), (3, 3), f"this way and that, IPv{family} {action}")
                tap.equal(t.h0.get("behind", there)["packets"], 3, "at the chain behind")
            t.h0.clear()


@tap.case("also if the packet is held, copied or reordered behind that")
def held(t):
    t.ways()
    for family in (4, 6):
        for action, more, times in (("delay", {"delay": 10**6}, 1),
                                    ("reorder", {"gap": 1, "timeout": 10**8}, 1),
                                    ("duplicate", {}, 2)):
            t.seen()
            t.h0.chain("x", "output")
            t.h0.rule("x", *TO_PORT, action="set-mark", mark=MARK, every=2)
            t.h0.rule("x", *TO_PORT, action=action, **more)
            with hooks.Datagrams(t, family) as udp:
                udp.send(*payloads(6))
                tap.equal(sorted(udp.receive(6 * times)), sorted(payloads(6) * times), "arrived")
                tap.equal(t.counts(), (3 * times, 3 * times), f"IPv{family} {action}")
            t.h0.clear()


@tap.case("no route for what the mark asks for: the sender is told, nothing else is touched")
def refused(t):
    t.ways()
    for family, option in ((4, "-4"), (6, "-6")):
        t.n0.ip(option, "rule", "add", "fwmark", "9", "unreachable")
        t.seen()
        t.h0.chain("x", "output")
        t.h0.rule("x", *TO_PORT, action="set-mark", mark=9, nth=2)
        with hooks.Datagrams(t, family) as udp:
            arrive = []
            for data in payloads(4):
                try:
                    udp.send(data)
                    arrive.append(data)
                except OSError as error:
                    tap.note(f"IPv{family}: {error}")
            tap.equal(udp.receive(3), [payloads(4)[n] for n in (0, 2, 3)], "arrived")
            tap.equal(arrive, [payloads(4)[n] for n in (0, 2, 3)], "sent")
            tap.equal(t.counts(), (3, 0), f"IPv{family}")
        t.h0.clear()
        t.n0.ip(option, "rule", "del", "fwmark", "9", "unreachable")


@tap.case("at the other hooks of a sender a mark chooses nothing")
def elsewhere(t):
    t.ways()
    for hook, dev in (("postrouting", None), ("egress", "fe0")):
        t.seen()
        t.h0.chain("x", hook, dev=dev, priority=-1)
        t.h0.rule("x", *TO_PORT, action="set-mark", mark=MARK)
        with hooks.Datagrams(t) as udp:
            udp.send(*payloads(3))
            tap.equal(udp.receive(3), payloads(3), "arrived")
            tap.equal(t.counts(), (3, 0), hook)
        t.h0.clear()


tap.main(Ways)
