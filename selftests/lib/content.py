# SPDX-License-Identifier: GPL-2.0
"""Traffic whose content is checked byte for byte, both ways.

What is sent comes from a seeded generator and is compared whole on arrival, so
that a byte lost, doubled, swapped or damaged anywhere is a failure.
"""

import random
import select
import socket
import struct
import threading

import net
import tap

SO_ZEROCOPY, MSG_ZEROCOPY = 60, 0x4000000
SO_EE_ORIGIN_ZEROCOPY, SO_EE_CODE_ZEROCOPY_COPIED = 5, 1
SO_RCVBUFFORCE, SO_SNDBUFFORCE = 33, 32
SIZES = (0, 1, 2, 17, 18, 19, 63, 64, 65, 511, 1024, 1399, 1471, 1472, 1473, 2959, 2960, 4096,
         8191, 16384, 32768, 65000)


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def randbytes(seed, size):
    return random.Random(seed).randbytes(size)


def differ(got, want):
    """Where two byte strings differ, in words."""
    if got == want:
        return ""
    at = next((i for i, (a, b) in enumerate(zip(got, want)) if a != b), min(len(got), len(want)))
    return (f"{len(got)} bytes instead of {len(want)}, first difference at {at}: "
            f"{got[at:at + 8].hex()} instead of {want[at:at + 8].hex()}")


def same(got, want, what):
    if got != want:
        raise AssertionError(f"{what}: {differ(got, want)}")


def receive_exactly(connection, size):
    """Reads `size` bytes, or up to the end."""
    chunks, left = [], size
    while left:
        chunk = connection.recv(min(left, 1 << 18))
        if not chunk:
            break
        chunks.append(chunk)
        left -= len(chunk)
    return b"".join(chunks)


def exchange(one, other, size, seed, what):
    """Both ends of a connection send `size` bytes at the same time."""
    data = [randbytes(seed, size), randbytes(seed + 1, size)]
    got, errors = [b"", b""], []

    def receive(index, connection):
        try:
            got[index] = receive_exactly(connection, size)
        except OSError as error:
            errors.append(error)

    threads = [threading.Thread(target=receive, args=(0, other)),
               threading.Thread(target=receive, args=(1, one))]
    senders = [threading.Thread(target=lambda c=c, d=d: errors.extend(_send(c, d)))
               for c, d in ((one, data[0]), (other, data[1]))]
    for thread in threads + senders:
        thread.start()
    for thread in threads + senders:
        thread.join()
    if errors:
        raise AssertionError(f"{what}: {errors}")
    same(got[0], data[0], f"{what}, there")
    same(got[1], data[1], f"{what}, back")


def _send(connection, data):
    # Pieces, because a message of SCTP has a largest size.
    try:
        for at in range(0, len(data), 60000):
            connection.sendall(data[at:at + 60000])
    except OSError as error:
        return [error]
    return []


def connect(a, b, source, target, protocol=socket.IPPROTO_TCP, port=5001, options=()):
    """A stream connection from namespace `a` to namespace `b`; its two ends."""
    kind = family(target)
    listener = b.socket(kind, socket.SOCK_STREAM, protocol)
    client = a.socket(kind, socket.SOCK_STREAM, protocol)
    try:
        if protocol == socket.IPPROTO_TCP:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for made in (listener, client):
            for option in options:
                made.setsockopt(*option)
        listener.bind((target, port))
        listener.listen(1)
        client.bind((source, 0))
        client.connect((target, port))
        server, _ = listener.accept()
        server.settimeout(net.PATIENCE)
    except BaseException:
        client.close()
        raise
    finally:
        listener.close()
    return client, server


def stream(a, b, source, target, size, protocol=socket.IPPROTO_TCP, port=5001, seed=1, options=()):
    """Sends `size` bytes each way over one stream connection."""
    client, server = connect(a, b, source, target, protocol, port, options)
    with client, server:
        exchange(client, server, size, seed, f"stream to {target}")


