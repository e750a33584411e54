#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Changes of chains and rules in transactions: a ruleset is replaced as a whole or
not at all, together with what else the transaction holds, and no packet sees half."""

import errno
import os
import random
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import genl     # noqa: E402
import hooks    # noqa: E402
import net      # noqa: E402
import rtnl     # noqa: E402
import tap      # noqa: E402
from control import (CHAIN_ADD, CHAIN_DEL, CHAIN_SET, RULE_ADD, RULE_DEL, RULE_REPLACE,
                     TRANSACTION_ADD, TRANSACTION_BEGIN, TRANSACTION_COMMIT)  # noqa: E402
from hooks import CHAIN, RULE, TERM, UDP, attribute, number, term     # noqa: E402
from rtnl import attr  # noqa: E402

IN_CHAIN = attr(number(CHAIN, "transaction"))
IN_RULE = attr(number(RULE, "transaction"))
RULES = 100000 // net.SLOW
# What changes of one transaction may cost, and what is said of more.
STEPS = 1 << 28
TOO_FAR = "Changes too far apart in so many rules: split the transaction"


def rule(chain, *terms, action="continue", **more):
    """The body of a rule that is added to a transaction."""
    return hooks.Hooks.words(chain, terms, action, **more) + IN_RULE


def flush(chain):
    return attribute(RULE, "chain", chain) + IN_RULE


def chain(name, hook, index=None):
    body = attribute(CHAIN, "name", name) + attribute(CHAIN, "hook", hooks.HOOKS.index(hook))
    return body + (attribute(CHAIN, "ifindex", index) if index else b"") + IN_CHAIN


def refused(h, error, text, messages):
    """Begins, adds, and must not be able to commit."""
    h.send(TRANSACTION_BEGIN)
    for command, body in messages:
        tap.equal(h.send(command, body), [], "answers before the commit")
    try:
        h.send(TRANSACTION_COMMIT)
    except rtnl.NetlinkError as said:
        tap.equal((errno.errorcode[said.errno], said.text), (errno.errorcode[error], text), "error")
    else:
        raise AssertionError(f"committed, and should have been refused: {text}")


@tap.case("chains and rules of one transaction are there at once, and not before")
def together(t):
    t.h1.chain("old", "input")
    t.h1.rule("old", term("dport", 1))
    t.h1.send(TRANSACTION_BEGIN)
    t.h1.send(CHAIN_ADD, chain("new", "input"))
    for port in range(1, 6):
        t.h1.send(RULE_ADD, rule("new", term("dport", port)))
    t.h1.send(RULE_ADD, rule("old", term("dport", 2), position=0))
    t.h1.send(CHAIN_SET, attribute(CHAIN, "name", "old") + attribute(CHAIN, "policy", 1) + IN_CHAIN)
    tap.equal({name: one["rules"] for name, one in t.h1.chains().items()}, {"old": 1}, "before")
    generation = t.h1.chains()["old"]["generation"]
    t.h1.send(TRANSACTION_COMMIT)
    after = t.h1.chains()
    tap.equal({name: one["rules"] for name, one in after.items()}, {"old": 2, "new": 5}, "after")
    tap.equal((after["old"]["policy"], after["old"]["generation"]), (1, generation + 1), "chain")
    t.h1.send(TRANSACTION_BEGIN)
    t.h1.send(CHAIN_DEL, attribute(CHAIN, "name", "old") + IN_CHAIN)
    t.h1.send(RULE_DEL, flush("new"))
    t.h1.send(TRANSACTION_COMMIT)
    tap.equal({name: one["rules"] for name, one in t.h1.chains().items()}, {"new": 0}, "deleted")


@tap.case("one change that cannot be made: none is, of no kind")
def none(t):
    t.pair(up=False)
    index = t.n0.rtnl.get("fe0")["index"]
    t.h0.chain("one", "input")
    before = t.h0.chains(), t.h0.rules(), t.h0.ports()
    limit = (TRANSACTION_ADD, attr(2, [attr(1, index), attr(16, 5)]))
    wire = (TRANSACTION_ADD, attr(3, [attr(1, t.h0.ports()[index]["wire"]), attr(3, 1)]))
    good = (RULE_ADD, rule("one", term("dport", 5000)))
    for error, text, messages in (
            (errno.ENOENT, "rule 2: There is no chain of that name",
             (good, (RULE_ADD, rule("two", term("dport", 1))), limit)),
            (errno.ENOENT, "rule 2: The chain has no rule of that handle",
             (good, (RULE_REPLACE, rule("one", handle=77)))),
            (errno.EEXIST, "chain 3: There is a chain of that name already",
             (good, limit, good, (CHAIN_ADD, chain("one", "output")))),
            (errno.ENODEV, "port 2: No ferronic port of this namespace",
             (good, limit, (TRANSACTION_ADD, attr(2, [attr(1, 77777)])))),
            (errno.ENOENT, "wire 2: No wire with a port in this namespace",
             (wire, good, (TRANSACTION_ADD, attr(3, [attr(1, 0xFFFFFF)])))),
            (errno.ENODEV, "chain 1: No such device, or it is going",
             ((CHAIN_ADD, chain("dev", "ingress", 77777)), wire, good))):
        refused(t.h0, error, text, messages)
        tap.equal((t.h0.chains(), t.h0.rules(), t.h0.ports()), before, text)


def port_of(shown):
    """The value of a rule's only term."""
    return genl.number(dict(rtnl.attrs(shown["term"][0]))[number(TERM, "value")])


