# SPDX-License-Identifier: GPL-2.0
"""N-tuple rules and RSS contexts of fe1, and frames that go by them.

    fe0  sends frames made by hand  ---------->  fe1  has rules
"""

import contextlib
import ctypes
import fcntl
import re
import socket
import struct

import frames
import net


def add(port, *words):
    """Inserts a rule; its location."""
    return int(re.search(r"ID (\d+)", port.set("-N", *words)).group(1))


def add_udp4(port, dport, queue, at):
    """Inserts a rule by a bare ioctl: a program for each of many would take long."""
    siocethtool, insert, udp_v4_flow = 0x8946, 0x32, 2
    spec = struct.pack("=I10xH40x20x10xH40x20x4xQI4x", udp_v4_flow, socket.htons(dport), 0xFFFF,
                       queue, at)
    request = ctypes.create_string_buffer(struct.pack("=IIQ", insert, 0, 0) + spec + bytes(8))
    ifreq = struct.pack("@16sP16x", port.name.encode(), ctypes.addressof(request))
    with port.namespace, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, siocethtool, ifreq)


def rules(port):
    """The locations of all rules."""
    return sorted(map(int, re.findall(r"^Filter: (\d+)", port.set("-n"), re.M)))


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


def quiet(t):
    """A pair whose frames go to queue 0 unless a rule says otherwise."""
    _, other = t.nics(quiet=True)
    other.set("-X", "equal", 1)
    return other
