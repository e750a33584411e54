#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Pairs come and go: every order of making, moving, renaming and deleting,
from either end and with the namespaces themselves."""

import contextlib
import errno
import functools
import itertools
import os
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import net      # noqa: E402
import rtnl     # noqa: E402
import tap      # noqa: E402


def together(functions):
    """Runs the functions at the same time and waits for all."""
    threads = [threading.Thread(target=function) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class Ends:
    """A pair whose ends wander; knows where each is and what it is called."""

    def __init__(self, topology, up=False):
        self.t = topology
        self.where = [topology.n0, topology.n0]
        self.name = ["fa0", "fa1"]
        net.make_pair(topology.n0, {"name": "fa0"}, {"name": "fa1"})
        if up:
            for end in (0, 1):
                self.where[end].rtnl.change(self.name[end], up=True)

    def step(self, what, end):
        namespace, name = self.where[end], self.name[end]
        if what == "move":
            target = self.t.n1 if namespace is self.t.n0 else self.t.n0
            namespace.rtnl.change(name, ns=target.fd)
            self.where[end] = target
        elif what == "rename":
            namespace.rtnl.change(name, name=name + "x")
            self.name[end] += "x"
        elif what == "up":
            namespace.rtnl.change(name, up=True)
        else:
            namespace.rtnl.delete(name)

    def check(self):
        for end in (0, 1):
            link = self.where[end].rtnl.get(self.name[end])
            tap.equal(link["kind"], net.KIND, f"kind of {self.name[end]}")

    def gone(self):
        for end in (0, 1):
            if self.where[end].rtnl.exists(self.name[end]):
                raise AssertionError(f"{self.name[end]} is still there")


@tap.case("a port is a device of its own: kind, state, no lower link")
def fresh(t):
    for link in t.pair(up=False):
        tap.equal((link["kind"], link["up"], link["carrier"]), (net.KIND, False, False),
                  f"kind, up, carrier of {link['name']}")
        # A NIC stands on nothing; ip would show a name with an @.
        tap.equal(link.get("link"), None, f"lower link of {link['name']}")


@tap.case("a pair made without names gets two")
def default_names(t):
    before = set(t.n0.rtnl.links())
    net.make_pair(t.n0, {}, None)
    made = sorted(set(t.n0.rtnl.links()) - before)
    tap.equal(len(made), 2, f"links made ({made})")
    t.n0.rtnl.delete(made[0])
    tap.equal(set(t.n0.rtnl.links()), before, "links afterwards")


@tap.case("a name pattern is numbered, and both ends may use it")
def pattern(t):
    net.make_pair(t.n0, {"name": "fp%d"}, {"name": "fp%d"})
    links = t.n0.rtnl.links()
    tap.equal({name for name in links if name.startswith("fp")}, {"fp0", "fp1"}, "names")
    t.n0.rtnl.delete("fp1")


@tap.case("deleting either end removes both")
def delete_either(t):
    for end in (0, 1):
        ends = Ends(t)
        ends.check()
        ends.step("delete", end)
        ends.gone()


@tap.case("every order of moving and renaming both ends, then deleting each in turn")
def orders(t):
    steps = [("move", 0), ("move", 1), ("rename", 0), ("rename", 1)]
    for number, order in enumerate(list(itertools.permutations(steps))[::net.SLOW]):
        ends = Ends(t)
        for step in order:
            ends.step(*step)
        ends.check()
        ends.step("delete", number % 2)
        ends.gone()


@tap.case("the same with both ends up and the last one taken down with the pair")
def orders_up(t):
    steps = [("up", 0), ("up", 1), ("rename", 0), ("move", 1)]
    for number, order in enumerate(list(itertools.permutations(steps))[::net.SLOW]):
        if order.index(("up", 1)) > order.index(("move", 1)) or number % 3 == 0:
            ends = Ends(t)
            for step in order:
                ends.step(*step)
            ends.check()
            ends.step("delete", number % 2)
            ends.gone()


@tap.case("an end moves back and forth while up at the other end")
def back_and_forth(t):
    ends = Ends(t, up=True)
    for _ in range(4):
        ends.step("move", 1)
        ends.step("up", 1)
    ends.check()
    ends.step("delete", 1)
    ends.gone()


@tap.case("a namespace takes its end with it, and the peer follows")
def namespace_gone(t):
    for mover in (0, 1):
        with contextlib.closing(net.Namespace("third")) as third:
            ends = Ends(t, up=True)
            t.n0.rtnl.change(ends.name[mover], ns=third.fd)
            third.rtnl.change(ends.name[mover], up=True)
            with net.Monitor(t.n0) as monitor:
                third.close()
                monitor.wait(ends.name[1 - mover], lambda link: link is None, "gone")


@tap.case("both namespaces deleted at the same time")
def both_namespaces(t):
    for _ in range(4):
        a, b = net.Namespace("a"), net.Namespace("b")
        try:
            net.make_pair(a, {"name": "fa0"}, {"name": "fa1", "ns": b.fd})
            a.rtnl.change("fa0", up=True)
            b.rtnl.change("fa1", up=True)
        finally:
            together([a.close, b.close])


@tap.case("a pair made from a third namespace into two others")
def from_third(t):
    with contextlib.closing(net.Namespace("third")) as third:
        net.make_pair(third, {"name": "fa0", "ns": t.n0.fd}, {"name": "fa1", "ns": t.n1.fd})
        tap.equal((t.n0.rtnl.exists("fa0"), t.n1.rtnl.exists("fa1")), (True, True), "made")
    t.n0.rtnl.change("fa0", up=True)
    t.n1.rtnl.change("fa1", up=True)
    t.n1.rtnl.delete("fa1")
    tap.equal(t.n0.rtnl.exists("fa0"), False, "fa0 afterwards")


@tap.case("both ends deleted at the same time, from both namespaces")
def race_delete(t):
    """One of the two finds its end gone already; nothing else may happen."""
    for _ in range(net.rounds(10)):
        net.make_pair(t.n0, {"name": "fa0"}, {"name": "fa1", "ns": t.n1.fd})
        errors = []

        def delete(namespace, name):
            with namespace:
                own = rtnl.Rtnl()
            try:
                own.delete(name)
            except rtnl.NetlinkError as error:
                errors.append(error.errno)
            finally:
                own.close()

        together([lambda: delete(t.n0, "fa0"), lambda: delete(t.n1, "fa1")])
        if any(error != errno.ENODEV for error in errors) or len(errors) > 1:
            raise AssertionError(f"errors {errors}")
        tap.equal((t.n0.rtnl.exists("fa0"), t.n1.rtnl.exists("fa1")), (False, False), "left")


@tap.case("several threads make, move, rename and delete pairs of their own at once")
def concurrent(t):
    problems = []

    def work(number):
        try:
            for namespace in (t.n0, t.n1):
                with namespace:
                    opened.append((number, rtnl.Rtnl()))
            first, second = [link for who, link in opened if who == number]
            for turn in range(net.rounds(8)):
                a, b = f"c{number}a", f"c{number}b"
                first.add_pair(net.KIND, {"name": b}, name=a)
                first.change(a, up=True)
                first.change(b, ns=t.n1.fd)
                second.change(b, up=True)
                second.change(b, name=b + "x")
                (first.delete(a) if turn % 2 else second.delete(b + "x"))
                if first.exists(a) or second.exists(b + "x"):
                    problems.append(f"{a} is still there")
        except Exception as error:      # reported by the case, below
            problems.append(repr(error))

    opened = []
    together([functools.partial(work, number) for number in range(3)])
    for _, link in opened:
        link.close()
    tap.equal(problems, [], "problems")


tap.main(net.Topology)
