# SPDX-License-Identifier: GPL-2.0
"""N-tuple rules and RSS contexts of fe1, and frames that go by them.

    fe0  sends frames made by hand  ---------->  fe1  has rules
"""

import contextlib
import re
import socket
import struct

import ethioctl
import frames
import net

GET_HASHED, SET_HASHED, GET_RULES, DELETE_RULE, INSERT_RULE = 0x29, 0x2A, 0x30, 0x31, 0x32
UDP_V4_FLOW = 2
# struct ethtool_rx_flow_spec: type, what matches, the queue, the location.
SPEC = struct.Struct("=I10xH40x20x10xH40x20x4xQI4x")


def add(port, *words):
    """Inserts a rule; its location."""
    return int(re.search(r"ID (\d+)", port.set("-N", *words)).group(1))


def about_rules(port, command, kind=0, data=0, spec=bytes(SPEC.size), count=0):
    """A request of struct ethtool_rxnfc, with room for the locations of so many rules."""
    return ethioctl.request(port, struct.pack("=IIQ", command, kind, data) + spec +
                            struct.pack("=I4x", count) + bytes(4 * count))


def add_udp4(port, dport, queue, at):
    """Inserts a rule, without a program: for each of many it would take long."""
    about_rules(port, INSERT_RULE, spec=SPEC.pack(UDP_V4_FLOW, socket.htons(dport), 0xFFFF, queue,
                                                  at))


def delete(port, at):
    about_rules(port, DELETE_RULE, spec=SPEC.pack(0, 0, 0, 0, at))


def hashed(port, fields=None):
    """Reads or sets the fields of UDP by IPv4 that are hashed."""
    if fields is not None:
        about_rules(port, SET_HASHED, UDP_V4_FLOW, fields)
    found = about_rules(port, GET_HASHED, UDP_V4_FLOW)
    return struct.unpack_from("=Q", found, 8)[0]


def rules(port):
    """The locations of all rules."""
    found = about_rules(port, GET_RULES, count=256)
    count, = struct.unpack_from("=I", found, 16 + SPEC.size)
    return sorted(struct.unpack_from(f"={count}I", found, 20 + SPEC.size))


def new_context(port, *words):
    return int(re.search(r"context is (\d+)", port.set("-X", "context", "new", *words)).group(1))


def packet(proto=17, sport=1000, dport=2000, v6=False, tos=0, flags=0, vlans=(), src=None):
    """A frame to fe1."""
    source, target = net.V6 if v6 else net.V4
    source = src or source
    if proto == 17:
        body = frames.udp(source, target, sport, dport, b"rule" * 10)
    elif proto == 6:
        body = frames.tcp(source, target, sport, dport, 1, 1, 0x10)
    else:
        body = bytes([sport >> 8, sport & 255, dport >> 8, dport & 255]) * 10
    if v6:
        body, kind = frames.ipv6(source, target, proto, body), frames.ETH_P_IPV6
    else:
        body = frames.ipv4(source, target, proto, body, tos=tos, flags=flags)
        kind = frames.ETH_P_IP
    return frames.ether(net.MAC[1], net.MAC[0], kind, body, vlans=vlans)


@contextlib.contextmanager
def sending(t):
    """Calls with frames give how many of them each queue of fe1 got, when all but
    `dropped` have come."""
    _, other = t.made
    with t.n0.packet("fe0") as sender:
        def send(*all_frames, dropped=0):
            before = other.rx_by_queue()
            for frame in all_frames:
                sender.send(frame)

            def got():
                after = other.rx_by_queue()
                return {queue: after[queue] - before[queue] for queue in after
                        if after[queue] != before[queue]}
            net.wait_until(lambda: sum(got().values()) == len(all_frames) - dropped,
                           "the frames", 5 * net.SLOW)
            return got()
        yield send
    t.balanced()


def quiet(t, **options):
    """A pair whose frames go to queue 0 unless a rule says otherwise."""
    _, other = t.nics(quiet=True, **options)
    other.set("-X", "equal", 1)
    return other
