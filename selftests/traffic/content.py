#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Every kind of traffic arrives as it was sent, both ways, in all sizes."""

import os
import socket
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import conservation  # noqa: E402
import content  # noqa: E402
import net      # noqa: E402
import tap      # noqa: E402

UDP_SEGMENT, UDP_GRO, UDP_NO_CHECK6_TX = 103, 104, 101
SO_NO_CHECK = 11


def both(t, function, *arguments, **options):
    """Calls it for IPv4 and for IPv6."""
    t.pair()
    for addresses in (net.V4, net.V6):
        function(t.n0, t.n1, *addresses, *arguments, **options)


@tap.case("ICMP echo, 0 to 65000 bytes")
def icmp(t):
    t.pair()
    for addresses in (net.V4, net.V6):
        content.echo(t.n0, *addresses)
        content.echo(t.n1, *reversed(addresses))


@tap.case("UDP, 0 to 65000 bytes")
def udp(t):
    both(t, content.datagrams)


@tap.case("UDP without a checksum")
def udp_no_checksum(t):
    t.pair()
    content.datagrams(t.n0, t.n1, *net.V4, options=[(socket.SOL_SOCKET, SO_NO_CHECK, 1)])


@tap.case("a protocol of its own over raw sockets, 1 to 65000 bytes")
def raw(t):
    both(t, content.datagrams, sizes=content.SIZES[1:], kind=socket.SOCK_RAW, protocol=253, port=0)


@tap.case("TCP in one stream, 4 MB each way at once")
def tcp(t):
    both(t, content.stream, 4 << 20)


@tap.case("TCP in small pieces")
def tcp_small(t):
    t.pair()
    for addresses in (net.V4, net.V6):
        client, server = content.connect(t.n0, t.n1, *addresses,
                                         options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)])
        with client, server:
            for size in list(range(1, 70)) + [535, 1447, 1448, 1449, 2896, 2897, 9000]:
                data = content.randbytes(size, size)
                client.sendall(data)
                content.same(content.receive_exactly(server, size), data, f"{size} bytes there")
                server.sendall(data)
                content.same(content.receive_exactly(client, size), data, f"{size} bytes back")


@tap.case("eight TCP connections at once")
def tcp_many(t):
    t.pair()
    ends = [content.connect(t.n0, t.n1, *(net.V4, net.V6)[number % 2], port=6000 + number)
            for number in range(8)]
    try:
        data = [content.randbytes(number, 200000) for number in range(8)]
        # The pieces of the connections are interleaved; each fits its socket's
        # buffers, so that one thread can serve all.
        for at in range(0, 200000, 10000):
            for (client, _), part in zip(ends, data):
                client.sendall(part[at:at + 10000])
            for (_, server), part in zip(ends, data):
                content.same(content.receive_exactly(server, 10000), part[at:at + 10000], "piece")
    finally:
        for end in ends:
            for connection in end:
                connection.close()


@tap.case("TCP connections half closed")
def tcp_close(t):
    t.pair()
    client, server = content.connect(t.n0, t.n1, *net.V4)
    with client, server:
        client.sendall(b"request")
        client.shutdown(socket.SHUT_WR)
        content.same(content.receive_exactly(server, 100), b"request", "request")
        server.sendall(b"answer" * 1000)
        server.shutdown(socket.SHUT_WR)
        content.same(content.receive_exactly(client, 10000), b"answer" * 1000, "answer")


@tap.case("UDP cut by the sender's stack or device (UDP_SEGMENT), in order")
def udp_segment(t):
    t.pair()
    for addresses in (net.V4, net.V6):
        for size, segment in ((60000, 1000), (30000, 1452), (3001, 1000), (5000, 100)):
            with t.n0.socket(content.family(addresses[0]), socket.SOCK_DGRAM) as one, \
                    t.n1.socket(content.family(addresses[0]), socket.SOCK_DGRAM) as other:
                other.setsockopt(socket.SOL_SOCKET, content.SO_RCVBUFFORCE, 4 << 20)
                other.bind((addresses[1], 5003))
                one.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, segment)
                data = content.randbytes(size, size)
                one.sendto(data, (addresses[1], 5003))
                for at in range(0, size, segment):
                    content.same(other.recv(70000), data[at:at + segment],
                                 f"segment at {at} of {size}")