def datagrams(a, b, source, target, sizes=SIZES, seed=1, kind=socket.SOCK_DGRAM, protocol=0,
              port=5002, options=()):
    """Sends datagrams of all sizes there and the same ones back."""
    with a.socket(family(target), kind, protocol) as one, \
            b.socket(family(target), kind, protocol) as other:
        for made, address in ((one, source), (other, target)):
            made.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 4 << 20)
            made.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, 4 << 20)
            for option in options:
                made.setsockopt(*option)
            made.bind((address, port))
        # A raw IPv4 socket gives the header too.
        skip = 20 if kind == socket.SOCK_RAW and family(target) == socket.AF_INET else 0
        where = 0 if kind == socket.SOCK_RAW else port
        for size in sizes:
            data = randbytes(seed + size, size)
            for sender, receiver, to in ((one, other, target), (other, one, source)):
                sender.sendto(data, (to, where))
                same(receiver.recv(1 << 17)[skip:], data, f"{size} bytes to {to}")


def echo(a, source, target, sizes=SIZES, seed=1):
    """Sends ICMP echo requests of all sizes; the kernel at the other end answers
    with the same content."""
    v6 = ":" in target
    protocol = socket.IPPROTO_ICMPV6 if v6 else socket.IPPROTO_ICMP
    with a.socket(family(target), socket.SOCK_RAW, protocol) as raw:
        raw.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 4 << 20)
        raw.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, 4 << 20)
        raw.bind((source, 0))
        for sequence, size in enumerate(sizes):
            data = randbytes(seed + size, size)
            head = struct.pack("!BBHHH", 128 if v6 else 8, 0, 0, 4711, sequence)
            if not v6:
                head = head[:2] + struct.pack("!H", _icmp_sum(head + data)) + head[4:]
            raw.sendto(head + data, (target, 0))
            while True:
                answer = raw.recv(1 << 17)[0 if v6 else 20:]
                if answer[:1] == (b"\x81" if v6 else b"\0") and \
                        struct.unpack("!HH", answer[4:8]) == (4711, sequence):
                    break
            same(answer[8:], data, f"echo of {size} bytes from {target}")


def _icmp_sum(data):
    # Imported here because only IPv4 needs it.
    from frames import checksum
    return ~checksum(data) & 0xFFFF


def completions(sender, count):
    """Reads notifications of MSG_ZEROCOPY until `count` sends are complete; the codes
    seen."""
    done, codes = 0, set()
    # The error queue is POLLERR, which is always asked for.
    waiter = select.poll()
    waiter.register(sender, 0)
    while done < count:
        if not waiter.poll(net.PATIENCE * 1000):
            raise AssertionError(f"{done} of {count} sends complete")
        try:
            _, control, _, _ = sender.recvmsg(0, 512, socket.MSG_ERRQUEUE)
        except BlockingIOError:
            continue
        for _, _, value in control:
            number, origin, _, code, _, low, high = struct.unpack("=IBBBBII", value[:16])
            tap.equal((number, origin), (0, SO_EE_ORIGIN_ZEROCOPY), "notification")
            codes.add(code)
            done += high - low + 1
    return codes


class Flood:
    """UDP datagrams from a namespace as fast as one thread can, until stopped.
    Errors are part of it: the devices under it come and go."""

    def __init__(self, namespace, source, target, size=200, port=5009):
        self.count = self.refused = 0
        self.running = True
        self.socket = namespace.socket(family(target), socket.SOCK_DGRAM)
        self.target, self.data, self.source = (target, port), bytes(size), source
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while self.running:
            try:
                for _ in range(50):
                    self.socket.sendto(self.data, self.target)
                    self.count += 1
            except OSError:
                # Gives up the interpreter, not a wait for anything.
                select.select([], [], [], 0.001)
                self.refused += 1

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.running = False
        self.thread.join()
        self.socket.close()
