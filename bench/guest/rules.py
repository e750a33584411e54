# SPDX-License-Identifier: GPL-2.0
"""Rules: what they cost a packet, and what it costs to replace and to keep them.

The pair is veth's. Its receiving end has one chain, at PREROUTING or at netdev ingress,
whose policy drops. The rules are for sources scattered over all addresses, so that they
have no network in common, none of which the packets are from. Where several shapes are
asked for, they are prefixes of four lengths, with each of four choices of ports, of two
protocols.
"""

import contextlib
import itertools
import socket
import struct
import time

import hooks
import manage
import topology
import udp
from control import RULE_ADD, RULE_DEL, TRANSACTION_BEGIN, TRANSACTION_COMMIT
from rows import ROWS
from topology import mac

# The source of rule number 0, and the distance to that of the next: an odd number, so
# that none comes twice.
FIRST, STEP = hooks.address("172.16.0.0"), 0x9E3779B1
# Of the packets: net, and what the generator sends unless told.
NET, PORT = 10, 9
# Lengths of prefixes and choices of ports of the shapes; one shape is the first of both.
LENGTHS, PORTS = (32, 24, 20, 16), ((), ("dport",), ("sport",), ("dport", "sport"))
SHAPES = [(length, ports) for ports in PORTS for length in LENGTHS]
PROTOCOLS = (("udp", hooks.UDP), ("tcp", hooks.TCP))
# A chain's place in nftables' words, by where it is.
TABLES = {"prerouting": ("ip", "type filter hook prerouting priority raw;"),
          "ingress": ("netdev", 'type filter hook ingress device "right0" priority 0;')}


def address(number):
    """The source of a rule; never of the packets' net."""
    found = (FIRST + number * STEP) % (1 << 32)
    return found + (1 << 24) if found >> 24 == NET else found


def dotted(number):
    return socket.inet_ntoa(struct.pack("!I", number))


def mask(length):
    return (1 << 32) - (1 << 32 - length)


