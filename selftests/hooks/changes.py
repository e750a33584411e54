#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What is told of changes of chains and rules: what, when, in which order, and that a
client that listens knows what a dump would say."""

import contextlib
import errno
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import hooks    # noqa: E402
import rtnl     # noqa: E402
import tap      # noqa: E402
from control import RULE_ADD, RULE_DEL, TRANSACTION_BEGIN, TRANSACTION_COMMIT    # noqa: E402
from hooks import CHAIN, RULE, attribute, number, term     # noqa: E402

IN_CHAIN = rtnl.attr(number(CHAIN, "transaction"))
IN_RULE = rtnl.attr(number(RULE, "transaction"))


def rule(chain, *terms, **more):
    """The body of a rule that is added to a transaction."""
    return hooks.Hooks.words(chain, terms, "continue", **more) + IN_RULE


@contextlib.contextmanager
def transaction(h):
    h.send(TRANSACTION_BEGIN)
    yield
    h.send(TRANSACTION_COMMIT)


def one(events, what):
    """What has been told, which is one thing of that kind."""
    found = events.come()
    tap.equal([name for name, _ in found], [what], "told")
    return found[0][1]


@tap.case("each change is told after it has happened, with what a get says then")
def each(t):
    h = t.h1
    with hooks.Changes(h) as events:
        h.chain("in", "input", policy="drop", priority=-5)
        chain = one(events, "chain-add")
        tap.equal(chain, h.chains()["in"], "chain")
        h.policy("in", "accept")
        tap.equal(one(events, "chain-change"), h.chains()["in"], "policy")
        handle = h.rule("in", term("dport", 80), nth=3)
        tap.equal(one(events, "rule-add"), h.get("in", handle), "rule")
        h.replace("in", handle, term("dport", 81), action="drop")
        tap.equal(one(events, "rule-change"), h.get("in", handle), "replaced")
        h.reset("in", handle)
        tap.equal(one(events, "rule-change"), h.get("in", handle), "reset")
        last = h.get("in", handle)
        h.remove("in", handle)
        gone = one(events, "rule-del")
        tap.equal(gone.pop("generation"), last.pop("generation") + 1, "generation")
        tap.equal(gone, last, "removed")
        h.rule("in")
        events.come()
        h.reset("in")
        tap.equal([what for what, _ in events.come()], ["chain-change", "rule-change"], "all reset")
        last = h.chains()["in"]
        h.delete("in")
        gone = one(events, "chain-del")
        tap.equal(gone.pop("generation"), last.pop("generation") + 1, "generation")
        tap.equal(gone, last, "deleted")


@tap.case("a rule that goes is told of with all that it has counted")
def counted(t):
    t.pair()
    t.h1.chain("in", "input")
    handle = t.h1.rule("in", term("protocol", hooks.UDP))
    with hooks.Changes(t.h1) as events, hooks.Datagrams(t) as udp:
        udp.send(*[b"x"] * 5)
        udp.receive(5)
        t.h1.remove("in", handle)
        tap.equal(one(events, "rule-del")["packets"], 5, "packets")


@tap.case("a transaction: one generation, what went before what came, by position")
def ordered(t):
    h = t.h1
    h.chain("in", "input")
    first, second = h.rule("in", term("dport", 1)), h.rule("in", term("dport", 2))
    with hooks.Changes(h) as events:
        generation = h.chains()["in"]["generation"]
        with transaction(h):
            h.send(RULE_ADD, rule("in", term("dport", 3)))
            h.send(RULE_ADD, rule("in", term("dport", 4), position=0))
            h.send(RULE_DEL, attribute(RULE, "chain", "in") + attribute(RULE, "handle", first)
                   + IN_RULE)
            h.send(RULE_ADD, rule("in", term("dport", 5), before=second))
            # Comes and goes: of that nothing is told.
            h.send(RULE_ADD, rule("in", term("dport", 6)))
            h.send(RULE_DEL, attribute(RULE, "chain", "in") + attribute(RULE, "handle", 6)
                   + IN_RULE)
        found = events.come()
    tap.equal([(what, r["handle"], r["position"]) for what, r in found],
              [("rule-del", first, 0), ("rule-add", 4, 0), ("rule-add", 5, 1), ("rule-add", 3, 3)],
              "told")
    tap.equal({r["generation"] for _, r in found}, {generation + 1}, "generation")
    tap.equal([r["handle"] for r in h.rules("in")], [4, 5, second, 3], "rules")


@tap.case("of many rules at once one message tells")
def many(t):
    h = t.h1
    h.chain("in", "input")
    for count, want in ((64, ["rule-add"] * 64), (65, ["chain-rules"])):
        with hooks.Changes(h) as events:
            with transaction(h):
                for port in range(count):
                    h.send(RULE_ADD, rule("in", term("dport", port)))
            found = events.come()
            tap.equal([what for what, _ in found], want, f"{count} rules")
            h.remove("in")
            tap.equal([what for what, _ in events.come()],
                      [what.replace("add", "del") for what in want], f"{count} rules gone")
    tap.equal(found[0][1]["rules"], 65, "rules of the chain")


@tap.case("what is refused, and what another namespace does, is not told")
def silence(t):
    t.h1.chain("in", "input")
    with hooks.Changes(t.h1) as events:
        for wrong in (lambda: t.h1.chain("in", "input"), lambda: t.h1.remove("in", 7),
                      lambda: t.h1.rule("in", term("icmp_type", 8), term("dport", 1)),
                      lambda: t.h1.rule("nowhere")):
            try:
                wrong()
            except rtnl.NetlinkError:
                pass
            else:
                raise AssertionError("was taken")
        h = t.h1
        h.send(TRANSACTION_BEGIN)
        h.send(RULE_ADD, rule("in", term("dport", 1)))
        h.send(RULE_ADD, rule("in", position=5))
        try:
            h.send(TRANSACTION_COMMIT)
        except rtnl.NetlinkError as error:
            tap.equal(error.errno, errno.ERANGE, "error")
        t.h0.chain("other", "input")
        tap.equal(events.come(), [], "told")


@tap.case("a chain that goes with its device is told of")
def device(t):
    t.pair()
    t.h1.chain("wire", "ingress", dev="fe1")
    generation = t.h1.chains()["wire"]["generation"]
    with hooks.Changes(t.h1) as events:
        t.n1.rtnl.delete("fe1")
        gone = one(events, "chain-del")
    tap.equal((gone["name"], gone["generation"]), ("wire", generation + 1), "told")


class Mirror:
    """Chains and their rules, as one knows them who listens."""

    def __init__(self):
        self.chains, self.stale = {}, set()

    def take(self, what, said):
        if what in ("chain-add", "chain-change"):
            old = self.chains.get(said["name"], ({}, []))
            self.chains[said["name"]] = said, old[1] if what == "chain-change" else []
        elif what == "chain-del":
            del self.chains[said["name"]]
            self.stale.discard(said["name"])
        elif what == "chain-rules":
            self.stale.add(said["name"])
        elif said["chain"] not in self.stale:
            rules = self.chains[said["chain"]][1]
            if what == "rule-add":
                rules.insert(said["position"], said)
            else:
                place, = [n for n, r in enumerate(rules) if r["handle"] == said["handle"]]
                rules[place:place + 1] = [said] if what == "rule-change" else []

    def picture(self, h):
        """As a dump has it, without what moves by itself."""
        for name in self.stale:
            self.chains[name][1][:] = h.rules(name)
        self.stale.clear()
        return {name: (chain["policy"], [(r["handle"], r.get("term")) for r in rules])
                for name, (chain, rules) in self.chains.items()}


@tap.case("a client that applies what it is told knows what a dump says")
def mirror(t):
    h, draw, known = t.h1, random.Random(7), Mirror()
    names = ["a", "b", "c"]
    with hooks.Changes(h) as events:
        for step in range(300):
            name = draw.choice(names)
            handles = [r["handle"] for r in h.rules() if r["chain"] == name] or [1]
            with contextlib.suppress(rtnl.NetlinkError):
                match draw.randrange(8):
                    case 0:
                        h.chain(name, draw.choice(["input", "output"]))
                    case 1 if step % 5 == 0:
                        h.delete(name)
                    case 2:
                        h.policy(name, draw.choice(["accept", "drop"]))
                    case 3:
                        h.remove(name, draw.choice(handles))
                    case 4:
                        h.replace(name, draw.choice(handles), term("dport", step))
                    case 5:
                        with transaction(h):
                            for n in range(draw.choice([3, 10, 70])):
                                h.send(RULE_ADD, rule(name, term("dport", n), position=n // 2))
                    case 6 if step % 3 == 0:
                        h.remove(name)
                    case _:
                        h.rule(name, term("sport", step), position=0)
            for what, said in events.come():
                known.take(what, said)
            dumped = {chain: (about["policy"], []) for chain, about in h.chains().items()}
            for r in h.rules():
                dumped[r["chain"]][1].append((r["handle"], r.get("term")))
            tap.equal(known.picture(h), dumped, f"after step {step}")


tap.main(hooks.Topology)