@tap.case("UDP joined by the receiver (UDP_GRO) loses nothing")
def udp_gro(t):
    t.pair()
    with t.n0.socket(socket.AF_INET, socket.SOCK_DGRAM) as one, \
            t.n1.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.setsockopt(socket.SOL_SOCKET, content.SO_RCVBUFFORCE, 4 << 20)
        other.setsockopt(socket.IPPROTO_UDP, UDP_GRO, 1)
        other.bind((net.V4[1], 5004))
        one.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, 1000)
        data, got = content.randbytes(5, 40000), b""
        one.sendto(data, (net.V4[1], 5004))
        while len(got) < len(data):
            part, control, _, _ = other.recvmsg(70000, 64)
            for level, kind, value in control:
                if (level, kind) == (socket.IPPROTO_UDP, UDP_GRO):
                    tap.equal(struct.unpack("=i", value)[0], 1000, "segment size")
            got += part
        content.same(got, data, "joined")


@tap.case("SCTP, 300 kB each way")
def sctp(t):
    t.pair()
    if not os.path.isdir("/proc/sys/net/sctp"):
        net.run("modprobe", "sctp", check=False)
    try:
        t.n0.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_SCTP).close()
    except OSError as error:
        raise tap.Skip(f"the kernel has no SCTP: {error}") from None
    for addresses in (net.V4, net.V6):
        content.stream(t.n0, t.n1, *addresses, 300000, protocol=socket.IPPROTO_SCTP, port=5005)


@tap.case("frames of any ethertype, every size from 14 bytes to the MTU's, padded to 60")
def any_ethertype(t):
    t.pair(quiet=True)
    with t.n0.packet("fe0", 0x88B5) as one, t.n1.packet("fe1", 0x88B5) as other:
        for sender, receiver, src, dst in ((one, other, *net.MAC), (other, one, *net.MAC[::-1])):
            head = bytes.fromhex((dst + src).replace(":", "")) + b"\x88\xb5"
            for size in list(range(14, 130)) + list(range(130, 1515, 41)) + [1514]:
                frame = head + content.randbytes(size, size - 14)
                sender.send(frame)
                got = receiver.recv(4000)
                if net.KIND == "ferronic":
                    tap.equal(len(got), max(size, 60), f"length of a frame of {size} bytes")
                content.same(got.ljust(60, b"\0")[:max(size, 60)], frame.ljust(60, b"\0"),
                             f"frame of {size} bytes")


@tap.case("short frames behind long ones are padded with zeros, not with what was there")
def padding(t):
    if net.KIND != "ferronic":
        raise tap.Skip(f"{net.KIND} does not pad")
    t.pair(quiet=True)
    head = bytes.fromhex((net.MAC[1] + net.MAC[0]).replace(":", "")) + b"\x88\xb5"
    with t.n0.packet("fe0", 0x88B5) as sender, t.n1.packet("fe1", 0x88B5) as receiver:
        # Each buffer of the ring has held one.
        for _ in range(2200):
            sender.send(head + b"\xff" * 1500)
            receiver.recv(4000)
        for size in range(14, 60):
            frame = head + content.randbytes(size, size - 14)
            sender.send(frame)
            content.same(receiver.recv(4000), frame.ljust(60, b"\0"), f"frame of {size} bytes")


@tap.case("with checksum, scatter-gather and segmentation offload off")
def offloads_off(t):
    t.pair()
    for namespace, name in ((t.n0, "fe0"), (t.n1, "fe1")):
        namespace.ethtool("-K", name, "tx", "off", "sg", "off", "tso", "off", "gso", "off",
                          "gro", "off")
    for addresses in (net.V4, net.V6):
        content.stream(t.n0, t.n1, *addresses, 500000)
        content.datagrams(t.n0, t.n1, *addresses, sizes=(1, 1000, 20000))
        content.echo(t.n0, *addresses, sizes=(1, 1000, 20000))


tap.main(conservation.Topology)
