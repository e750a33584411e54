# SPDX-License-Identifier: GPL-2.0
"""The Toeplitz hash as published by Microsoft for receive-side scaling, bit by
bit from its definition, to predict what a NIC must compute."""

import socket
import struct

# The key and the vectors of Microsoft's "Verifying the RSS Hash Calculation". The
# published key has 40 bytes; what follows is only reached by longer inputs.
KEY = bytes.fromhex("6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c"
                    "6a42b73bbeac01fa") + bytes(12)
VECTORS_V4 = (
    ("66.9.149.187", 2794, "161.142.100.80", 1766, 0x323E8FC2, 0x51CCC178),
    ("199.92.111.2", 14230, "65.69.140.83", 4739, 0xD718262A, 0xC626B0EA),
    ("24.19.198.95", 12898, "12.22.207.184", 38024, 0xD2D0A5DE, 0x5C2B394A),
    ("38.27.205.30", 48228, "209.142.163.6", 2217, 0x82989176, 0xAFC7327F),
    ("153.39.163.191", 44251, "202.188.127.2", 1303, 0x5D1809C5, 0x10E828A2),
)
VECTORS_V6 = (
    ("3ffe:2501:200:1fff::7", 2794, "3ffe:2501:200:3::1", 1766, 0x2CC18CD5, 0x40207D3D),
    ("3ffe:501:8::260:97ff:fe40:efab", 14230, "ff02::1", 4739, 0x0F0C461C, 0xDDE51BBF),
    ("3ffe:1900:4545:3:200:f8ff:fe21:67cf", 44251, "fe80::200:f8ff:fe21:67cf", 38024,
     0x4B61E985, 0x02D1FEEF),
)


def hash_of(key, data):
    """The hash of the input bytes under the key."""
    value, bits = 0, int.from_bytes(key, "big")
    length = len(key) * 8
    for at, byte in enumerate(data):
        for bit in range(8):
            if byte & 0x80 >> bit:
                value ^= bits >> (length - 32 - (at * 8 + bit)) & 0xFFFFFFFF
    return value


def address(text):
    return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)


def of_flow(key, src, dst, sport=None, dport=None, symmetric=False):
    """The hash of a flow, with ports or without.  The symmetric form (symmetric-xor)
    hashes source xor destination twice over."""
    a, b = address(src), address(dst)
    p, q = (struct.pack("!H", port) if port is not None else b"" for port in (sport, dport))
    if symmetric:
        a = b = bytes(x ^ y for x, y in zip(a, b))
        p = q = bytes(x ^ y for x, y in zip(p, q))
    return hash_of(key, a + b + p + q)


def check_self():
    """The definition above gives the published values."""
    for vectors in (VECTORS_V4, VECTORS_V6):
        for src, sport, dst, dport, plain, ports in vectors:
            assert of_flow(KEY, src, dst) == plain, (src, hex(of_flow(KEY, src, dst)))
            assert of_flow(KEY, src, dst, sport, dport) == ports, src
