# SPDX-License-Identifier: GPL-2.0
"""ethtool's ioctl, without a program for each question."""

import collections
import ctypes
import fcntl
import socket
import struct

SIOCETHTOOL = 0x8946
GET_COALESCE, SET_COALESCE, TEST, GET_STRINGS, GET_STATISTICS, GET_SIZES, PER_QUEUE = \
    0xE, 0xF, 0x1A, 0x1B, 0x1D, 0x37, 0x4B
OFFLINE = 1
QUEUE_MASK = 512        # bytes
COALESCE = 92           # bytes
NAME = 32               # bytes
STATISTICS = 1          # a set of names

# Who is asked; a nic.Nic will do as well.
Port = collections.namedtuple("Port", "namespace name")


def request(port, data):
    """One request; returns what stands there afterwards."""
    buffer = ctypes.create_string_buffer(data, len(data))
    ifreq = struct.pack("@16sP16x", port.name.encode(), ctypes.addressof(buffer))
    with port.namespace, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCETHTOOL, ifreq)
    return buffer.raw


def rx_usecs(port, queue, value=None):
    """Reads or sets the time between raises of one queue."""
    mask = (1 << queue).to_bytes(QUEUE_MASK, "little")
    found = request(port, struct.pack("=II", PER_QUEUE, GET_COALESCE) + mask + bytes(COALESCE))
    found = found[8 + QUEUE_MASK:]
    if value is not None:
        found = struct.pack("=II", SET_COALESCE, value) + found[8:]
        request(port, struct.pack("=II", PER_QUEUE, SET_COALESCE) + mask + found)
    return struct.unpack_from("=I", found, 4)[0]


def private(port):
    """The driver's own statistics (`ethtool -S`), in the order they come."""
    found = request(port, struct.pack("=IIQ", GET_SIZES, 0, 1 << STATISTICS) + bytes(4))
    count, = struct.unpack_from("=I", found, 16)
    names = request(port, struct.pack("=III", GET_STRINGS, STATISTICS, count) +
                    bytes(NAME * count))[12:]
    values = request(port, struct.pack("=II", GET_STATISTICS, count) + bytes(8 * count))
    return {names[NAME * n:NAME * (n + 1)].partition(b"\0")[0].decode(): value
            for n, value in enumerate(struct.unpack_from(f"={count}Q", values, 8))}


def self_test(port, flags=0):
    request(port, struct.pack("=IIII", TEST, flags, 0, 0) + bytes(8 * 32))
