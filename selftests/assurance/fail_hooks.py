#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Every allocation fails once, of chains and rules: for each operation the 1st, the
2nd, ... that the module makes for it, until none does.  Each time the request is
refused for want of memory and all is as it was, or it does without.  Then the same
for packets that rules copy, change and hold: they may be lost, and nothing else."""

# selftest-timeout: 300

import contextlib
import errno
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import faults   # noqa: E402
import hooks    # noqa: E402
import net      # noqa: E402
import rtnl     # noqa: E402
import tap      # noqa: E402
from control import (CHAIN_ADD, RULE_ADD, RULE_DEL, TRANSACTION_ABORT, TRANSACTION_BEGIN,
                     TRANSACTION_COMMIT)  # noqa: E402
from hooks import CHAIN, RULE, UDP, attribute, number, term     # noqa: E402

PLACES = (("input", None), ("output", None), ("ingress", "fe0"), ("egress", "fe0"))
TO_PORT = (term("protocol", UDP), term("dport", 5000))
ACTIONS = {"set-mark": {"mark": 5}, "set-dscp": {"dscp": 46}, "set-ecn": {"ecn": 1},
           "corrupt": {"bits": 4, "offset": 42}, "truncate": {"length": 70},
           "sample": {"snap": 200}, "duplicate": {"copies": 3}, "delay": {"delay": 10**6},
           "reorder": {"gap": 1, "timeout": 10**7}}


class Faulty(faults.Topology, hooks.Topology):
    """Chains in two namespaces, and allocations of the module that can fail."""

    def picture(self):
        return self.h0.chains(), self.h0.rules()

    def sweep(self, what, act, undo):
        """Sweeps over an operation: all is as before, or as it is without failures."""
        act()
        new = self.shape()
        undo()
        old = [self.picture()]

        def back():
            undo()
            old[0] = self.picture()

        tried = self.fault.sweep(
            what, act, undo=back,
            refused=lambda: tap.equal(self.picture(), old[0], "chains and rules"),
            done=lambda: tap.equal(self.shape(), new, "chains and rules"))
        undo()
        if not tried:
            raise AssertionError(f"{what} allocates nothing: does the filter fit?")

    def shape(self):
        """The same without what counts on."""
        def plain(found):
            return {key: value for key, value in found.items() if key not in
                    ("generation", "handle")}

        chains, rules = self.picture()
        return {name: plain(chain) for name, chain in chains.items()}, [plain(r) for r in rules]


@tap.case("chains, at a namespace's hooks and at a device")
def chains(t):
    t.pair(up=False)
    for hook, dev in PLACES:
        t.sweep(f"adding a chain at {hook}", lambda h=hook, d=dev: t.h0.chain("x", h, dev=d),
                lambda: t.h0.delete("x"))
    t.h0.chain("y", "input")
    t.h0.rule("y", *TO_PORT)
    t.sweep("a policy", lambda: t.h0.policy("y", "drop"), lambda: t.h0.policy("y", "accept"))
    t.fault.sweep("deleting a chain", lambda: t.h0.delete("y"), prepare=lambda: again(t),
                  refused=lambda: tap.equal(list(t.h0.chains()), ["y"], "chains"),
                  done=lambda: tap.equal(list(t.h0.chains()), [], "chains"))


def again(t):
    if "y" not in t.h0.chains():
        t.h0.chain("y", "input")
        t.h0.rule("y", *TO_PORT)


@tap.case("rules: added, replaced, removed, reset")
def rules(t):
    t.h0.chain("x", "output")
    handles = [t.h0.rule("x", term("protocol", UDP), term("dport", port)) for port in range(40)]

    def last():
        return t.h0.rules("x")[-1]["handle"]

    # What a rule does makes no difference to what is allocated.
    for action in ("set-mark", "delay"):
        t.sweep(f"a rule that does {action}",
                lambda a=action: t.h0.rule("x", *TO_PORT, action=a, **ACTIONS[a]),
                lambda: t.h0.remove("x", last()))
    t.sweep("another rule instead",
            lambda: t.h0.replace("x", handles[3], term("saddr4", 1, 9), action="drop"),
            lambda: t.h0.replace("x", handles[3], term("protocol", UDP), term("dport", 3)))

    def prepare():
        if len(t.h0.rules("x")) < 41:
            t.h0.rule("x", *TO_PORT, action="drop")

    def count(wanted):
        return lambda: tap.equal(len(t.h0.rules("x")), wanted, "rules")

    t.fault.sweep("removing a rule", lambda: t.h0.remove("x", last()), prepare=prepare,
                  refused=count(41), done=count(40))
    t.fault.sweep("reset", lambda: t.h0.reset("x"), refused=count(40), done=count(40))
    for what, act in {"chain-get": t.h0.chains, "rule-get": lambda: t.h0.get("x", handles[0]),
                      "dump of rules": t.h0.rules}.items():
        t.fault.sweep(what, act, refused=count(40), done=count(40))


@tap.case("a ruleset that is replaced in a transaction")
def transaction(t):
    t.pair(up=False)
    t.h0.chain("x", "input")
    old = [(term("protocol", UDP), term("dport", port)) for port in range(20)]
    new = [(term("protocol", UDP), term("sport", port)) for port in range(30)]
    for terms in old:
        t.h0.rule("x", *terms)
    index = t.n0.rtnl.get("fe0")["index"]
    in_rule = rtnl.attr(number(RULE, "transaction"))
    in_chain = rtnl.attr(number(CHAIN, "transaction"))

    def replace(rules_, *others):
        try:
            t.h0.send(TRANSACTION_BEGIN)
            t.h0.send(RULE_DEL, attribute(RULE, "chain", "x") + in_rule)
            for terms in rules_:
                t.h0.send(RULE_ADD, hooks.Hooks.words("x", terms, "drop") + in_rule)
            for command, body in others:
                t.h0.send(command, body + in_chain)
            t.h0.send(TRANSACTION_COMMIT)
        except OSError:
            # A commit that fails ends it; before that it is open.
            with contextlib.suppress(OSError):
                t.h0.send(TRANSACTION_ABORT)
            raise

    at_device = attribute(CHAIN, "name", "dev") + attribute(CHAIN, "ifindex", index) + \
        attribute(CHAIN, "hook", hooks.HOOKS.index("ingress"))

    def back():
        t.h0.delete("dev")
        replace(old)

    t.sweep("a transaction", lambda: replace(new, (CHAIN_ADD, at_device)), back)


@tap.case("packets that rules change, copy and hold: each failure loses at most the packet")
def packets(t):
    t.pair(only4=True)
    failed = 0
    for hook, dev in (("output", None), ("postrouting", None), ("egress", "fe0")):
        for action, options in ACTIONS.items():
            t.h0.chain("x", hook, dev=dev)
            t.h0.rule("x", *TO_PORT, action=action, notify=60, **options)
            with hooks.Datagrams(t) as udp, hooks.Events(t.h0) as events:
                turn = 0
                while not turn or t.fault.hit:
                    turn += 1
                    try:
                        t.fault.call(turn, lambda u=udp: u.send(bytes(200)))
                    except OSError as error:
                        if error.errno not in (*faults.ERRORS, errno.EPERM):
                            raise
                failed += turn - 1
                t.h0.clear()
                # What was held went on when its chain went; this one goes by itself.
                udp.send(b"and now")
                while udp.receiver.recv(1 << 16) != b"and now":
                    pass
                with contextlib.suppress(OSError):
                    events.come()
    tap.note(f"{failed} allocations failed")
    tap.equal(failed > 0, True, "allocations failed")
    t.ping()


tap.main(Faulty)