@tap.case("changes anywhere in a list, in one transaction, are made in their order")
def anywhere(t):
    choose = random.Random(7)
    t.h1.chain("list", "input")
    want, handle = [], 0
    for _ in range(8):
        t.h1.send(TRANSACTION_BEGIN)
        for _ in range(60):
            what = choose.choice(("last", "position", "before", "replace", "delete"))
            at = choose.randrange(len(want)) if want else None
            port = choose.randrange(65536)
            if what == "last" or at is None:
                t.h1.send(RULE_ADD, rule("list", term("dport", port)))
                at = len(want)
            elif what in ("position", "before"):
                where = {"position": at} if what == "position" else {"before": want[at][0]}
                t.h1.send(RULE_ADD, rule("list", term("dport", port), **where))
            elif what == "replace":
                t.h1.send(RULE_REPLACE, rule("list", term("dport", port), handle=want[at][0]))
                want[at] = (want[at][0], port)
                continue
            else:
                t.h1.send(RULE_DEL, attribute(RULE, "chain", "list") +
                          attribute(RULE, "handle", want.pop(at)[0]) + IN_RULE)
                continue
            handle += 1
            want.insert(at, (handle, port))
        t.h1.send(TRANSACTION_COMMIT)
        tap.equal([(one["handle"], port_of(one)) for one in t.h1.rules("list")], want, "rules")


@tap.case("a chain at a device, a wire, a port and rules together")
def kinds(t):
    t.pair(up=False)
    index = t.n0.rtnl.get("fe0")["index"]
    wire = t.h0.ports()[index]["wire"]
    t.h0.send(TRANSACTION_BEGIN)
    t.h0.send(CHAIN_ADD, chain("dev", "ingress", index))
    t.h0.send(RULE_ADD, rule("dev", term("length", 100)))
    t.h0.send(TRANSACTION_ADD, attr(3, [attr(1, wire), attr(3, 0)]) +
              attr(2, [attr(1, index), attr(16, 5)]))
    t.h0.send(TRANSACTION_COMMIT)
    tap.equal((t.h0.chains()["dev"]["rules"], t.h0.ports()[index]["pause-limit"]), (1, 5), "all")


@tap.case("with a generation of the chains, only if none has changed since")
def generation(t):
    begun = dict(rtnl.attrs(t.h0.send(TRANSACTION_BEGIN)[0][4:]))
    t.h0.chain("one", "input")
    t.h0.send(RULE_ADD, rule("one"))
    t.h0.refused(errno.ESTALE, TRANSACTION_COMMIT, rtnl.attr(4, begun[4]), at=0)
    begun = dict(rtnl.attrs(t.h0.send(TRANSACTION_BEGIN)[0][4:]))
    t.h0.send(RULE_ADD, rule("one"))
    t.h0.send(TRANSACTION_COMMIT, rtnl.attr(4, begun[4]))
    tap.equal(t.h0.chains()["one"]["rules"], 1, "rules")


