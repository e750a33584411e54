# SPDX-License-Identifier: GPL-2.0
"""Chains and rules of the control family, without an interpreter of
specifications: terms are written as users of the command write them."""

import contextlib
import errno
import socket
import struct

import control
import genl
import net
import rtnl
import tap
from control import (CHAIN_ADD, CHAIN_DEL, CHAIN_GET, CHAIN_SET, RULE_ADD, RULE_DEL, RULE_GET,
                     RULE_REPLACE, RULE_RESET)

FAMILIES = ("ip", "ip6", "inet", "netdev")
HOOKS = ("prerouting", "input", "forward", "output", "postrouting", "ingress", "egress")
FIELDS = ("iif", "oif", "smac", "dmac", "ethertype", "vlan", "inner_vlan", "saddr4", "daddr4",
          "saddr6", "daddr6", "protocol", "sport", "dport", "tcp_flags", "icmp_type", "icmp_code",
          "icmpv6_type", "icmpv6_code", "dscp", "ecn", "ttl", "fragment", "length", "mark",
          "pkttype", "ct")
TESTS = ("value", "prefix", "mask", "range")
ACTIONS = ("accept", "drop", "continue", "set-mark", "set-dscp", "set-ecn", "queue", "sample",
           "corrupt", "truncate", "duplicate", "delay", "reorder")

CHAIN = ("name", "generation", "family", "hook", "priority", "ifindex", "policy", "rules", "shapes",
         "packets", "bytes", "transaction", "held", "overflows", "unheld", "uncut",
         "any_device", "devices", "missed", "lost", "memory", "counter_memory")
TERM = ("field", "test", "negated", "value", "value_high", "operand", "operand_high")
RULE = ("chain", "handle", "generation", "position", "before", "term", "action", "mark", "mark_mask",
        "dscp", "ecn", "queue", "bypass", "snap", "bits", "offset", "length", "copies", "delay",
        "jitter", "gap", "timeout", "nth", "every", "probability", "seed", "rate", "burst",
        "rate_bytes", "at_most", "segments", "packets", "bytes", "acted", "transaction", "notify", "drop_reason")
PACKET = ("chain", "handle", "action", "hook", "number", "time", "in_device", "out_device", "mark",
          "ethertype", "length", "data", "left_out", "drop_reason")
HANDOFF = 1             # a datapath
LONG = {"delay", "jitter", "timeout", "seed", "rate", "value", "value_high", "operand",
        "operand_high"}
TEXT = {"name", "chain", "drop_reason"}

# In place of a device: all of them.
ANY = object()

TCP, UDP, ICMP, ICMPV6 = 6, 17, 1, 58
INVALID, ESTABLISHED, RELATED, NEW, UNTRACKED, REPLY = 1, 2, 4, 8, 64, 256


def number(names, name):
    return names.index(name) + 1


def attribute(names, name, value):
    """An attribute by its name."""
    kind = number(names, name)
    if value is True:
        return rtnl.attr(kind)
    if name in LONG:
        return rtnl.attr(kind, struct.pack("=Q", value))
    return rtnl.attr(kind, value)


def address(text):
    """An address as a number."""
    family = socket.AF_INET6 if ":" in text else socket.AF_INET
    return int.from_bytes(socket.inet_pton(family, text), "big")


def term(field, value, operand=None, test=None, negated=False):
    """A term.  With a second number it is a range unless told."""
    test = test or ("value" if operand is None else "range")
    parts = [attribute(TERM, "field", FIELDS.index(field)),
             attribute(TERM, "test", TESTS.index(test)),
             attribute(TERM, "value", value & (1 << 64) - 1)]
    if value >> 64:
        parts.append(attribute(TERM, "value_high", value >> 64))
    if operand is not None:
        parts.append(attribute(TERM, "operand", operand & (1 << 64) - 1))
        if operand >> 64:
            parts.append(attribute(TERM, "operand_high", operand >> 64))
    if negated:
        parts.append(rtnl.attr(number(TERM, "negated")))
    return rtnl.attr(number(RULE, "term"), parts)


