#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""One chain at all devices of a namespace: those that are there, come, are renamed,
move, and go, while packets pass and are held."""

import errno
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import hooks    # noqa: E402
import net      # noqa: E402
import tap      # noqa: E402
from control import CHAIN_ADD    # noqa: E402
from hooks import ANY, CHAIN, HOOKS, UDP, attribute, term     # noqa: E402

TO_PORT = (term("protocol", UDP), term("dport", 5000))


def places(h, name="all"):
    """At how many devices a chain is."""
    return h.chains()[name]["devices"]


def send(t, count):
    with hooks.Datagrams(t) as udp:
        udp.send(*[b"x"] * count)
        udp.receive(count)


@tap.case("devices that are there, both ways, told apart by their numbers")
def there(t):
    t.pair()
    t.n1.rtnl.change("lo", up=True)
    index = t.n1.rtnl.get("fe1")["index"]
    t.h1.chain("in", "ingress", dev=ANY)
    t.h1.chain("out", "egress", dev=ANY)
    rules = [t.h1.rule("in", *TO_PORT, term("iif", number)) for number in (index, 1)]
    out = t.h1.rule("out", term("protocol", UDP), term("oif", 1))
    tap.equal(t.h1.chains()["in"]["any_device"], True, "any device")
    tap.equal(places(t.h1, "in"), len(t.n1.rtnl.links()), "devices")
    send(t, 3)
    own = t.n1.socket(hooks.socket.AF_INET, hooks.socket.SOCK_DGRAM)
    own.sendto(b"y", ("127.0.0.1", 5000))
    net.wait_until(lambda: t.h1.get("in", rules[1])["packets"], "the packet of lo")
    tap.equal([t.h1.get("in", rule)["packets"] for rule in rules], [3, 1], "packets in")
    tap.equal(t.h1.get("out", out)["packets"], 1, "packets out")
    own.close()


@tap.case("devices that come, are renamed, move away and back, and go")
def come(t):
    t.h1.chain("all", "ingress", dev=ANY)
    rule = t.h1.rule("all", *TO_PORT)
    before = places(t.h1)
    t.pair()
    tap.equal(places(t.h1), before + 1, "a device has come")
    send(t, 2)
    t.n1.run("ip", "link", "set", "fe1", "down")
    t.n1.run("ip", "link", "set", "fe1", "name", "other")
    tap.equal(places(t.h1), before + 1, "renamed")
    t.n1.run("ip", "link", "set", "other", "name", "fe1")
    t.n1.run("ip", "link", "set", "fe1", "netns", t.n0.name)
    tap.equal(places(t.h1), before, "moved away")
    t.n0.run("ip", "link", "set", "fe1", "netns", t.n1.name)
    tap.equal(places(t.h1), before + 1, "moved back")
    tap.equal(t.h1.get("all", rule)["packets"], 2, "counters stay")
    t.n1.rtnl.delete("fe1")
    tap.equal(places(t.h1), before, "gone")
    t.pair()
    send(t, 1)
    tap.equal(t.h1.get("all", rule)["packets"], 3, "a new device")
    tap.equal(t.h1.chains()["all"]["missed"], 0, "missed")


@tap.case("packets that are held at a device that goes are dropped, the others go on")
def held(t):
    t.pair()
    t.n1.rtnl.change("lo", up=True)
    t.h1.chain("all", "ingress", dev=ANY)
    rule = t.h1.rule("all", *TO_PORT, action="delay", delay=60 * 10**9)
    with hooks.Datagrams(t) as udp:
        udp.send(b"wire")
        own = t.n1.socket(hooks.socket.AF_INET, hooks.socket.SOCK_DGRAM)
        own.sendto(b"own", ("127.0.0.1", 5000))
        net.wait_until(lambda: t.h1.chains()["all"]["held"] == 2, "two held")
        receiver = t.n1.socket(hooks.socket.AF_INET, hooks.socket.SOCK_DGRAM)
        udp.receiver.close()
        receiver.bind(("127.0.0.1", 5000))
        t.n1.rtnl.delete("fe1")
        tap.equal(t.h1.chains()["all"]["held"], 1, "held")
        t.h1.remove("all", rule)
        tap.equal(receiver.recv(100), b"own", "resumed")
        receiver.close()
        own.close()


@tap.case("a hundred devices: all of them, and the chain goes at once")
def many(t):
    count = 100 // net.SLOW or 2
    t.h1.chain("all", "egress", dev=ANY)
    before = places(t.h1)
    for number in range(count):
        t.n1.rtnl.add_link("dummy", name=f"d{number}")
    tap.equal(places(t.h1), before + count, "devices")
    t.h1.chain("again", "egress", dev=ANY, priority=1)
    tap.equal(places(t.h1, "again"), before + count, "devices of a chain that comes later")
    t.h1.delete("all")
    t.h1.delete("again")
    for number in range(count):
        t.n1.rtnl.delete(f"d{number}")


@tap.case("what makes no sense is refused")
def refused(t):
    t.pair()
    name, any_ = attribute(CHAIN, "name", "x"), attribute(CHAIN, "any_device", True)

    def hook(word):
        return attribute(CHAIN, "hook", HOOKS.index(word))
    index = attribute(CHAIN, "ifindex", t.n1.rtnl.get("fe1")["index"])
    for body in (name + hook("input") + any_, name + hook("ingress") + index + any_):
        t.h1.refused(errno.EINVAL, CHAIN_ADD, body, at=body.index(any_))
    tap.equal(t.h1.chains(), {}, "chains")


tap.main(hooks.Topology)
