#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Frames at random on their way through a router whose chains have rules at
random, at every hook, of every kind: nothing is read or written that isn't the
packet's, nothing is lost in memory, and the kernel has nothing to say.

    fuzz_hooks.py [--count N] [--seed SEED]
"""

# selftest-timeout: 450

import errno
import fcntl
import os
import re
import socket
import stat
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import control  # noqa: E402
import fuzz     # noqa: E402
import hooks    # noqa: E402
import net      # noqa: E402
import nic      # noqa: E402
import router   # noqa: E402
import rtnl     # noqa: E402
import tap      # noqa: E402
from grammar import Grammar     # noqa: E402

# Between the three cases; as many on a slow kernel, which is what this is for.
ARGUMENTS = fuzz.arguments(50000 * net.SLOW)
SOL_PACKET, PACKET_VNET_HDR = 263, 15
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 1, 0x1000
# What may be said to a frame that cannot be sent, or that a rule refuses.
FINE = (errno.EINVAL, errno.EMSGSIZE, errno.ENOBUFS, errno.ENETDOWN, errno.EPERM, errno.EIO,
        errno.EAGAIN)
FULL = (errno.ENOBUFS, errno.ENETDOWN, errno.EAGAIN)
EVERY_RULESET = 200     # frames
SHORT = 5 * 10**6       # ns that a packet is held at most
WIDTH = {"iif": 32, "oif": 32, "smac": 48, "dmac": 48, "ethertype": 16, "vlan": 12,
         "inner_vlan": 12, "saddr4": 32, "daddr4": 32, "saddr6": 128, "daddr6": 128,
         "protocol": 8, "sport": 16, "dport": 16, "tcp_flags": 9, "icmp_type": 8, "icmp_code": 8,
         "icmpv6_type": 8, "icmpv6_code": 8, "dscp": 6, "ecn": 2, "ttl": 8, "fragment": 2,
         "length": 32, "mark": 32, "pkttype": 3, "ct": 16}
TRANSPORTS = (1, 6, 17, 47, 58, 132)
IN_RULE = rtnl.attr(hooks.number(hooks.RULE, "transaction"))
IN_CHAIN = rtnl.attr(hooks.number(hooks.CHAIN, "transaction"))
POLICIES = ("accept", "drop")


class Rules:
    """Makes rules."""

    def __init__(self, dice):
        self.dice = dice

    def term(self):
        """Anything, contradictions too: those are refused."""
        dice = self.dice
        field = dice.choice(hooks.FIELDS)
        bits = WIDTH[field]
        value = dice.choice(TRANSPORTS) if field == "protocol" else \
            dice.getrandbits(dice.randrange(1, bits + 1))
        test = dice.choice(("value", "value", "prefix", "mask", "range"))
        operand = {"value": None, "prefix": dice.randrange(bits + 1),
                   "mask": value | dice.getrandbits(bits),
                   "range": value + dice.getrandbits(bits)}[test]
        if test == "prefix":
            value = value >> (bits - operand) << (bits - operand)
        elif test == "range":
            operand = min(operand, (1 << bits) - 1)
        return hooks.term(field, value, operand, test=test, negated=dice.random() < 0.3)

    def action(self):
        dice = self.dice
        name = dice.choice(hooks.ACTIONS)
        more = {"set-mark": lambda: {"mark": dice.odd()}, "queue": lambda: {
                    "queue": dice.randrange(2), "bypass": dice.random() < 0.5},
                "set-dscp": lambda: {"dscp": dice.randrange(64)},
                "set-ecn": lambda: {"ecn": dice.randrange(4)},
                "sample": lambda: {"snap": dice.randrange(1, 2049)},
                "corrupt": lambda: {"bits": dice.randrange(1, 30),
                                    "offset": dice.choice((0, 0, 14, 20, 34, dice.odd(16)))},
                "truncate": lambda: {"length": dice.choice((0, 1, 13, 20, dice.odd(16)))},
                "duplicate": lambda: {"copies": dice.randrange(1, 4)},
                "delay": lambda: {"delay": dice.randrange(1, SHORT),
                                  "jitter": dice.randrange(SHORT)},
                "reorder": lambda: {"gap": dice.randrange(1, 9),
                                    "timeout": dice.randrange(1, SHORT)}}.get(name, dict)()
        # Copies of copies of copies would be all that there is.
        rare = name == "duplicate" or dice.random() < 0.4
        if rare:
            more |= dice.choice(({"nth": dice.randrange(1, 50)}, {"every": dice.randrange(20, 50)},
                                 {"every": 20, "probability": dice.getrandbits(31) | 1},
                                 {"at_most": dice.randrange(1, 100)}, {
                                     "rate": dice.randrange(1, 1000), "burst": 1 + dice.odd(8)}))
        more |= {"segments": dice.random() < 0.3, "seed": dice.getrandbits(64)}
        if dice.random() < 0.2:
            more["notify"] = dice.randrange(1, 2049)
        return name, more

    def some(self, chain):
        """The bodies of requests that add rules to a chain, together."""
        found = []
        for _ in range(self.dice.randrange(1, 8)):
            action, more = self.action()
            terms = [self.term() for _ in range(self.dice.choice((0, 0, 1, 1, 2, 4)))]
            found.append(hooks.Hooks.words(chain, terms, action, transaction=True, **more))
        return found


class Chains:
    """Chains at every hook of three namespaces, whose rules change all the time."""

    def __init__(self, t, dice, devices):
        self.rules = Rules(dice)
        self.dice = dice
        self.chains = []
        # Those that have rules.
        self.busy = []
        self.refused = 0
        for space, names in zip((t.h0, t.hr, t.h1), devices):
            for hook in hooks.HOOKS:
                for dev in names if hook in ("ingress", "egress") else (None,):
                    name = f"{hook}-{dev}"
                    space.chain(name, hook, dev=dev, priority=dice.choice((-450, -150, 0, 150)))
                    self.chains.append((space, name))

    def change(self):
        """Rules for some of them, none for the others: a slow kernel is to see many packets."""
        chosen = self.dice.sample(self.chains, 5)
        concerned = list(dict.fromkeys(self.busy + chosen))
        for space in dict.fromkeys(space for space, _ in concerned):
            begin = []
            for name in [name for where, name in concerned if where is space]:
                policy = "drop" if self.dice.random() < 0.03 else "accept"
                begin += [(control.RULE_DEL, hooks.attribute(hooks.RULE, "chain", name) + IN_RULE),
                          (control.CHAIN_SET, hooks.attribute(hooks.CHAIN, "name", name) +
                           hooks.attribute(hooks.CHAIN, "policy", POLICIES.index(policy)) +
                           IN_CHAIN)]
            self.replace(space, begin, [body for where, name in chosen if where is space
                                        for body in self.rules.some(name)])
        self.busy = chosen

    def replace(self, space, begin, rules):
        """One transaction, without the rules that make no sense."""
        while True:
            space.send(control.TRANSACTION_BEGIN)
            for command, body in begin:
                space.send(command, body)
            for body in list(rules):
                try:
                    space.send(control.RULE_ADD, body)
                except rtnl.NetlinkError as error:
                    if error.errno != errno.EINVAL or not error.text:
                        raise
                    rules.remove(body)
                    self.refused += 1
            try:
                space.send(control.TRANSACTION_COMMIT)
                return
            except rtnl.NetlinkError as error:
                said = re.match(r"rule (\d+): .", error.text)
                if error.errno != errno.EINVAL or not said:
                    raise
                del rules[int(said[1]) - 1 - len(begin)]
                self.refused += 1

    def acted(self):
        spaces = {id(space): space for space, _ in self.chains}.values()
        return sum(rule["acted"] for space in spaces for rule in space.rules())


def accepted(send, frame):
    """Sends a frame.  What is refused for want of room is tried again for a while: packets that
    are held have it."""
    for _ in range(20):
        try:
            send(frame)
            return True
        except OSError as error:
            if error.errno not in FINE:
                raise
            if error.errno not in FULL:
                return False
        time.sleep(0.001)
    return False


def flood(t, dice, senders, receivers, devices, count, grammar, head=0):
    """Sends so many frames, by each sender in turn."""
    chains = Chains(t, dice, devices)
    sent = refused = acted = 0
    with hooks.Events(t.hr) as events:
        for turn in range(count):
            if turn % EVERY_RULESET == 0:
                acted += chains.acted()
                chains.change()
                events.come()
            if accepted(senders[turn % len(senders)], grammar.frame()[head:]):
                sent += 1
            else:
                refused += 1
            if turn % 64 == 63:
                for receiver in receivers:
                    nic.drain(receiver)
    acted += chains.acted()
    fuzz.note(ARGUMENTS, f"{count} here, {sent} sent, {refused} refused, {acted} times a rule acted, "
              f"{chains.refused} rules refused")
    if sent < count / 4 or not acted:
        raise AssertionError("the frames are of no use")


def works(t):
    """Afterwards all is as if nothing had been."""
    for space in (t.h0, t.hr, t.h1):
        space.clear()
    t.tidy()
    t.route()
    with hooks.Datagrams(t) as udp:
        udp.send(b"x")
        tap.equal(udp.receive(1), [b"x"], "arrived")


def routed(t, info, tracked):
    dice = fuzz.Dice(ARGUMENTS.seed)
    t.route(info)
    if tracked:
        t.router.run("nft", "-f", "-", input="""table inet t {
                chain c { type filter hook forward priority 0; ct state established counter; }
                chain n { type nat hook postrouting priority 100; masquerade; }
            }""")
    grammar = Grammar(dice, (router.V4, router.V6), (net.MAC[0], router.MAC[0]))
    devices = (("fe0",), router.GATES, ("fe1",))
    with t.n0.packet("fe0") as sender, t.n1.packet("fe1") as receiver:
        sender.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
        sender.setsockopt(socket.SOL_SOCKET, 32, 1 << 22)       # SO_SNDBUFFORCE
        # Those that a rule holds have the socket's memory: no waiting for it.
        sender.setblocking(False)

        flood(t, dice, [sender.send], [receiver], devices, ARGUMENTS.count // 3, grammar)
    if tracked:
        t.router.run("nft", "flush", "ruleset")
    works(t)


@tap.case("through a router")
def plain(t):
    routed(t, (), False)


@tap.case("through a router that tracks and translates, on wires that hand packets off")
def handoff(t):
    routed(t, router.HANDOFF, True)


def tun_file():
    """Where programs open tunnels; nobody makes it in a small machine."""
    path = "/dev/net/tun"
    if not os.path.exists(path):
        net.run("modprobe", "tun", check=False)
    if not os.path.exists(path):
        path = "/tmp/tun"
        if not os.path.exists(path):
            os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(10, 200))
    return path


@tap.case("from and to a device without link headers")
def tunnel(t):
    dice = fuzz.Dice(ARGUMENTS.seed)
    t.route()
    with t.router:
        file = os.open(tun_file(), os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(file, TUNSETIFF, struct.pack("16sH22x", b"tun0", IFF_TUN | IFF_NO_PI))
    try:
        t.router.rtnl.change("tun0", up=True)
        t.router.rtnl.add_address("tun0", "192.168.245.1", 24)
        t.router.sysctl("net/ipv4/conf/all/rp_filter", 0)
        t.router.sysctl("net/ipv4/conf/tun0/rp_filter", 0)
        grammar = Grammar(dice, (router.V4, router.V6), (net.MAC[0], router.MAC[0]))
        devices = (("fe0",), ("tun0", "re1"), ("fe1",))
        with t.router.packet("tun0") as out, t.n1.packet("fe1") as receiver:
            out.setblocking(False)

            def drain():
                try:
                    while os.read(file, 1 << 16):
                        pass
                except BlockingIOError:
                    pass

            def send(data):
                drain()
                out.send(data)

            def write(data):
                # Without the link header.
                os.write(file, data[14:] or b"x")

            flood(t, dice, [write, send], [receiver], devices, ARGUMENTS.count // 3, grammar,
                  head=10)
    finally:
        os.close(file)
    works(t)


tap.main(router.Router)
