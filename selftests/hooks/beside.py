#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What else the kernel has at its hooks goes on working beside chains that are
before it, between it and behind it: nftables, address translation, flowtables."""

# selftest-timeout: 300

import contextlib
import hashlib
import os
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import hooks    # noqa: E402
import net      # noqa: E402
import router   # noqa: E402
import tap      # noqa: E402
from hooks import TCP, UDP, term     # noqa: E402
from stream import Stream   # noqa: E402

TO_PORT = (term("protocol", UDP), term("dport", 5000))
LONG = 50 * 10**9
# Around connection tracking (-200), nftables' chains, and translation (-100, 100).
PRIORITIES = (-400, -300, -150, -50, 0, 50, 150, 300)
POINTS = ("prerouting", "forward", "postrouting")


@contextlib.contextmanager
def nft(namespace, text):
    """A ruleset of nftables."""
    namespace.run("nft", "-f", "-", input=text)
    try:
        yield
    finally:
        namespace.run("nft", "flush", "ruleset")


def counter(namespace, name):
    """Packets of a named counter."""
    out = namespace.run("nft", "list", "counter", "inet", "t", name)
    return int(out.split("packets")[1].split()[0])


def crowd(t, action, *terms, points=POINTS, **more):
    """A chain at each priority of each point with a rule; their handles."""
    rules = {}
    for hook in points:
        for priority in PRIORITIES:
            name = f"{hook}{priority}"
            t.hr.chain(name, hook, priority=priority)
            rules[name] = t.hr.rule(name, *terms, action=action, **more)
    return rules


def counts(t, rules):
    return {t.hr.get(chain, rule)["packets"] for chain, rule in rules.items()}


@tap.case("nftables' chains and ours at many priorities: all see each packet, once")
def priorities(t):
    t.route()
    chains = "\n".join(
        f"counter {hook}{at} {{ }}\nchain {hook}{at} {{ type filter hook {hook} priority "
        f"{priority}; udp dport 5000 counter name {hook}{at}; }}"
        for hook in POINTS for at, priority in enumerate((-301, -149, 1, 299)))
    for action, more in (("continue", {}), ("delay", {"delay": 10**5}),
                         ("set-dscp", {"dscp": 7}), ("sample", {"snap": 64})):
        with nft(t.router, f"table inet t {{\n{chains}\n}}"):
            rules = crowd(t, action, *TO_PORT, **more)
            for family in (4, 6):
                with hooks.Datagrams(t, family) as udp:
                    data = [b"%d" % number for number in range(10)]
                    udp.send(*data)
                    tap.equal(udp.receive(10), data, f"{action}, IPv{family}")
            tap.equal(counts(t, rules), {20}, f"ours, {action}")
            for hook in POINTS:
                for at in range(4):
                    tap.equal(counter(t.router, f"{hook}{at}"), 20, f"nftables' {hook}{at}")
            t.hr.clear()


@tap.case("what either drops the other sees only before")
def drops(t):
    t.route()
    with nft(t.router, """table inet t {
            counter before { }
            counter behind { }
            chain a { type filter hook forward priority -1; udp dport 5000 counter name before; }
            chain b { type filter hook forward priority 1; udp dport 5000 counter name behind;
                      udp dport 5000 numgen inc mod 2 0 drop; }
            }"""):
        t.hr.chain("ours", "forward")
        t.hr.chain("last", "forward", priority=2)
        t.hr.rule("ours", *TO_PORT, action="drop", every=5)
        last = t.hr.rule("last", *TO_PORT)
        with hooks.Datagrams(t) as udp:
            udp.send(*(b"%02d" % number for number in range(20)))
            left = [b"%02d" % number for number in range(20) if number % 5 != 4]
            tap.equal(udp.receive(8), left[1::2], "arrived")
        tap.equal((counter(t.router, "before"), counter(t.router, "behind"),
                   t.hr.get("last", last)["packets"]), (20, 16, 8), "seen")


MASQUERADE = """table inet t {
    chain post { type nat hook postrouting priority 100; oifname "re1" masquerade; }
    chain pre { type nat hook prerouting priority -100;
                iifname "re0" ip daddr 192.168.241.254 udp dport 5000 dnat ip to 192.168.242.1;
                iifname "re0" ip daddr 192.168.241.254 tcp dport 5001 dnat ip to 192.168.242.1; }
    }"""


class Translated(hooks.Datagrams):
    """To the router's own address, which translates both addresses."""

    def __init__(self, t):
        super().__init__(t)
        self.sender.close()
        self.sender = t.n0.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sender.connect((router.GATE4[0], 5000))


