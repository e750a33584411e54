# SPDX-License-Identifier: GPL-2.0
"""Rules: what it costs a packet that many of them don't match it.

The pair is veth's. Its receiving end has a chain at netdev ingress whose policy drops;
before that come rules for other sources than the packets', scattered over all
addresses, so that the rules have no network in common. Where several shapes are asked
for, the rules look at that many different sets of fields.
"""

import contextlib
import socket
import struct

import hooks
import topology
import udp
from control import RULE_ADD, TRANSACTION_BEGIN, TRANSACTION_COMMIT
from rows import ROWS
from topology import mac

# The source of rule number 0, and the distance to that of the next: an odd number, so
# that none comes twice.
FIRST, STEP = hooks.address("172.16.0.0"), 0x9E3779B1
# What a rule of each shape has beside the source, in nft's words and in ours.
SHAPES = (
    ("", ()),
    ("udp dport 7", (("dport", 7),)),
    ("udp sport 8", (("sport", 8),)),
    ("ip ttl 77", (("ttl", 77),)),
    ("ip dscp 9", (("dscp", 9),)),
    ("meta mark 5", (("mark", 5),)),
    ("udp dport 11 ip ttl 78", (("dport", 11), ("ttl", 78))),
    ("udp sport 12 ip dscp 10", (("sport", 12), ("dscp", 10))),
)


def address(number):
    return (FIRST + number * STEP) % (1 << 32)


def source(number):
    return socket.inet_ntoa(struct.pack("!I", address(number)))


def nft(space, name, count, shapes):
    """A chain of nftables with a rule for each source."""
    lines = "\n".join(f"ip saddr {source(i)} {SHAPES[i % shapes][0]} drop" for i in range(count))
    space.run("nft", "-f", "-", input=f"""table netdev bench {{
        chain bench {{
            type filter hook ingress device "{name}" priority 0; policy drop;
            {lines}
        }}
    }}""")


def nft_set(space, name, count):
    """A chain of nftables with one rule for a set of sources."""
    elements = "elements = {" + ", ".join(map(source, range(count))) + "}" if count else ""
    space.run("nft", "-f", "-", input=f"""table netdev bench {{
        set sources {{ type ipv4_addr; {elements} }}
        chain bench {{
            type filter hook ingress device "{name}" priority 0; policy drop;
            {'ip saddr @sources drop' if count else ''}
        }}
    }}""")


def ours(space, name, count, shapes):
    """A chain of ferronic's with a rule for each source, by one transaction."""
    with contextlib.closing(hooks.Hooks(space)) as family:
        family.chain("bench", "ingress", "netdev", policy="drop", dev=name)
        if not count:
            return
        templates = []
        for _, more in SHAPES[:shapes]:
            body = struct.pack("=BBH", RULE_ADD, 1, 0) + hooks.Hooks.words(
                "bench", [hooks.term("protocol", hooks.UDP), hooks.term("saddr4", FIRST),
                          *(hooks.term(*term) for term in more)], "drop", transaction=True)
            body += bytes(-len(body) % 4)
            message = struct.pack("=IHHII", 16 + len(body), family.family, hooks.rtnl.NLM_F_REQUEST,
                                  0, 0) + body
            templates.append((bytearray(message), message.index(struct.pack("=Q", FIRST))))
        family.send(TRANSACTION_BEGIN)
        batch = bytearray()
        for i in range(count):
            message, place = templates[i % shapes]
            struct.pack_into("=Q", message, place, address(i))
            batch += message
            if len(batch) > 60000 or i == count - 1:
                family.link.socket.send(batch)
                batch.clear()
        family.send(TRANSACTION_COMMIT)
        there = family.chains()["bench"]["rules"]
        if there != count:
            raise topology.Fault(f"{there} rules in the chain, not {count}")


@contextlib.contextmanager
def rules(bench, place, row, count, shapes=1):
    """So many rules that don't match."""
    one, other = place.spaces()
    left, right = place.pair(ROWS["veth"], one, other)
    if row.name == "veth":
        topology.drop_at_ingress(other, right)
    elif row.name == "nft":
        nft(other, right, count, shapes)
    elif row.name == "nft-set":
        nft_set(other, right, count)
    else:
        ours(other, right, count, shapes)
    with udp.generated(bench, one, left, mac(0, 2), (other, right), pkt_size=60) as run:
        yield run