@tap.case("a ruleset replaced again and again under traffic: every packet sees one or the other")
def replaced(t):
    """Both let the test's packets pass, by different rules; half of either would not."""
    t.pair()
    t.h1.chain("in", "prerouting", family="ip")
    wanted = (term("protocol", UDP), term("dport", 5000))
    t.h1.rule("in", *wanted, action="accept")
    t.h1.policy("in", "drop")
    stop, trouble, turns = threading.Event(), [], [0]

    def work():
        try:
            family = hooks.Hooks(t.n1)
            while not stop.is_set():
                turns[0] += 1
                family.send(TRANSACTION_BEGIN)
                family.send(RULE_DEL, flush("in"))
                for port in range(100):
                    family.send(RULE_ADD, rule("in", term("protocol", UDP), term("dport", port),
                                               action="drop"))
                family.send(RULE_ADD, rule("in", *wanted, action="accept"))
                family.send(TRANSACTION_COMMIT)
            family.close()
        except OSError as error:
            trouble.append(error)

    helper = threading.Thread(target=work)
    with hooks.Datagrams(t) as udp:
        helper.start()
        try:
            for turn in range(net.rounds(400)):
                udp.send(*(b"%d" % number for number in range(8)))
                tap.equal(udp.receive(8), [b"%d" % number for number in range(8)], f"turn {turn}")
            net.wait_until(lambda: turns[0] > 3 or trouble, "replacements")
        finally:
            stop.set()
            helper.join()
    tap.equal(trouble, [], "trouble")
    tap.equal(t.h1.chains()["in"]["rules"], 101, "rules")
    tap.note(f"{turns[0]} replacements of 101 rules")


