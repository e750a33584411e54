#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Connection tracking beside chains: rules match its states, and packets that are
held, copied or reordered keep their connections in order."""

# selftest-timeout: 300

import contextlib
import errno
import itertools
import os
import shutil
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import frames   # noqa: E402
import hooks    # noqa: E402
import net      # noqa: E402
import router   # noqa: E402
import rtnl     # noqa: E402
import tap      # noqa: E402
from hooks import (ESTABLISHED, ICMP, INVALID, NEW, RELATED, REPLY, TCP, UDP, UNTRACKED,  # noqa: E402
                   term)

TO_PORT = (term("protocol", UDP), term("dport", 5000))
LONG = 50 * 10**9
ANSWERS = (term("protocol", UDP), term("sport", 5000))
# The points behind which a forwarded packet has a state.
TRACKED = (("prerouting", -199), ("prerouting", 0), ("forward", 0), ("postrouting", 0))

PIECES = {4: 7, 6: 8}           # of 10 kB


def state(bits):
    """A term of those bits of the state, all of which are to be set."""
    return term("ct", bits, bits, test="mask")


@contextlib.contextmanager
def tracking(t, more=""):
    """Has the router track connections."""
    t.router.run("nft", "-f", "-", input=f"""
        table inet t {{
            chain c {{ type filter hook forward priority 0; ct state established counter; }}
            {more}
        }}""")
    # Of earlier cases.
    t.router.run("conntrack", "-F")
    try:
        yield
    finally:
        t.router.run("nft", "delete", "table", "inet", "t")


def connections(t, proto="udp"):
    """The connections that the router knows."""
    return t.router.run("conntrack", "-L", "-p", proto).splitlines()


@tap.case("new, established, both directions, at every point behind tracking")
def states(t):
    t.route()
    with tracking(t):
        for family in (4, 6):
            want = {}
            for at, (hook, priority) in enumerate(TRACKED):
                chain = f"{hook}{at}"
                t.hr.chain(chain, hook, priority=priority)
                for name, terms, count in (
                        ("new", (*TO_PORT, state(NEW)), 2),
                        ("there", (*TO_PORT, state(ESTABLISHED)), 1),
                        ("back", (*ANSWERS, state(ESTABLISHED | REPLY)), 1),
                        ("reply", (*TO_PORT, state(REPLY)), 0),
                        ("invalid", (state(INVALID), term("protocol", UDP)), 0)):
                    want[chain, t.hr.rule(chain, *terms)] = name, count
            with hooks.Datagrams(t, family) as udp:
                udp.send(b"a", b"b")
                udp.receive(1)
                _, sender = udp.receiver.recvfrom(100)
                udp.receiver.sendto(b"c", sender)
                tap.equal(udp.sender.recv(100), b"c", "answer")
                udp.send(b"d")
                udp.receive(1)
            for (chain, rule), (name, count) in want.items():
                tap.equal(t.hr.get(chain, rule)["packets"], count, f"IPv{family} {chain}: {name}")
            t.hr.clear()


@tap.case("related: the message that a port is closed; invalid: what belongs to nothing")
def others(t):
    t.route()
    with tracking(t):
        t.router.sysctl("net/netfilter/nf_conntrack_tcp_loose", 0)
        t.hr.chain("x", "forward")
        related = t.hr.rule("x", term("protocol", ICMP), state(RELATED), term("icmp_type", 3))
        wrong = t.hr.rule("x", term("protocol", TCP), state(INVALID))
        probe = t.n0.socket(socket.AF_INET, socket.SOCK_DGRAM)
        probe.connect((t.target[4], 5999))
        probe.send(b"x")
        try:
            probe.recv(10)
        except ConnectionRefusedError:
            pass
        probe.close()
        tap.equal(t.hr.get("x", related)["packets"], 1, "related")
        src, dst = t.source[4], t.target[4]
        with t.n0.packet("fe0") as sender:
            sender.send(t.frame(frames.ETH_P_IP, frames.ipv4(src, dst, TCP, frames.tcp(
                src, dst, 1, 2, 3, 4, 0x10, b"data"))))
            net.wait_until(lambda: t.hr.get("x", wrong)["packets"], "invalid")


@tap.case("the command: a list of states is any of them; one packet or more of each state")
def lists(t):
    if not shutil.which("ferronic"):
        raise tap.Skip("no ferronic command; make tools builds it")

    def ferronic(*words):
        return t.router.run("ferronic", *words)

    # Invalid is a segment of no connection, and what answers it.
    count = {"new": 2, "established": 2, "related": 1, "invalid": 2, "untracked": 1}
    total = sum(count.values())
    everything = ",".join(count)
    want = {}
    for size in (1, 2, 3):
        for names in itertools.combinations(count, size):
            seen = sum(count[name] for name in names)
            want["ct " + ",".join(names)] = seen
            if size == 2:
                want["ct not " + ",".join(names)] = total - seen
    want["ct established,reply"] = 1
    want["ct " + everything] = total
    t.route()
    with tracking(t, "chain r { type filter hook prerouting priority -300; udp dport 5001 notrack; }"):
        t.router.sysctl("net/netfilter/nf_conntrack_tcp_loose", 0)
        ferronic("chain", "add", "x", "forward")
        for words in want:
            ferronic("rule", "add", "x", *words.split(), "continue")
        with hooks.Datagrams(t) as udp, hooks.Datagrams(t, port=5001) as other:
            udp.send(b"new")
            _, sender = udp.receiver.recvfrom(100)
            udp.receiver.sendto(b"established", sender)
            udp.sender.recv(100)
            udp.send(b"established")
            udp.receiver.recv(100)
            other.send(b"untracked")
            other.receiver.recv(100)
        probe = t.n0.socket(socket.AF_INET, socket.SOCK_DGRAM)
        probe.connect((t.target[4], 5999))
        probe.send(b"new")
        try:
            probe.recv(10)
        except ConnectionRefusedError:
            pass                # related
        probe.close()
        src, dst = t.source[4], t.target[4]
        with t.n0.packet("fe0") as sender:
            sender.send(t.frame(frames.ETH_P_IP, frames.ipv4(src, dst, TCP, frames.tcp(
                src, dst, 1, 2, 3, 4, 0x10, b"invalid"))))

        def seen():
            lines = ferronic("rule", "show", "x").splitlines()[1:]
            rules = [line.split(None, 1)[1].partition(" continue  # packets ") for line in lines]
            return {words: int(rest.split()[0]) for words, _, rest in rules}

        # The last rule counts all.
        net.wait_until(lambda: seen()["ct " + everything] >= total, f"{total} packets")
        tap.equal(seen(), want, "packets of each list, in the words it was written with")
        done = t.router.run("ferronic", *"rule add x ct established,related,reply drop".split(),
                            check=False)
        tap.equal((done.returncode, "ct established,related ct reply" in done.stderr), (1, True),
                  done.stderr)
        # Two at once, which the command does not write.
        try:
            t.hr.rule("x", state(ESTABLISHED | RELATED))
        except rtnl.NetlinkError as error:
            tap.equal(error.errno, errno.EINVAL, "error")
        else:
            raise AssertionError("two states at once: was taken")


@tap.case("untracked; and where nobody tracks there is no state, not even invalid")
def none(t):
    t.route()
    for more, want in ((None, {"untracked": 0, "invalid": 0, "not invalid": 0}),
                       ("chain r { type filter hook prerouting priority -300; notrack; }",
                        {"untracked": 3, "invalid": 0, "not invalid": 3})):
        with contextlib.ExitStack() as stack:
            if more:
                stack.enter_context(tracking(t, more))
            for hook, dev in (("prerouting", None), ("forward", None), ("postrouting", None),
                              ("egress", "re1")):
                t.hr.chain(hook, hook, dev=dev)
                rules = {"untracked": t.hr.rule(hook, *TO_PORT, state(UNTRACKED)),
                         "invalid": t.hr.rule(hook, *TO_PORT, state(INVALID)),
                         "not invalid": t.hr.rule(hook, *TO_PORT,
                                                  term("ct", 0, INVALID, test="mask"))}
                with hooks.Datagrams(t) as udp:
                    udp.send(b"a", b"b", b"c")
                    udp.receive(3)
                tap.equal({name: t.hr.get(hook, rule)["packets"] for name, rule in rules.items()},
                          want, hook)
                t.hr.clear()


@tap.case("a chain before tracking sees no state, and what it holds is tracked afterwards")
def before(t):
    t.route()
    with tracking(t):
        t.hr.chain("x", "prerouting", priority=-300)
        t.hr.chain("y", "prerouting", priority=0)
        stateless = t.hr.rule("x", *TO_PORT, term("ct", 0, 0x3FF))
        held = t.hr.rule("x", *TO_PORT, action="delay", delay=LONG, nth=1)
        new = t.hr.rule("y", *TO_PORT, state(NEW))
        with hooks.Datagrams(t) as udp:
            udp.send(b"a", b"b")
            tap.equal(udp.receive(1), [b"b"], "overtook it")
            t.hr.remove("x", held)
            tap.equal(udp.receive(1), [b"a"], "went on")
        tap.equal(t.hr.get("x", stateless)["packets"], 0, "state")
        tap.equal(t.hr.get("y", new)["packets"], 2, "new")
        tap.equal(len(connections(t)), 1, "connections")


@tap.case("a rule that sees no state, or perhaps no fragments, is taken with a remark")
def remarks(t):
    for hook, priority, field, said in (
            ("prerouting", -300, "ct", "sees no state"), ("output", -200, "ct", "sees no state"),
            ("prerouting", -199, "ct", ""), ("forward", -300, "ct", ""),
            ("prerouting", -399, "fragment", "put together"), ("input", 0, "fragment", "put together"),
            ("prerouting", -450, "fragment", ""), ("prerouting", -300, "ttl", "")):
        t.hr.chain("x", hook, priority=priority)
        rule = t.hr.rule("x", term(field, 1))
        added = t.hr.link.remark
        t.hr.replace("x", rule, term(field, 2))
        for remark in (added, t.hr.link.remark):
            tap.equal((said in remark, bool(remark)), (True, bool(said)),
                      f"{field} at {hook} {priority}: '{remark}'")
        t.hr.clear()


@tap.case("packets that open a connection, held at every point: one connection, and all arrive")
def held(t):
    t.route()
    with tracking(t):
        for hook, priority in TRACKED + (("postrouting", 200),):
            for action, more in (("delay", {"delay": LONG}),
                                 ("reorder", {"gap": 1, "timeout": LONG})):
                t.router.run("conntrack", "-F")
                t.hr.chain("x", hook, priority=priority)
                # None of them is confirmed before the chain lets it go.
                rule = t.hr.rule("x", *TO_PORT, state(NEW), action=action, **more)
                with hooks.Datagrams(t) as udp:
                    data = [b"%d" % number for number in range(20)]
                    udp.send(*data)
                    net.wait_until(lambda rule=rule: t.hr.get("x", rule)["packets"] == 20, "come")
                    # Of two that are being tracked at once the second joins the first's
                    # connection; the core drops what clashes in another way.
                    t.hr.remove("x")
                    got = udp.receive(20)
                    tap.equal(sorted(got), sorted(data), f"{action} at {hook} {priority}")
                    udp.send(b"again")
                    tap.equal(udp.receive(1), [b"again"], "again")
                tap.equal(len(connections(t)), 1, f"connections, {action} at {hook} {priority}")
                t.hr.clear()


@tap.case("copies of packets that open a connection: the packet alone owns it")
def copies(t):
    t.route()
    with tracking(t):
        for hook, priority in TRACKED:
            t.router.run("conntrack", "-F")
            t.hr.chain("x", hook, priority=priority)
            t.hr.rule("x", *TO_PORT, action="duplicate", copies=3)
            with hooks.Datagrams(t) as udp:
                udp.send(b"a", b"b")
                tap.equal(udp.receive(8), [b"a"] * 4 + [b"b"] * 4, f"{hook} {priority}")
                _, sender = (udp.send(b"c"), udp.receiver.recvfrom(100))[1]
                udp.receiver.sendto(b"d", sender)
                tap.equal(udp.sender.recv(10), b"d", "answer")
                udp.receive(3)
            tap.equal(len(connections(t)), 1, f"connections, {hook} {priority}")
            t.hr.clear()


@tap.case("fragments are put together before later chains, and held, copied, reordered before")
def fragments(t):
    t.route(queues=1)
    data = bytes(range(256)) * 40
    with tracking(t):
        t.hr.chain("late", "prerouting", priority=-300)
        t.hr.chain("early", "prerouting", priority=-450)
        for family in (4, 6):
            for action, more in (("reorder", {"gap": 2, "timeout": LONG, "nth": 1}),
                                 ("duplicate", {"nth": 2}), ("delay", {"delay": 10**6}),
                                 ("set-dscp", {"dscp": 1})):
                about = term(f"saddr{family}", hooks.address(t.source[family]))
                early = t.hr.rule("early", about, term("protocol", UDP),
                                  term("fragment", 0, negated=True), action=action, **more)
                late = t.hr.rule("late", about, *TO_PORT, term("fragment", 0))
                pieces = t.hr.rule("late", about, term("fragment", 0, negated=True))
                with hooks.Datagrams(t, family) as udp:
                    udp.send(data)
                    tap.equal(udp.receive(1)[0] == data, True, f"IPv{family} {action}")
                tap.equal((t.hr.get("early", early)["packets"], t.hr.get("late", late)["packets"],
                           t.hr.get("late", pieces)["packets"]), (PIECES[family], 1, 0),
                          f"pieces before, wholes behind, IPv{family} {action}")
                t.hr.remove("early")
                t.hr.remove("late")


tap.main(router.Router)