def known(names, body):
    """The attributes of a message by name; flags are true, terms a list."""
    found = {}
    for kind, value in rtnl.attrs(body):
        name = names[kind - 1]
        if name == "term":
            found.setdefault(name, []).append(value)
        elif name in TEXT:
            found[name] = value.rstrip(b"\0").decode()
        elif name == "data":
            found[name] = value
        elif name == "priority":
            found[name] = struct.unpack("=i", value)[0]
        else:
            found[name] = genl.number(value) if value else True
    return found


class Hooks(control.Raw):
    """Chains and rules of one namespace."""

    def chain(self, name, hook, family=None, priority=0, policy="accept", dev=None):
        """Adds a chain."""
        body = [attribute(CHAIN, "name", name), attribute(CHAIN, "hook", HOOKS.index(hook)),
                rtnl.attr(number(CHAIN, "priority"), struct.pack("=i", priority)),
                attribute(CHAIN, "policy", ("accept", "drop").index(policy))]
        if family:
            body.append(attribute(CHAIN, "family", FAMILIES.index(family)))
        if dev is ANY:
            body.append(attribute(CHAIN, "any_device", True))
        elif dev:
            body.append(attribute(CHAIN, "ifindex", self.namespace.rtnl.get(dev)["index"]))
        self.send(CHAIN_ADD, b"".join(body))

    def delete(self, name):
        self.send(CHAIN_DEL, attribute(CHAIN, "name", name))

    def policy(self, name, policy):
        self.send(CHAIN_SET, attribute(CHAIN, "name", name) +
                  attribute(CHAIN, "policy", ("accept", "drop").index(policy)))

    def chains(self):
        """All chains by name."""
        found = [known(CHAIN, body[4:]) for _, body in self.parts(CHAIN_GET) if body]
        return {chain["name"]: chain for chain in found}

    @staticmethod
    def words(chain, terms, action, handle=None, **more):
        """The body of a request about a rule."""
        body = [attribute(RULE, "chain", chain), *terms,
                attribute(RULE, "action", ACTIONS.index(action))]
        if handle is not None:
            body.append(attribute(RULE, "handle", handle))
        return b"".join(body + [attribute(RULE, name, value) for name, value in more.items()
                                if value is not False])

    def rule(self, chain, *terms, action="continue", **more):
        """Adds a rule, and returns its handle."""
        answers = self.send(RULE_ADD, self.words(chain, terms, action, **more))
        return known(RULE, answers[0][4:])["handle"]

    def replace(self, chain, handle, *terms, action="continue", **more):
        self.send(RULE_REPLACE, self.words(chain, terms, action, handle, **more))

    def about(self, command, chain, handle=None):
        body = attribute(RULE, "chain", chain)
        if handle is not None:
            body += attribute(RULE, "handle", handle)
        return self.send(command, body)

    def remove(self, chain, handle=None):
        self.about(RULE_DEL, chain, handle)

    def reset(self, chain, handle=None):
        self.about(RULE_RESET, chain, handle)

    def get(self, chain, handle):
        """A rule."""
        return known(RULE, self.about(RULE_GET, chain, handle)[0][4:])

    def rules(self, chain=None):
        """The rules, in their order."""
        body = attribute(RULE, "chain", chain) if chain else b""
        return [known(RULE, body[4:]) for _, body in self.parts(RULE_GET, body) if body]

    def acted(self, chain, handle):
        rule = self.get(chain, handle)
        return rule["packets"], rule["acted"]

    def clear(self):
        for name in self.chains():
            self.delete(name)


class Events(control.Events):
    """The events of packets in a namespace."""

    def __init__(self, hooks):
        super().__init__(hooks, group="packets")

    def read(self, command, body):
        tap.equal(command, control.PACKET_NTF, "notification")
        return known(PACKET, body)

    def until(self, count):
        """So many."""
        found = []
        net.wait_until(lambda: found.extend(self.come()) or len(found) >= count, f"{count} events")
        return found


