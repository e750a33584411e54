#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Where packets go on that a chain held, copied or took apart: behind that chain,
whatever hooks have come and gone before and behind it meanwhile, and past all that
has seen them already. And where chains are registered at all."""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import hooks    # noqa: E402
import net      # noqa: E402
import tap      # noqa: E402
from hooks import UDP, term     # noqa: E402

TO_PORT = (term("protocol", UDP), term("dport", 5000))
LONG = 50 * 10**9
POINTS = (("h0", "output", None), ("h0", "postrouting", None), ("h0", "egress", "fe0"),
          ("h1", "ingress", "fe1"), ("h1", "prerouting", None), ("h1", "input", None))


def payloads(count):
    return [b"%04d" % number for number in range(count)]


def nft(namespace, hook, dev):
    """A chain of nftables before ours and one behind, which count."""
    family = "netdev" if dev else "inet"
    device = f'device "{dev}" ' if dev else ""
    chains = "\n".join(f"""counter {name} {{ }}
        chain {name} {{ type filter hook {hook} {device}priority {priority};
            meta l4proto udp th dport 5000 counter name {name};
        }}"""
                       for name, priority in (("before", -5), ("behind", 5)))
    namespace.run("nft", "-f", "-", input=f"table {family} t {{\n{chains}\n}}")
    return family


def counters(namespace, family):
    found = json.loads(namespace.run("nft", "-j", "list", "counters", "table", family, "t"))
    return {entry["counter"]["name"]: entry["counter"]["packets"]
            for entry in found["nftables"] if "counter" in entry}


@tap.case("hooks that come and go while packets are held: those behind see them, once")
def places(t):
    t.pair()
    for number, (who, hook, dev) in enumerate(POINTS):
        space = getattr(t, who)
        for other in ("early", "late"):
            space.chain(other, hook, dev=dev, priority=-20 if other == "early" else 20)
        early, late = (space.rule(other, *TO_PORT) for other in ("early", "late"))
        space.chain("x", hook, dev=dev)
        rule = space.rule("x", *TO_PORT, action="delay", delay=LONG)
        with hooks.Datagrams(t, 6 if number % 2 else 4) as udp:
            udp.send(*payloads(5))
            net.wait_until(lambda: space.chains()["x"]["held"] == 5, f"held at {hook}")
            tap.equal(space.get("early", early)["packets"], 5, f"before, {hook}")
            # Our place among the hooks goes down by one, up by two.
            space.delete("early")
            for other in ("new", "newer"):
                space.chain(other, hook, dev=dev, priority=-10)
            new = [space.rule(other, *TO_PORT) for other in ("new", "newer")]
            family = nft(space.namespace, hook, dev)
            space.replace("x", rule, *TO_PORT)
            tap.equal(udp.receive(5), payloads(5), f"went on at {hook}")
        tap.equal([space.get(*which)["packets"] for which in zip(("new", "newer"), new)], [0, 0],
                  f"not again before, {hook}")
        tap.equal(space.get("x", rule)["packets"], 0, f"not again in the chain, {hook}")
        tap.equal(space.get("late", late)["packets"], 5, f"behind, {hook}")
        tap.equal(counters(space.namespace, family), {"before": 0, "behind": 5},
                  f"nftables, {hook}")
        space.namespace.run("nft", "flush", "ruleset")
        space.clear()


def seen_by_tc(namespace, dev, way):
    out = json.loads(namespace.run("tc", "-s", "-j", "filter", "show", "dev", dev, way))
    actions = [entry["options"]["actions"][0] for entry in out if "options" in entry]
    return actions[0]["stats"]["packets"]


@tap.case("taps and tc see a packet once, whether it was held, copied or neither")
def once(t):
    t.pair()
    for who, hook, dev, way in (("h1", "ingress", "fe1", "ingress"), ("h0", "egress", "fe0", "egress")):
        space = getattr(t, who)
        namespace = space.namespace
        for action, more, copies in (("continue", {}, 0), ("delay", {"delay": 10**6}, 0),
                                     ("reorder", {"gap": 1, "timeout": 10**6}, 0),
                                     ("duplicate", {"copies": 1}, 5)):
            namespace.tc("qdisc", "add", "dev", dev, "clsact")
            namespace.tc("filter", "add", "dev", dev, way, "protocol", "ip", "flower", "ip_proto",
                         "udp", "dst_port", "5000", "action", "ok")
            space.chain("x", hook, dev=dev)
            space.rule("x", *TO_PORT, action=action, **more)
            with namespace.packet(dev) as tapped, hooks.Datagrams(t) as udp:
                tapped.setsockopt(263, 23, 0)       # PACKET_IGNORE_OUTGOING
                udp.send(*payloads(5))
                tap.equal(sorted(udp.receive(5 + copies)),
                          sorted(payloads(5) * (2 if copies else 1)), f"arrived, {action} at {hook}")
                tapped.setblocking(False)
                frames = []
                try:
                    while True:
                        frames.append(tapped.recv(2000))
                except BlockingIOError:
                    pass
            ours = [frame for frame in frames if frame[23:24] == b"\x11" and
                    frame[36:38] == (5000).to_bytes(2, "big")]
            # What comes is seen before the hook, what leaves behind it.
            want = 5 + (copies if hook == "egress" else 0)
            tap.equal((len(ours), seen_by_tc(namespace, dev, way)), (want, want),
                      f"tap, tc: {action} at {hook}")
            space.clear()
            namespace.tc("qdisc", "del", "dev", dev, "clsact")


def registered(namespace):
    """How many of netfilter's hooks in a namespace are this module's."""
    done = namespace.run("nft", "list", "hooks", check=False)
    if done.returncode:
        raise tap.Skip("nft cannot list hooks here")
    return done.stdout.count(f"[{net.KIND}]")


@tap.case("nothing is registered before the first chain, and one hook a chain and family")
def nothing(t):
    t.pair()
    tap.equal(registered(t.n1), 0, "before")
    t.h1.chain("in", "input")
    both = registered(t.n1)
    if not both:
        raise tap.Skip("nft does not say whose hooks there are")
    tap.equal(registered(t.n0), 0, "in another namespace")
    t.h1.chain("four", "input", family="ip")
    tap.equal(registered(t.n1), both + 1, "one of a family more")
    for port in range(5):
        t.h1.rule("four", term("protocol", UDP), term("dport", port))
    tap.equal(registered(t.n1), both + 1, "rules don't change that")
    t.h1.clear()
    tap.equal(registered(t.n1), 0, "afterwards")


tap.main(hooks.Topology)