@tap.case("both addresses translated, with chains all around: there and back")
def translation(t):
    t.route()
    for action, more in (("continue", {}), ("delay", {"delay": 10**5}),
                         ("reorder", {"gap": 1, "timeout": 10**7}), ("set-mark", {"mark": 5}),
                         ("set-dscp", {"dscp": 7})):
        with nft(t.router, MASQUERADE):
            crowd(t, action, term("protocol", UDP), **more)
            with Translated(t) as udp:
                for number in range(10):
                    udp.send(b"%d" % number)
                    data, sender = udp.receiver.recvfrom(100)
                    tap.equal((data, sender[0]), (b"%d" % number, router.GATE4[1]), action)
                    udp.receiver.sendto(b"answer", sender)
                    tap.equal(udp.sender.recv(100), b"answer", action)
            t.hr.clear()


@tap.case("packets that open a translated connection, held on both sides of the translation")
def held(t):
    t.route()
    for hook, priority in (("prerouting", -150), ("prerouting", -50), ("forward", 0),
                           ("postrouting", 50), ("postrouting", 150)):
        with nft(t.router, MASQUERADE):
            t.hr.chain("x", hook, priority=priority)
            rule = t.hr.rule("x", term("protocol", UDP), action="delay", delay=LONG)
            with Translated(t) as udp:
                data = [b"%d" % number for number in range(4)]
                # One connection, of which no packet is confirmed yet.
                udp.send(*data)
                net.wait_until(lambda: t.hr.chains()["x"]["held"] >= 4, "all are held")
                t.hr.remove("x", rule)
                first, sender = udp.receiver.recvfrom(100)
                tap.equal((first, sender[0]), (data[0], router.GATE4[1]), f"{hook} {priority}")
                # The core decides about the others, as they clash with the first; a later
                # one is translated as the first was.
                udp.receiver.sendto(b"answer", sender)
                tap.equal(udp.sender.recv(100), b"answer", f"{hook} {priority}")
                udp.send(b"last")
                while True:
                    got, later = udp.receiver.recvfrom(100)
                    tap.equal(later[0], router.GATE4[1], f"{got}, {hook} {priority}")
                    if got == b"last":
                        break
                tap.equal(later, sender, "the same connection")
            t.hr.clear()


FLOWTABLE = """table inet t {
    flowtable f { hook ingress priority 0; devices = { re0, re1 }; }
    chain c { type filter hook forward priority 0; meta l4proto { tcp, udp } flow add @f; }
    chain post { type nat hook postrouting priority 100; oifname "re1" masquerade; }
    }"""


@tap.case("flows that a flowtable forwards: seen at the devices, no more at IP's hooks")
def flowtable(t):
    t.route()
    with nft(t.router, FLOWTABLE):
        t.hr.chain("before", "ingress", dev="re0", priority=-1)
        t.hr.chain("behind", "ingress", dev="re0", priority=1)
        t.hr.chain("leaves", "egress", dev="re1")
        t.hr.chain("forward", "forward")
        rules = {name: t.hr.rule(name, *TO_PORT) for name in
                 ("before", "behind", "leaves", "forward")}
        with hooks.Datagrams(t) as udp:
            for number in range(20):
                udp.send(b"%d" % number)
                data, sender = udp.receiver.recvfrom(100)
                tap.equal((data, sender[0]), (b"%d" % number, router.GATE4[1]), "translated")
                udp.receiver.sendto(b"answer", sender)
                tap.equal(udp.sender.recv(100), b"answer", "answer")
        seen = {name: t.hr.get(name, rule)["packets"] for name, rule in rules.items()}
        tap.equal((seen["before"], seen["leaves"]), (20, 20), "at the devices")
        if seen["forward"] > 5 or seen["behind"] != seen["forward"]:
            raise AssertionError(f"not forwarded by the flowtable: {seen}")


@tap.case("a stream that a flowtable forwards, disturbed at the devices")
def offloaded(t):
    data = os.urandom(1 << 19)
    for info in ((), router.HANDOFF):
        t.route(info)
        with nft(t.router, FLOWTABLE):
            for hook, dev, priority in (("ingress", "re0", -1), ("ingress", "re0", 1),
                                        ("egress", "re1", 0)):
                t.hr.chain("x", hook, dev=dev, priority=priority)
                about = (term("protocol", TCP), term("dport", 5001))
                rules = [t.hr.rule("x", *about, action=action, every=every, segments=True, **more)
                         for action, every, more in (
                             ("drop", 79, {}), ("corrupt", 101, {"bits": 2, "offset": 100}),
                             ("duplicate", 61, {}), ("delay", 71, {"delay": 10**6}),
                             ("reorder", 53, {"gap": 3, "timeout": 10**8}))]
                stream = Stream(t)
                stream.sender.sendall(data)
                tap.equal(stream.end(), hashlib.sha256(data).hexdigest(), f"{hook} {priority}")
                if priority <= 0:
                    idle = [r for r in rules if not t.hr.get("x", r)["acted"]]
                    tap.equal(idle, [], f"rules that did nothing, {hook} {priority}")
                t.hr.clear()
        t.tidy()


tap.main(router.Router)
