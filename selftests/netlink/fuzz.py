#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Messages at random, well-formed and spoilt, from root and from root of a user
namespace.  Whatever comes, every message is answered, ports stay as they were
unless a message that is right changes them, and the kernel has nothing to say.

    fuzz.py [--count N] [--seed SEED]

The same seed gives the same messages.  --count says how many; the ordinary run
has 50,000.
"""

# selftest-timeout: 300

import argparse
import contextlib
import os
import random
import select
import socket
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import control  # noqa: E402
import hooks    # noqa: E402
import net      # noqa: E402
import rtnl     # noqa: E402
import tap      # noqa: E402
import user     # noqa: E402

PARSER = argparse.ArgumentParser()
PARSER.add_argument("--count", type=int, default=50000)
PARSER.add_argument("--seed", type=int, default=1)
ARGUMENTS, sys.argv[1:] = PARSER.parse_known_args()

# Messages of one datagram; the last one asks for an acknowledgement, which shows
# that the kernel is through with all of them.
BATCH = 50

# What a request of each command may have: numbers of attributes.
SHAPES = {command: tuple(number for number, _ in names.values())
          for (command, flags), names in control.requests().items() if not flags}
SHAPES.update({control.TRANSACTION_ADD: (2, 2, 3, 3), control.TRANSACTION_COMMIT: ()})
# Commands as often as they are drawn: those that wait for all packets on their way less often.
PATIENT = (control.SAMPLING_SET, control.LATENCY_RESET)
COMMANDS = [command for command in SHAPES for _ in range(1 if command in PATIENT else 8)]
CHAINS = {control.CHAIN_GET: (), control.CHAIN_ADD: ("hook", "family", "priority", "policy"),
          control.CHAIN_SET: ("policy",), control.CHAIN_DEL: ()}
RULES = {control.RULE_GET: ("handle",), control.RULE_ADD: ("term", "action"),
         control.RULE_REPLACE: ("handle", "term", "action"), control.RULE_DEL: ("handle",),
         control.RULE_RESET: ("handle",)}
NAMES = ("a", "b", "c", "d")
ODD_NAMES = ("", "x" * 31, "x" * 32, "x" * 400, "NETFILTER_DROP", "\xff\xfe")
# Below which values are likely to be taken, and what an action needs.
BELOW = {"hook": len(hooks.HOOKS), "family": len(hooks.FAMILIES), "policy": 2,
         "action": len(hooks.ACTIONS), "field": len(hooks.FIELDS), "test": len(hooks.TESTS),
         "dscp": 64, "ecn": 4, "bits": 9, "copies": 5, "gap": 5, "handle": 60, "before": 60,
         "position": 9, "delay": 10**6, "jitter": 10**5, "timeout": 10**6, "seed": 9}
NEEDS = {"set-mark": ("mark",), "set-dscp": ("dscp",), "set-ecn": ("ecn",), "queue": ("queue",),
         "sample": ("snap",), "corrupt": ("bits",), "truncate": ("length",),
         "duplicate": ("copies",), "delay": ("delay",), "reorder": ("gap", "timeout")}
# What the attributes of a transaction hold.
NESTS = {2: (1, 16), 3: (1, 3)}
ODD = (0, 1, 2, 3, 5, 100, 4000, 4001, 255, 256, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


class Writer:
    """Makes messages at random."""

    def __init__(self, seed, family, indices):
        self.random, self.family, self.indices = random.Random(seed), family, indices

    def value(self, kind):
        dice = self.random.random()
        if kind == 1 and dice < 0.7:
            return self.random.choice(self.indices)
        if dice < 0.8:
            return self.random.randrange(8)
        return self.random.choice(ODD)

    def nest(self, kind):
        """A change, as part of a transaction."""
        kinds = list(NESTS[kind])
        if self.random.random() < 0.1:
            kinds.insert(self.random.randrange(3), self.random.choice((0, 1, 2, 3, 16, 17)))
        flags = 0x8000 if self.random.random() < 0.95 else 0
        return rtnl.attr(kind | flags, b"".join(self.attribute(one) for one in kinds))

    def named(self, names, name):
        """An attribute of a chain, a rule or a term, by its name."""
        likely = self.random.random() < 0.95
        if name in hooks.TEXT:
            return rtnl.attr(hooks.number(names, name),
                             self.random.choice(NAMES if likely else ODD_NAMES))
        number = self.random.randrange(BELOW.get(name, 300)) if likely else self.random.choice(ODD)
        if name == "ifindex":
            number = self.random.choice(self.indices)
        if name == "term":
            body = b"".join(self.named(hooks.TERM, one) for one in ("field", "test", "value") +
                            self.random.choice(((), (), ("operand",), ("negated",), hooks.TERM)))
            return rtnl.attr(hooks.number(names, name) | 0x8000, body)
        if name in ("bypass", "negated", "segments", "transaction"):
            return rtnl.attr(hooks.number(names, name))
        return hooks.attribute(names, name, number)

    def hook(self, command):
        """A request about chains or rules: what is needed, some of what may be, not always all."""
        names, own = (hooks.CHAIN, CHAINS) if command in CHAINS else (hooks.RULE, RULES)
        wanted = [names[0], *own[command]]
        while self.random.random() < 0.3:
            wanted.append(self.random.choice(names))
        if self.random.random() < 0.15:
            wanted.remove(self.random.choice(wanted))
        body = b"".join(self.named(names, name) for name in wanted if name != "action")
        if "action" in wanted:
            action = self.random.choice(hooks.ACTIONS)
            body += hooks.attribute(names, "action", hooks.ACTIONS.index(action))
            if self.random.random() < 0.9:
                body += b"".join(self.named(names, name) for name in NEEDS.get(action, ()))
        return body

    def attribute(self, kind, depth=0):
        dice = self.random.random()
        if dice < 0.80:
            body = struct.pack("=I", self.value(kind))
        elif dice < 0.85:
            body = struct.pack("=Q", self.value(kind))
        elif dice < 0.90 and depth < 12:
            body = b"".join(self.attribute(self.random.randrange(5), depth + 1)
                            for _ in range(self.random.randrange(3)))
        else:
            body = self.random.randbytes(self.random.randrange(40))
        flags = self.random.choice((0, 0, 0, 0, 0, 0, 0x8000, 0x4000))
        return rtnl.attr((kind | flags) & 0xFFFF, body)

    def body(self, command):
        dice = self.random.random()
        kinds = list(SHAPES.get(command, (1, 2)))
        if dice < 0.25:
            self.random.shuffle(kinds)
            kinds = kinds[:self.random.randrange(len(kinds) + 1)]
        elif dice < 0.4:
            kinds.insert(self.random.randrange(len(kinds) + 1),
                         self.random.choice((0, 1, 2, 3, 7, 16, 17, 0x3FFF)))
        nested = command == control.TRANSACTION_ADD
        if command in CHAINS or command in RULES:
            body = bytearray(self.hook(command))
        else:
            body = bytearray(b"".join(self.nest(kind) if nested and kind in NESTS else
                                      self.attribute(kind) for kind in kinds))
        if self.random.random() < 0.15:
            for _ in range(self.random.randrange(1, 4)):
                if body:
                    body[self.random.randrange(len(body))] = self.random.randrange(256)
        if self.random.random() < 0.05:
            del body[self.random.randrange(len(body) + 1):]
        return bytes(body)

    def message(self, sequence):
        dice = self.random.random()
        command = self.random.choice(COMMANDS) if dice < 0.95 else self.random.randrange(256)
        flags = rtnl.NLM_F_REQUEST
        if self.random.random() < 0.15:
            flags |= rtnl.NLM_F_DUMP
        if self.random.random() < 0.03:
            flags |= self.random.randrange(1 << 16)
        flags |= rtnl.NLM_F_REQUEST
        reserved = self.random.randrange(1 << 16) if self.random.random() < 0.02 else 0
        body = struct.pack("=BBH", command, self.random.randrange(3), reserved)
        body += self.body(command)
        if self.random.random() < 0.01:
            body = body[:self.random.randrange(4)]
        header = struct.pack("=IHHII", 16 + len(body), self.family, flags, sequence, 0)
        return header + body + bytes(-len(body) % 4)


class Fuzzer:
    """Sends batches, and counts what comes back."""

    def __init__(self, family, index):
        self.family, self.index = family, index
        self.socket = family.link.socket
        self.answers = self.errors = self.sequence = 0

    def batch(self, writer):
        data = b""
        for _ in range(BATCH - 1):
            self.sequence += 1
            data += writer.message(self.sequence)
        self.sequence += 1
        last = struct.pack("=BBH", control.PORT_GET, 1, 0) + rtnl.attr(1, self.index)
        data += struct.pack("=IHHII", 16 + len(last), self.family.family,
                            rtnl.NLM_F_REQUEST | rtnl.NLM_F_ACK, self.sequence, 0) + last
        self.socket.send(data)
        while not self.drain():
            pass

    def drain(self):
        """Reads a datagram; returns whether it ends the batch.  A dump that is still
        going on would refuse the next one: it is read to its end behind it."""
        data, at = self.socket.recv(1 << 16), 0
        over = False
        while at + 16 <= len(data):
            size, kind, _, sequence, _ = struct.unpack_from("=IHHII", data, at)
            if kind == rtnl.NLMSG_ERROR:
                self.errors += 1
                number = struct.unpack_from("=i", data, at + 16)[0]
                if sequence == self.sequence:
                    tap.equal(number, 0, "the last message of a batch")
                    over = True
            elif kind != rtnl.NLMSG_DONE:
                self.answers += 1
            at += (size + 3) & ~3
        return over

    def rest(self):
        while select.select([self.socket], [], [], 0)[0]:
            self.drain()


def attack(family, indices, count, seed):
    """Sends so many messages, and returns what came of them."""
    family.link.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 21)
    writer, fuzzer = Writer(seed, family.family, indices), Fuzzer(family, indices[0])
    for turn in range(count // BATCH):
        fuzzer.batch(writer)
        if turn % 8 == 0:
            fuzzer.rest()
    fuzzer.rest()
    return fuzzer


@tap.case("from root, and ports are as they were but for what may be set")
def root(t):
    t.pair()
    t.n0.rtnl.add_pair(net.KIND, {"name": "b"}, name="a")
    before = t.c0.ports()
    indices = [t.n0.rtnl.get(name)["index"] for name in ("fe0", "a", "b", "lo")]
    begin = time.monotonic()
    family = control.Raw(t.n0)
    count = ARGUMENTS.count * 4 // 5
    fuzzer = attack(family, indices, count, ARGUMENTS.seed)
    family.close()
    took = time.monotonic() - begin
    tap.note(f"{count} messages in {took:.1f} s: {fuzzer.answers} answers, {fuzzer.errors} errors")
    with contextlib.closing(hooks.Hooks(t.n0)) as chains:
        tap.note(f"{len(chains.chains())} chains, {len(chains.rules())} rules")
        chains.clear()
    after = t.c0.ports()
    tap.equal(set(after), set(before), "ports")
    for index, port in after.items():
        differs = {key for key in port if port[key] != before[index].get(key)}
        free = {"generation", "pause-limit", "datapath"}
        tap.equal(differs - free, set(), f"port {index}")
        limit = port.get("pause-limit", 0)
        tap.equal(1 <= limit <= 4000 if port["datapath"] == 0 else limit == 0, True, "pause limit")
    t.ping()


@tap.case("from root of a user namespace, to its own ports and to those of others")
def unprivileged(t):
    t.pair()
    before = t.c0.ports()
    index = t.n0.rtnl.get("fe0")["index"]
    count = ARGUMENTS.count // 10

    def work():
        # Of the others' namespace, by a socket that root has opened: nothing changes.
        attack(t.c0, [index, 1], count, ARGUMENTS.seed + 1)
        link = rtnl.Rtnl()
        link.add_pair(net.KIND, {"name": "b"}, name="a")

        class Here:
            def __enter__(self):
                return self

            def __exit__(self, *_):
                pass

        attack(control.Raw(Here()), [link.get(name)["index"] for name in ("a", "b")], count,
               ARGUMENTS.seed + 2)

    user.as_user(work)
    family = control.Raw(t.n0)
    tap.equal(family.ports(), before, "ports of the others")
    family.close()


tap.main(control.RawControl)