@tap.case("ten thousand rules replaced under traffic: no packet is lost or misjudged")
def replaced_many(t):
    """Every other datagram is for a port that all rulesets drop, by one of their last rules."""
    t.pair()
    t.h1.chain("in", "prerouting", family="ip")
    good, bad = (term("protocol", UDP), term("dport", 5000)), (term("protocol", UDP), term("dport", 5001))
    stop, trouble, took = threading.Event(), [], []

    def rules(first):
        """The messages of a ruleset."""
        message, place = template(t.h1, "in", term("saddr4", 0xC0FFEE00, 32, test="prefix"))
        found, batch = [], bytearray()
        for one in range(10000 // net.SLOW):
            struct.pack_into("=Q", message, place, first + one)
            batch += message
            if len(batch) > 60000:
                found.append(bytes(batch))
                batch.clear()
        return found + [bytes(batch)]

    sets = rules(0x0A000000), rules(0x0B000000)

    def work():
        try:
            family = hooks.Hooks(t.n1)
            while not stop.is_set():
                start = time.monotonic()
                family.send(TRANSACTION_BEGIN)
                family.send(RULE_DEL, flush("in"))
                for batch in sets[len(took) % 2]:
                    family.link.socket.send(batch)
                family.send(RULE_ADD, rule("in", *good, action="accept"))
                family.send(RULE_ADD, rule("in", *bad, action="drop"))
                family.send(TRANSACTION_COMMIT)
                took.append(time.monotonic() - start)
            family.close()
        except OSError as error:
            trouble.append(error)

    t.h1.rule("in", *good, action="accept")
    t.h1.rule("in", *bad, action="drop")
    helper = threading.Thread(target=work)
    with hooks.Datagrams(t) as udp, hooks.Datagrams(t, port=5001) as refused_:
        # Neither policy nor memory decides: all that arrives was accepted by a rule.
        t.h1.policy("in", "drop")
        helper.start()
        turn = 0
        try:
            while len(took) < 6 and not trouble:
                for _ in range(8):
                    refused_.send(b"no")
                    udp.send(b"%d" % turn)
                tap.equal(udp.receive(8), [b"%d" % turn] * 8, f"turn {turn}")
                turn += 1
        finally:
            stop.set()
            helper.join()
        tap.equal(refused_.rest(), [], "dropped ones that arrived")
    tap.equal(trouble, [], "trouble")
    tap.equal(t.h1.chains()["in"]["packets"], 0, "decided by the policy")
    tap.note(f"{len(took)} replacements of {10000 // net.SLOW} rules under traffic, "
             f"{min(took):.2f} to {max(took):.2f} s each, written and sent by this program; {turn * 8} datagrams")


def message(h, body):
    """The message of a rule that is added to a transaction, which asks for no answer."""
    payload = struct.pack("=BBH", RULE_ADD, 1, 0) + body
    whole = struct.pack("=IHHII", 16 + len(payload), h.family, rtnl.NLM_F_REQUEST, 0, 0) + payload
    return whole + bytes(-len(whole) % 4)


def template(h, name, *terms):
    """Such a message, to be sent often, and where the first value of the first term stands."""
    whole = message(h, rule(name, *terms, term("protocol", UDP), action="drop"))
    return bytearray(whole), whole.index(struct.pack("=Q", 0xC0FFEE00))


@tap.case("a hundred thousand rules in one transaction")
def many(t):
    t.h0.chain("big", "forward", family="ip")
    message, place = template(t.h0, "big", term("saddr4", 0xC0FFEE00, 32, test="prefix"))
    t.h0.send(TRANSACTION_BEGIN)
    start = time.monotonic()
    batch = bytearray()
    for one in range(RULES):
        struct.pack_into("=Q", message, place, 0x0A000000 + one)
        batch += message
        if len(batch) > 60000:
            t.h0.link.socket.send(batch)
            batch.clear()
    t.h0.link.socket.send(batch)
    # Answered behind all of them; a refusal before it would be found here.
    t.h0.send(RULE_ADD, rule("big", term("dport", 7)))
    added = time.monotonic()
    tap.equal(t.h0.chains()["big"]["rules"], 0, "before")
    t.h0.send(TRANSACTION_COMMIT)
    took = time.monotonic()
    chain = t.h0.chains()["big"]
    tap.equal(chain["rules"], RULES + 1, "after")
    tap.note(f"{RULES} rules: sent and added in {added - start:.1f} s, committed in "
             f"{took - added:.1f} s")
    # As allocated: 256 bytes a rule, and counters of 16 bytes for each CPU.
    each, cpus = chain["memory"] / RULES, chain["counter_memory"] / RULES / 16
    tap.note(f"{each:.0f} bytes a rule, and counters for {cpus:.2f} CPUs")
    with open("/sys/devices/system/cpu/possible", encoding="ascii") as file:
        possible = int(file.read().rpartition("-")[2]) + 1
    if each > 256 or cpus > possible * 1.01:
        raise AssertionError(f"{each:.0f} bytes a rule; counters for {cpus:.2f} of {possible} CPUs")
    # As many steps as are allowed, which the debug kernel takes minutes for.
    if net.SLOW == 1:
        far(t.h0, "big")
    t.h0.remove("big")
    tap.equal(t.h0.chains()["big"]["rules"], 0, "flushed")


def add_at(h, name, positions):
    """Adds rules at positions, in one transaction."""
    h.send(TRANSACTION_BEGIN)
    for position in positions:
        h.link.socket.send(message(h, rule(name, term("dport", 9), position=position)))
    h.send(TRANSACTION_COMMIT)


def far(h, name):
    """Changes here and there in many rules are refused; as many in the order of the rules are
    made."""
    rules = h.chains()[name]["rules"]
    changes = STEPS // rules + 2
    add_at(h, name, range(changes))
    rules += changes
    tap.equal(h.chains()[name]["rules"], rules, "rules")
    try:
        add_at(h, name, (0 if one % 2 else rules for one in range(changes)))
    except rtnl.NetlinkError as said:
        tap.equal((errno.errorcode[said.errno], said.text.partition(": ")[2]), ("E2BIG", TOO_FAR),
                  "error")
    else:
        raise AssertionError("committed, and should have been refused")
    tap.equal(h.chains()[name]["rules"], rules, "rules after the refusal")


tap.main(hooks.Topology)