def rule_of(number, shapes):
    """A rule: source, length of its prefix, protocol, ports."""
    length, ports = SHAPES[number % shapes]
    protocol = PROTOCOLS[number // shapes % 2 if shapes > 1 else 0]
    return address(number) & mask(length), length, protocol, {port: 7 for port in ports}


def nft_chain(space, where, text="", sets="", policy="drop"):
    """A chain of nftables."""
    family, place = TABLES[where]
    space.run("nft", "-f", "-", input=f"""table {family} bench {{
        {sets}
        chain bench {{
            {place} policy {policy};
            {text}
        }}
    }}""")


def nft(space, where, count, shapes):
    """A rule of nftables each."""
    lines = []
    for number in range(count):
        source, length, (protocol, _), ports = rule_of(number, shapes)
        words = "".join(f"{protocol} {port} {value} " for port, value in ports.items())
        lines.append(f"ip saddr {dotted(source)}/{length} {words or f'meta l4proto {protocol} '}drop")
    nft_chain(space, where, "\n".join(lines))


def nft_set(space, where, count, shapes):
    """A set of nftables for each shape, and a rule for it."""
    sets, lines = "", []
    for shape, (length, ports) in enumerate(SHAPES[:min(shapes, count)]):
        elements = set()
        for number in range(shape, count, shapes):
            source, _, (protocol, _), values = rule_of(number, shapes)
            elements.add(" . ".join([dotted(source), protocol, *map(str, values.values())]))
        kinds = " . ".join(["ipv4_addr", "inet_proto", *["inet_service"] * len(ports)])
        sets += f"set s{shape} {{ type {kinds}; elements = {{ {', '.join(elements)} }} }}\n"
        source = "ip saddr" if length == 32 else f"ip saddr & {dotted(mask(length))}"
        lines.append(" . ".join([source, "meta l4proto", *(f"th {port}" for port in ports)]) +
                     f" @s{shape} drop")
    nft_chain(space, where, "\n".join(lines), sets)


class Ruleset:
    """Rules of ours, written down as the messages of a transaction."""

    def __init__(self, family, count, shapes, first=0):
        self.family, self.batches = family, []
        batch = bytearray()
        for number in range(first, first + count):
            message, place = self.template(number, shapes)
            struct.pack_into("=Q", message, place, rule_of(number, shapes)[0])
            batch += message
            if len(batch) > 60000:
                self.batches.append(bytes(batch))
                batch.clear()
        if batch:
            self.batches.append(bytes(batch))

    templates = {}

    def template(self, number, shapes):
        """The message of such a rule, and where its source stands."""
        key = number % (2 * shapes), shapes
        if key not in self.templates:
            _, length, (_, protocol), ports = rule_of(number, shapes)
            body = struct.pack("=BBH", RULE_ADD, 1, 0) + hooks.Hooks.words(
                "bench", [hooks.term("protocol", protocol),
                          hooks.term("saddr4", FIRST, length, "prefix"),
                          *(hooks.term(*port) for port in ports.items())], "drop", transaction=True)
            body += bytes(-len(body) % 4)
            message = bytearray(struct.pack("=IHHII", 16 + len(body), self.family.family,
                                            hooks.rtnl.NLM_F_REQUEST, 0, 0) + body)
            self.templates[key] = message, message.index(struct.pack("=Q", FIRST))
        return self.templates[key]

    def replace(self):
        """Replaces the rules that there are; when the transaction began, and when all of it
        had been sent."""
        flush = hooks.attribute(hooks.RULE, "chain", "bench") + \
            hooks.attribute(hooks.RULE, "transaction", True)
        began = time.monotonic_ns()
        self.family.send(TRANSACTION_BEGIN)
        self.family.send(RULE_DEL, flush)
        for batch in self.batches:
            self.family.link.socket.send(batch)
        sent = time.monotonic_ns()
        self.family.send(TRANSACTION_COMMIT)
        return began, sent


def chain(space, where, policy="drop"):
    """A chain of ours, empty."""
    family = hooks.Hooks(space)
    if where == "ingress":
        family.chain("bench", where, "netdev", policy=policy, dev="right0")
    else:
        family.chain("bench", where, "ip", priority=-300, policy=policy)
    return family


def ours(space, where, count, shapes):
    """Our rules, by one transaction."""
    with contextlib.closing(chain(space, where)) as family:
        Ruleset(family, count, shapes).replace()
        there = family.chains()["bench"]["rules"]
        if there != count:
            raise topology.Fault(f"{there} rules in the chain, not {count}")


MAKE = {"nft": nft, "nft-set": nft_set, "hooks": ours}


@contextlib.contextmanager
def arriving(bench, place, make):
    """Packets that come to a namespace which `make` has filled."""
    one, other = place.spaces()
    left, right = place.pair(ROWS["veth"], one, other)
    make(other)
    with udp.generated(bench, one, left, mac(0, 2), (other, right), pkt_size=60) as run:
        yield run


def unmatched(bench, place, row, count, shapes=1, where="prerouting"):
    """So many rules that don't match."""
    return arriving(bench, place, lambda space: MAKE[row.name](space, where, count, shapes))


def matched(bench, place, row, action):
    """One rule that matches, and counts or accepts; then another chain drops."""
    made = []

    def make(space):
        space.run("nft", "-f", "-", input="""table ip behind {
            chain behind { type filter hook prerouting priority 0; policy drop; }
        }""")
        if row.name == "nft":
            words = {"continue": "counter", "accept": "counter accept"}[action]
            nft_chain(space, "prerouting", f"ip saddr 10.0.0.1 udp dport {PORT} {words}",
                      policy="accept")
            return
        with contextlib.closing(chain(space, "prerouting", policy="accept")) as family:
            rule = family.rule("bench", hooks.term("saddr4", hooks.address("10.0.0.1")),
                               hooks.term("protocol", hooks.UDP), hooks.term("dport", PORT),
                               action=action)
            made.append((hooks.Hooks(space), rule))

    @contextlib.contextmanager
    def counted():
        with arriving(bench, place, make) as run:
            yield run
            for family, rule in made:
                if not family.get("bench", rule)["packets"]:
                    raise topology.Fault("the rule did not match")
                family.close()

    return counted()


@contextlib.contextmanager
def replaced(bench, place, row, count, whole):
    """All rules of a chain replaced by a transaction: from its begin on, or its commit only."""
    space = place.space()
    with contextlib.closing(chain(space, "prerouting")) as family:
        sets = itertools.cycle([Ruleset(family, count, 16, first) for first in (0, count)])

        def run(batches):
            found = []
            for _ in range(batches):
                began, sent = next(sets).replace()
                found.append((time.monotonic_ns() - (began if whole else sent), 1))
                there = family.chains()["bench"]["rules"]
                if there != count:
                    raise topology.Fault(f"{there} rules in the chain, not {count}")
            return found

        run(1)
        yield run


@contextlib.contextmanager
def memory(bench, place, row, count):
    """Bytes that a rule takes, of so many in a chain: by the free memory that there is."""
    space = place.space()
    with contextlib.closing(chain(space, "prerouting")) as family:
        rules = Ruleset(family, count, 16)

        def run(batches):
            found = []
            for _ in range(batches):
                before = manage.settled()
                rules.replace()
                found.append((before - manage.settled(), count))
                family.delete("bench")
                chain(space, "prerouting").close()
            return found

        run(1)
        yield run
