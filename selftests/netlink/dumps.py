#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Dumps of a thousand ports: complete, in order, resumed over many messages, marked
when something changes meanwhile, and harmless when they are abandoned."""

import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import control  # noqa: E402
import net      # noqa: E402
import rtnl     # noqa: E402
import tap      # noqa: E402

# On a kernel with every check on, making ports takes ten times as long.
PAIRS = 500 if net.SLOW == 1 else 100


class Many(control.RawControl):
    """A thousand ports in the first namespace, for all cases."""

    def __enter__(self):
        super().__enter__()
        begin = time.monotonic()
        for number in range(PAIRS):
            self.n0.rtnl.add_pair(net.KIND, {"name": f"b{number}", "txq": 1, "rxq": 1},
                                  name=f"a{number}", txq=1, rxq=1)
        tap.note(f"{2 * PAIRS} ports made in {time.monotonic() - begin:.1f} s")
        return self

    def tidy(self):
        """Leave them for the next case."""


def numbers(found):
    return [int.from_bytes(port[1], "little") for port in found]


@tap.case("all ports once, by ascending number, over many messages")
def complete(t):
    begin = time.monotonic()
    found, whole = t.c0.dump(control.PORT_GET)
    took = time.monotonic() - begin
    want = sorted(link["index"] for link in t.n0.rtnl.links().values()
                  if link["kind"] == net.KIND)
    tap.equal(numbers(found), want, "numbers")
    tap.equal((len(found), whole), (2 * PAIRS, True), "size")
    tap.equal(len({port[2] for port in found}), 1, "generations")
    tap.note(f"{len(found)} ports in {took * 1000:.0f} ms")


@tap.case("wires, stages and channels too")
def others(t):
    found, whole = t.c0.dump(control.WIRE_GET)
    tap.equal((len(found), whole), (PAIRS, True), "wires")
    begin = time.monotonic()
    found, whole = t.c0.dump(control.STAGE_GET)
    tap.note(f"{len(found)} stages in {(time.monotonic() - begin) * 1000:.0f} ms")
    tap.equal((len(found), whole), (2 * PAIRS * len(control.STAGES), True), "stages")
    places = [(port, int.from_bytes(stage[2], "little"), int.from_bytes(stage[3], "little"))
              for port, stage in zip(numbers(found), found)]
    tap.equal(len(set(places)), len(places), "no stage twice")
    tap.equal(sorted(numbers(found)), numbers(found), "order")
    found, whole = t.c0.dump(control.CHANNEL_GET)
    tap.equal((found, whole), ([], True), "channels: all ports are down")


def interrupted(t, change):
    """Dumps in small parts, with a change after the first of them; what came, and
    whether it was marked."""
    family = control.Raw(t.n0, 8192)
    found, marked, first = [], False, True
    for flags, body in family.parts(control.PORT_GET):
        marked = marked or bool(flags & rtnl.NLM_F_DUMP_INTR)
        if body is not None:
            found.append(dict(rtnl.attrs(body[4:])))
        if first:
            first = False
            change()
    family.close()
    return numbers(found), marked


@tap.case("a change meanwhile is marked, and disturbs nothing else")
def marked(t):
    links = t.n0.rtnl.links()
    order = sorted((link["index"], name) for name, link in links.items()
                   if link["kind"] == net.KIND)
    everything = [index for index, _ in order]
    last, first = order[-1][1], order[0][1]
    mtu = links[last]["mtu"] + 1
    found, flag = interrupted(t, lambda: t.n0.rtnl.change(last, mtu=mtu))
    tap.equal((found, flag), (everything, True), "the last one changed")
    found, flag = interrupted(t, lambda: t.n0.rtnl.change(first, mtu=mtu))
    tap.equal((found, flag), (everything, True), "the first one changed")
    found, flag = interrupted(t, lambda: t.n0.rtnl.add_pair(
        net.KIND, {"name": "new1", "txq": 1, "rxq": 1}, name="new0", txq=1, rxq=1))
    tap.equal((found[:len(everything)], flag), (everything, True), "ports added")
    found, flag = interrupted(t, lambda: t.n0.rtnl.delete("new0"))
    tap.equal((found, flag), (everything, True), "ports deleted")
    found, flag = interrupted(t, lambda: t.n0.rtnl.change(last, ns=t.n1.fd))
    tap.equal((found, flag), (everything[:-1], True), "a port moved")
    t.n1.rtnl.change(last, ns=t.n0.fd)
    found, flag = interrupted(t, lambda: None)
    tap.equal((sorted(found), flag), (sorted(numbers(t.c0.dump(control.PORT_GET)[0])), False),
              "nothing changed")


@tap.case("while ports come, go and move: in order, none twice, none missing")
def churn(t):
    stop, trouble, turns = threading.Event(), [], [0, 0]

    def work(number):
        with t.n0:
            link = rtnl.Rtnl()
        with t.n1:
            far = rtnl.Rtnl()
        try:
            while not stop.is_set():
                turns[number] += 1
                a, b = f"x{number}", f"y{number}"
                link.add_pair(net.KIND, {"name": b, "txq": 1, "rxq": 1}, name=a, txq=1, rxq=1)
                link.change(a, up=True)
                link.change(b, ns=t.n1.fd)
                far.change(b, ns=t.n0.fd)
                link.delete(a)
        except OSError as error:
            trouble.append(error)
        finally:
            link.close()
            far.close()

    stay = set(numbers(t.c0.dump(control.PORT_GET)[0]))
    threads = [threading.Thread(target=work, args=(number,)) for number in (0, 1)]
    for thread in threads:
        thread.start()
    interruptions = 0
    try:
        for turn in range(20):
            command = (control.PORT_GET, control.CHANNEL_GET, control.WIRE_GET,
                       control.STAGE_GET)[turn % 4]
            found, whole = t.c0.dump(command)
            interruptions += not whole
            if command == control.PORT_GET:
                ports = numbers(found)
                tap.equal(ports, sorted(set(ports)), "order")
                tap.equal(stay - set(ports), set(), "missing")
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    tap.equal(trouble, [], "trouble")
    tap.note(f"{interruptions} of 20 dumps interrupted, {sum(turns)} turns of changes")


@tap.case("a dump is answered while RTNL is held by others")
def without_rtnl(t):
    """The ports of a group are deleted in one go under RTNL.  They fit into one message of a
    dump, which shows the ports at one moment: some gone, some there is one in between."""
    group, pairs = rtnl.attr(rtnl.IFLA_GROUP, 7), 40

    def delete():
        with t.n1:
            link = rtnl.Rtnl()
        link.request(rtnl.RTM_DELLINK, 0, rtnl.ifinfo() + group)
        link.close()

    # On a busy machine the deletion may be over before there is a dump.
    end, turn = time.monotonic() + net.PATIENCE, 0
    while turn < 10 or time.monotonic() < end:
        turn += 1
        for number in range(pairs):
            t.n1.rtnl.add_pair(net.KIND, {"name": f"y{number}", "txq": 1, "rxq": 1, "extra": [group]},
                               name=f"x{number}", txq=1, rxq=1, extra=[group])
        thread, seen = threading.Thread(target=delete), set()
        tap.equal(len(t.c1.dump(control.PORT_GET)[0]), 2 * pairs, "ports")
        thread.start()
        while thread.is_alive():
            seen.add(len(t.c1.dump(control.PORT_GET)[0]))
        thread.join()
        between = seen - {0, 2 * pairs}
        if between:
            tap.note(f"turn {turn}: {len(between)} dumps in between")
            return
    raise AssertionError("no dump was answered before RTNL was free")


@tap.case("dumps that are abandoned")
def abandoned(t):
    for command in control.READS:
        for _ in range(5):
            family = control.Raw(t.n0)
            for _ in family.parts(command):
                break
            family.close()
    tap.equal(t.c0.dump(control.PORT_GET)[1], True, "and one that is not")


tap.main(Many)
