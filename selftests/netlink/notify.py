#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Notifications: every change, whoever made it, in order, once; and the contract:
subscribe, dump, apply what is newer, dump again when messages were lost."""

import errno
import os
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import control  # noqa: E402
import ethnl    # noqa: E402
import net      # noqa: E402
import rtnl     # noqa: E402
import tap      # noqa: E402


def bare(port):
    return {key: value for key, value in port.items() if key != "generation"}


def in_order(events):
    """Generations must follow each other without a gap."""
    generations = [port["generation"] for _, port in events]
    if generations:
        want = list(range(generations[0], generations[0] + len(generations)))
        tap.equal(generations, want, "generations")


def apply(ports, events, generation):
    """What a client does with notifications."""
    for what, port in events:
        if port["generation"] <= generation:
            continue
        if what == "del":
            ports.pop(port["ifindex"], None)
        else:
            ports[port["ifindex"]] = port
    return ports


def same(known, family):
    """What a client knows must be what a dump says."""
    tap.equal({i: bare(p) for i, p in known.items()},
              {i: bare(p) for i, p in family.ports().items()}, "ports")


@tap.case("making a pair: one notification in each namespace, with what port-get says")
def add(t):
    with control.Events(t.c0) as one, control.Events(t.c1) as other:
        t.pair(up=False)
        for events, family in ((one, t.c0), (other, t.c1)):
            come = events.come()
            tap.equal([what for what, _ in come], ["add"], "what")
            tap.equal(come[0][1], next(iter(family.ports().values())), "attributes")


@tap.case("deleting it: the last that is told of a port, with all its attributes")
def delete(t):
    t.pair()
    before = t.c1.ports()
    with control.Events(t.c0) as one, control.Events(t.c1) as other:
        t.n0.rtnl.delete("fe0")
        for events in (one, other):
            come = events.come()
            tap.equal([what for what, _ in come].count("del"), 1, "del")
            tap.equal(come[-1][0], "del", "the last")
            in_order(come)
        tap.equal(come[-1][1]["name"], "fe1", "name")
        tap.equal(come[-1][1]["wire"], next(iter(before.values()))["wire"], "wire")


@tap.case("each change by ip, ethtool, the family and the other end")
def changes(t):
    t.pair(up=False)
    tools = [ethnl.Ethtool(ns, name) for ns, name in ((t.n0, "fe0"), (t.n1, "fe1"))]
    index = t.n0.rtnl.get("fe0")["index"]
    attr = rtnl.attr

    def set_limit():
        t.c0.send(control.PORT_SET, attr(1, index) + attr(16, 33))

    steps = (
        ("up", lambda: t.n0.rtnl.change("fe0", up=True), {"up": True}),
        ("the other end up", lambda: t.n1.rtnl.change("fe1", up=True), {"carrier": True}),
        ("mtu", lambda: t.n0.rtnl.change("fe0", mtu=3000), {"mtu": 3000}),
        ("rings", lambda: tools[0].set(ethnl.RINGS, rx=128, tx=256),
         {"rx-ring": 128, "tx-ring": 256}),
        ("channels", lambda: tools[0].set(ethnl.CHANNELS, combined=2), {"channels": 2}),
        ("pause limit", set_limit, {"pause-limit": 33}),
        ("the other end down", lambda: t.n1.rtnl.change("fe1", up=False), {"carrier": None}),
        ("down", lambda: t.n0.rtnl.change("fe0", up=False), {"up": None}),
        ("rings while down", lambda: tools[0].set(ethnl.RINGS, rx=512), {"rx-ring": 512}),
        ("name", lambda: t.n0.rtnl.change("fe0", name="fe7"), {"name": "fe7"}),
    )
    with control.Events(t.c0) as events:
        known = t.c0.ports()[index]
        for what, change, want in steps:
            change()
            come = events.come()
            tap.equal([kind for kind, _ in come], ["change"], what)
            in_order(come)
            port = come[0][1]
            differs = {key: port.get(key) for key in {*known, *port} - {"generation"}
                       if known.get(key) != port.get(key)}
            tap.equal(differs, want, what)
            tap.equal(port["generation"], known["generation"] + 1, f"{what}: generation")
            tap.equal(t.c0.ports()[index], port, f"{what}: port-get")
            known = port
    for tool in tools:
        tool.close()


@tap.case("nothing is told that does not change what is told")
def silence(t):
    t.pair()
    index = t.n0.rtnl.get("fe0")["index"]
    with control.Events(t.c0) as events:
        t.n0.rtnl.change("fe0", address="02:fe:00:00:00:09", txq=None)
        t.n0.rtnl.change("fe0", up=True)
        t.n0.rtnl.change("fe0", mtu=1500)
        t.c0.send(control.PORT_SET, rtnl.attr(1, index) + rtnl.attr(16, 100))
        t.c0.send(control.STATS_RESET, rtnl.attr(1, index))
        t.ping()
        tap.equal(events.come(), [], "notifications")


@tap.case("moving a port: gone here, there elsewhere, and the other end is told where")
def move(t):
    t.n0.rtnl.add_pair(net.KIND, {"name": "b"}, name="a")
    with control.Events(t.c0) as here, control.Events(t.c1) as there:
        t.n0.rtnl.change("b", ns=t.n1.fd)
        come = here.come()
        tap.equal([(what, port["name"]) for what, port in come], [("del", "b"), ("change", "a")],
                  "the old namespace")
        in_order(come)
        moved = there.come()
        tap.equal([(what, port["name"]) for what, port in moved], [("add", "b")],
                  "the new namespace")
        tap.equal(come[1][1]["peer-ifindex"], moved[0][1]["ifindex"], "where the peer is")
        tap.equal("peer-netnsid" in come[1][1], True, "and in which namespace")
        t.n1.rtnl.change("b", ns=t.n0.fd)
        come = here.come()
        tap.equal([(what, port["name"]) for what, port in come], [("add", "b"), ("change", "a")],
                  "and back")
        tap.equal("peer-netnsid" in come[1][1], False, "the same namespace")
    same(t.c0.ports(), t.c0)


@tap.case("what a user set goes along when a port moves")
def move_settings(t):
    t.pair()
    index = t.n0.rtnl.get("fe0")["index"]
    t.c0.send(control.PORT_SET, rtnl.attr(1, index) + rtnl.attr(16, 42))
    tool = ethnl.Ethtool(t.n0, "fe0")
    tool.set(ethnl.RINGS, rx=128)
    tool.close()
    t.n0.rtnl.change("fe0", ns=t.n1.fd)
    port = next(port for port in t.c1.ports().values() if port["name"] == "fe0")
    tap.equal((port["pause-limit"], port["rx-ring"]), (42, 128), "settings")


@tap.case("a namespace hears of its own ports only")
def apart(t):
    with control.Events(t.c1) as events:
        t.n0.rtnl.add_pair(net.KIND, {"name": "b"}, name="a")
        t.n0.rtnl.change("a", mtu=2000)
        t.n0.rtnl.delete("a")
        tap.equal(events.come(), [], "notifications")


@tap.case("a namespace that dies: the other end's goes too, and is told")
def dies(t):
    gone = net.Namespace("gone")
    try:
        net.make_pair(t.n0, {"name": "fe0"}, {"name": "fe1", "ns": gone.fd})
        with control.Events(t.c0) as events:
            gone.close()
            events.until(lambda what, port: what == "del" and port["name"] == "fe0", "del")
    finally:
        gone.close()


@tap.case("the contract: a client that joins amidst changes knows what a dump says")
def contract(t):
    """Four threads make, change, move and delete ports while clients join."""
    stop = threading.Event()
    trouble = []

    def churn(number):
        with t.n0:
            link = rtnl.Rtnl()
        with t.n1:
            far = rtnl.Rtnl()
        turn = 0
        try:
            while not stop.is_set():
                turn += 1
                a, b = f"a{number}", f"b{number}"
                link.add_pair(net.KIND, {"name": b, "txq": 1, "rxq": 1}, name=a, txq=1, rxq=1)
                link.change(a, mtu=1400 + turn % 50)
                link.change(b, up=True)
                link.change(a, up=True)
                link.change(b, ns=t.n1.fd)
                if turn % 2:
                    far.change(b, ns=t.n0.fd)
                link.delete(a)
        except OSError as error:
            trouble.append(error)
        finally:
            link.close()
            far.close()

    threads = [threading.Thread(target=churn, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    clients = []
    try:
        for _ in range(6):
            events = control.Events(t.c0)
            generation = 0
            ports, whole = [], False
            while not whole:
                ports, whole = [], True
                for flags, body in t.c0.parts(control.PORT_GET):
                    whole = whole and not flags & rtnl.NLM_F_DUMP_INTR
                    if body is not None:
                        ports.append(control.picture(body[4:]))
            generation = max((port["generation"] for port in ports), default=0)
            clients.append((events, {p["ifindex"]: p for p in ports}, generation, []))
            for one, _, _, come in clients:
                come += one.come()
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    tap.equal(trouble, [], "trouble")
    count = 0
    for events, ports, generation, come in clients:
        come += events.come()
        in_order(come)
        count += len(come)
        same(apply(ports, come, generation), t.c0)
        events.socket.close()
    tap.note(f"{count} notifications to {len(clients)} clients")


@tap.case("lost messages are announced (ENOBUFS), and a dump makes up for them")
def lost(t):
    t.pair()
    index = t.n0.rtnl.get("fe0")["index"]
    with control.Events(t.c0, buffer=2048) as events:
        for limit in range(1, 200):
            t.c0.send(control.PORT_SET, rtnl.attr(1, index) + rtnl.attr(16, limit))
        come = []
        try:
            for _ in range(400):
                come += events.come()
            raise AssertionError("nothing was lost")
        except OSError as error:
            tap.equal(error.errno, errno.ENOBUFS, "error")
        come = events.come()
        known = t.c0.ports()
        tap.equal(known[index]["pause-limit"], 199, "limit")
        generation = known[index]["generation"]
        t.c0.send(control.PORT_SET, rtnl.attr(1, index) + rtnl.attr(16, 500))
        come += events.come()
        same(apply(known, come, generation), t.c0)
        tap.equal(known[index]["pause-limit"], 500, "limit applied")


tap.main(control.RawControl)