class Changes(control.Events):
    """What is told of chains and rules in a namespace, as (what, attributes)."""

    KINDS = {control.CHAIN_ADD_NTF: ("chain-add", CHAIN), control.CHAIN_DEL_NTF: ("chain-del", CHAIN),
             control.CHAIN_CHANGE_NTF: ("chain-change", CHAIN),
             control.CHAIN_RULES_NTF: ("chain-rules", CHAIN),
             control.RULE_ADD_NTF: ("rule-add", RULE), control.RULE_DEL_NTF: ("rule-del", RULE),
             control.RULE_CHANGE_NTF: ("rule-change", RULE)}

    def __init__(self, hooks, buffer=1 << 22):
        super().__init__(hooks, buffer, group="hooks")

    def read(self, command, body):
        what, names = self.KINDS[command]
        return what, known(names, body)


def patient(*spaces):
    """Has wires wait for receivers as long as they can: a slow machine loses nothing."""
    for hooks in spaces:
        for index, port in hooks.ports().items():
            if port["datapath"] == HANDOFF:
                continue
            hooks.send(control.PORT_SET, rtnl.attr(control.IFINDEX, index) +
                       rtnl.attr(control.PORT_PAUSE_LIMIT, 4000))


class Topology(net.Topology):
    """The two namespaces, and chains in both."""

    # Where packets go: addresses of ns1.
    target = {4: net.V4[1], 6: net.V6[1]}

    def __enter__(self):
        super().__enter__()
        with contextlib.ExitStack() as stack:
            stack.callback(self.stack.close)
            try:
                self.h0, self.h1 = Hooks(self.n0), Hooks(self.n1)
            except OSError as error:
                if error.errno == errno.ENOENT:
                    raise tap.Skip("no control family: the module is not loaded") from None
                raise
            self.stack.callback(self.h0.close)
            self.stack.callback(self.h1.close)
            stack.pop_all()
        return self

    def pair(self, up=True, quiet=False, only4=False, addresses=True, **options):
        links = super().pair(up, quiet, only4, addresses, **options)
        patient(self.h0, self.h1)
        if up and addresses and not quiet:
            # The core sends what has waited for a neighbour while what comes then overtakes it.
            for end in (0, 1):
                for ends in (net.V4,) if only4 else (net.V4, net.V6):
                    self.n[end].rtnl.add_neighbour(links[end]["name"], ends[1 - end],
                                                   links[1 - end]["address"])
        return links

    def tidy(self):
        for hooks in (self.h0, self.h1):
            hooks.clear()
        super().tidy()


class Datagrams:
    """UDP from ns0 to ns1: what is sent, and what of it arrives.  The last one to
    each round says that the others had their chance: it goes by the same queue."""

    def __init__(self, t, family=4, port=5000):
        kind = socket.AF_INET if family == 4 else socket.AF_INET6
        target = t.target[family]
        self.receiver = t.n1.socket(kind, socket.SOCK_DGRAM)
        # A test reads when all are sent.
        self.receiver.setsockopt(socket.SOL_SOCKET, 33, 1 << 24)    # SO_RCVBUFFORCE
        self.receiver.bind((target, port))
        self.sender = t.n0.socket(kind, socket.SOCK_DGRAM)
        self.sender.connect((target, port))
        self.sport = self.sender.getsockname()[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.receiver.close()
        self.sender.close()

    def send(self, *payloads):
        for payload in payloads:
            self.sender.send(payload)

    def receive(self, count):
        """So many that arrive."""
        return [self.receiver.recv(1 << 16) for _ in range(count)]

    def rest(self):
        """Those that are there already."""
        found = []
        self.receiver.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                found.append(self.receiver.recv(1 << 16))
        self.receiver.settimeout(net.PATIENCE)
        return found
