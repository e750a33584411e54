#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Ten thousand packets that are held when what they wait for goes: their rule,
their chain, their device, their namespace, the module.  They go on or are dropped;
whoever holds a device or a page too long would be seen by the devices' deletion,
which waits for it."""

# selftest-timeout: 240

import os
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import hooks    # noqa: E402
import net      # noqa: E402
import router   # noqa: E402
import tap      # noqa: E402
from hooks import UDP, term     # noqa: E402

TO_PORT = (term("protocol", UDP), term("dport", 5000))
# Longer than any case holds them, also a quarter less.
LONG = 48 * 10**9
MANY = 10000
MOST = 16384
POINTS = (("h0", "output", None), ("h0", "postrouting", None), ("h0", "egress", "fe0"),
          ("hr", "ingress", "re0"), ("hr", "prerouting", None), ("hr", "forward", None),
          ("hr", "postrouting", None), ("hr", "egress", "re1"), ("h1", "ingress", "fe1"),
          ("h1", "prerouting", None), ("h1", "input", None))
SO_SNDBUFFORCE, SO_RCVBUFFORCE = 32, 33


class Many(hooks.Datagrams):
    """Sockets with room for all of them."""

    def __init__(self, t, family=4):
        super().__init__(t, family)
        self.sender.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, 1 << 28)
        self.receiver.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 28)


def of(udp):
    """What they send, and not what others have sent before, which may still be on its way."""
    return *TO_PORT, term("sport", udp.sport)


def hold(hooks_, hook, dev, udp, count=MANY, action="delay", **more):
    """Has so many packets held there, numbered; each waits for a time of its own."""
    hooks_.chain("x", hook, dev=dev)
    more = more or {"delay": LONG, "jitter": LONG // 4}
    rule = hooks_.rule("x", *of(udp), action=action, **more)
    for start in range(0, count, 500):
        udp.send(*(b"%05d" % number for number in range(start, min(start + 500, count))))
        # A wire has limits of its own.
        net.wait_until(lambda end=min(start + 500, count): hooks_.chains()["x"]["held"] == end,
                       f"held at {hook}")
    return rule


def all_of(udp, count=MANY):
    tap.equal(sorted(udp.receive(count)), [b"%05d" % number for number in range(count)], "all")


@tap.case("released with their rule, their chain, all rules: all go on behind the chain")
def released(t):
    t.route()
    ways = (lambda h, rule: h.remove("x", rule), lambda h, _: h.delete("x"),
            lambda h, _: h.remove("x"), lambda h, rule: h.replace("x", rule, *TO_PORT))
    for number, (who, hook, dev) in enumerate(POINTS):
        hooks_ = getattr(t, who)
        with Many(t, 6 if number % 2 else 4) as udp:
            hooks_.chain("behind", hook, dev=dev, priority=1)
            behind = hooks_.rule("behind", *of(udp))
            count = MANY if hook == "forward" else 1000
            count = max(count // net.SLOW, 500)
            rule = hold(hooks_, hook, dev, udp, count)
            ways[number % len(ways)](hooks_, rule)
            tap.equal(hooks_.get("behind", behind)["packets"], count, f"behind {who} {hook}")
            if who == "h1":
                all_of(udp, count)
        hooks_.clear()


@tap.case("the number is bounded: the rest is dropped and counted")
def bounded(t):
    t.n0.rtnl.change("lo", up=True)
    t.h0.chain("x", "output")
    rule = t.h0.rule("x", *TO_PORT, action="delay", delay=LONG)
    sender = t.n0.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, 1 << 28)
    receiver = t.n0.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 28)
    receiver.bind(("127.0.0.1", 5000))
    sender.connect(("127.0.0.1", 5000))
    for _ in range(MOST + 100):
        sender.send(b"x")
    chain = t.h0.chains()["x"]
    tap.equal((chain["held"], chain["overflows"], t.h0.get("x", rule)["packets"]),
              (MOST, 100, MOST + 100), "held, dropped, matched")
    t.h0.remove("x")
    for _ in range(MOST):
        receiver.recv(10)
    sender.close()
    receiver.close()


@tap.case("so is the memory of what all chains of a namespace hold")
def memory(t):
    t.n0.rtnl.change("lo", up=True)
    size, bound = 60000, 256 << 20
    for chain, port in (("x", 5000), ("y", 5001)):
        t.h0.chain(chain, "output")
        t.h0.rule(chain, term("protocol", UDP), term("dport", port), action="delay", delay=LONG)
    with t.n0.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, 1 << 29)
        for number in range(bound // size + 100):
            sender.sendto(bytes(size), ("127.0.0.1", 5000 + number % 2))
        chains = t.h0.chains()
        for chain in chains.values():
            tap.equal((chain["held"] > 0, chain["overflows"] > 0), (True, True), "held, dropped")
        if sum(chain["held"] for chain in chains.values()) > bound // size:
            raise AssertionError(f"more than {bound} bytes are held")
        # What is let go makes room.
        t.h0.remove("x")
        t.h0.rule("x", term("protocol", UDP), term("dport", 5000), action="delay", delay=LONG)
        sender.sendto(bytes(size), ("127.0.0.1", 5000))
        tap.equal(t.h0.chains()["x"]["held"], 1, "held anew")


@tap.case("the device that packets came by or are to leave by goes down, or goes")
def device(t):
    for end in (0, 1):
        for who, hook, dev in POINTS[3:8]:
            needs = {"ingress": (0,), "prerouting": (0,), "forward": (0, 1), "egress": (1,),
                     "postrouting": (0, 1)}[hook]
            if end not in needs:
                continue
            t.route()
            with Many(t) as udp:
                hold(t.hr, hook, dev, udp, 500)
                t.router.rtnl.change(router.GATES[end], up=False)
                chain = t.hr.chains()["x"]
                tap.equal((chain["held"], chain["lost"]), (0, 500),
                          f"held and dropped, {router.GATES[end]} down, {hook}")
            t.tidy()
            t.route()
            with Many(t) as udp:
                count = MANY // net.SLOW if hook == "forward" else 1000
                hold(t.hr, hook, dev, udp, count)
                # Waits for everybody who has a reference to the device.
                t.router.rtnl.delete(router.GATES[end])
                left = {name: (chain["held"], chain["lost"])
                        for name, chain in t.hr.chains().items()}
                gone = dev == router.GATES[end]
                tap.equal(left, {} if gone else {"x": (0, count)}, f"{router.GATES[end]} gone, {hook}")
            t.tidy()


@tap.case("the device whose pages packets lie in goes: they stay, and go on")
def pages(t):
    t.route()
    with Many(t) as udp:
        hold(t.hr, "egress", "re1", udp, 1000)
        t.n0.rtnl.delete("fe0")
        tap.equal(t.hr.chains()["x"]["held"], 1000, "held")
        t.hr.remove("x")
        all_of(udp, 1000)


@tap.case("the device moves to another namespace: dropped, and its chains go")
def moved(t):
    for hook, dev in (("forward", None), ("egress", "re1")):
        t.route()
        with Many(t) as udp:
            hold(t.hr, hook, dev, udp, 1000)
            t.router.ip("link", "set", "re1", "netns", t.n0.name)
            tap.equal([chain["held"] for chain in t.hr.chains().values()], [] if dev else [0],
                      hook)
        t.tidy()


@tap.case("a namespace ends while they are held at each of its hooks")
def namespace(t):
    for hook, dev in (("prerouting", None), ("input", None), ("output", None),
                      ("postrouting", None), ("ingress", "lo"), ("egress", "lo")):
        space = net.Namespace("ending")
        there = hooks.Hooks(space)
        space.rtnl.change("lo", up=True)
        there.chain("x", hook, dev=dev)
        # A packet that its socket still waits for keeps the namespace as long.
        wait = 2 * 10**9 if hook in ("output", "postrouting", "egress") else LONG
        there.rule("x", *TO_PORT, action="delay", delay=wait)
        sender = space.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sender.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, 1 << 28)
        sender.connect(("127.0.0.1", 5000))
        for _ in range(MANY // (net.SLOW if hook == "input" else 10)):
            try:
                sender.send(b"x")
            except ConnectionRefusedError:
                # Some have gone on where the wait is short, and nobody listens.
                pass
        sender.close()
        there.close()
        space.close()


@tap.case("the module is unloaded while they are held everywhere")
def unloaded(t):
    path = net.module_path()
    t.pair()
    other = net.Namespace("other")
    points = [(t.h0, "output", None), (t.h0, "postrouting", None), (t.h0, "egress", "lo"),
              (t.h0, "ingress", "lo"), (t.h0, "prerouting", None), (t.h0, "input", None)]
    port = 6000
    for hooks_, hook, dev in points:
        port += 1
        hooks_.chain(hook, hook, dev=dev)
        hooks_.rule(hook, term("protocol", UDP), term("dport", port), action="delay", delay=LONG)
        hooks_.rule(hook, term("protocol", UDP), term("dport", port), action="reorder", gap=9,
                    timeout=LONG)
        sender = t.n0.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sender.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, 1 << 28)
        sender.connect(("127.0.0.1", port))
        for _ in range(MANY // len(points) + 1):
            sender.send(b"x")
        sender.close()
    net.wait_until(lambda: sum(c["held"] for c in t.h0.chains().values()) >= MANY, "held")
    t.h0.close()
    t.h1.close()
    t.hr.close()
    other.close()
    try:
        net.run("rmmod", net.KIND)
    finally:
        if not os.path.isdir(f"/sys/module/{net.KIND}"):
            net.run("insmod", path)
        t.h0, t.h1, t.hr = (hooks.Hooks(space) for space in (t.n0, t.n1, t.router))
    tap.equal(t.h0.chains(), {}, "chains")
    t.pair()
    t.ping()


tap.main(router.Router)
