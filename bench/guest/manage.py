# SPDX-License-Identifier: GPL-2.0
"""What managing links costs: creating, deleting, reconfiguring under traffic, and
the memory that a port takes."""

import contextlib
import functools
import itertools
import re
import struct
import subprocess
import time

import control
import ethnl
import rtnl
from topology import Fault, address, program

GROUP = 7


class Written(rtnl.Rtnl):
    """Requests written down instead of sent: so that, while the kernel is measured,
    only sending them is left to do here."""

    def __init__(self):
        self.messages, self.sequence = [], 0

    def request(self, kind, flags, body):
        self.sequence += 1
        flags |= rtnl.NLM_F_REQUEST | rtnl.NLM_F_ACK
        self.messages.append(
            struct.pack("=IHHII", 16 + len(body), kind, flags, self.sequence, 0) + body)


def sent(socket, messages):
    """Sends one request after the other; the nanoseconds until the last was done."""
    begin = time.monotonic_ns()
    for message in messages:
        socket.send(message)
        answer = socket.recv(4096)
        if answer[16:20] != b"\0\0\0\0":
            raise Fault(f"a request failed: {rtnl.struct.unpack_from('=i', answer, 16)[0]}")
    return time.monotonic_ns() - begin


@contextlib.contextmanager
def made(bench, place, row, count, deleting=None):
    """Pairs created; or deleted, one by one ("each") or all by one request ("group")."""
    space = place.space()
    create, delete, group = Written(), Written(), Written()
    for i in range(count):
        create.add_pair(row.kind, {"name": f"right{i}"}, info=row.info, name=f"left{i}",
                        extra=[rtnl.attr(rtnl.IFLA_GROUP, GROUP)])
        delete.delete(f"left{i}")
    group.request(rtnl.RTM_DELLINK, 0, rtnl.ifinfo() + rtnl.attr(rtnl.IFLA_GROUP, GROUP))

    rounds = max(20 // count, 1)

    def once():
        creating = sent(space.rtnl.socket, create.messages)
        removing = sent(space.rtnl.socket, (delete if deleting == "each" else group).messages)
        return removing if deleting else creating

    def run(batches):
        return [(sum(once() for _ in range(rounds)), rounds * count) for _ in range(batches)]

    if count < 100:
        run(1)
        yield run
    else:
        # These take so long that there is nothing to warm up, and two will do.
        yield lambda batches: run(min(batches, 2))


def whole(socket, message):
    """Sends the request for a dump, and reads until its end."""
    socket.send(message)
    while True:
        data = socket.recv(1 << 18)
        # The end is a message of its own, the last one of what is read.
        if struct.unpack_from("=H", data, len(data) - 16)[0] == rtnl.NLMSG_DONE:
            return


@contextlib.contextmanager
def dumped(bench, place, row, count):
    """All ports of a namespace told by the control family: ports, wires, stages,
    sampling; without what it takes to read that here."""
    space = place.space()
    for i in range(count // 2):
        space.rtnl.add_pair(row.kind, {"name": f"right{i}"}, info=row.info, name=f"left{i}")
    raw = control.Raw(space)
    place.stack.callback(raw.close)
    header = struct.pack("=BBH", 0, 1, 0)
    requests = [struct.pack("=IHHII", 20, raw.family, rtnl.NLM_F_REQUEST | rtnl.NLM_F_DUMP, 1, 0) +
                bytes([command]) + header[1:]
                for command in (control.PORT_GET, control.WIRE_GET, control.STAGE_GET,
                                control.SAMPLING_GET)]

    # A tick of the clock is a good part of a short dump.
    rounds = max(1000 // count, 1)

    def once():
        begin = time.monotonic_ns()
        for _ in range(rounds):
            for request in requests:
                whole(raw.link.socket, request)
        return time.monotonic_ns() - begin

    def run(batches):
        return [(once(), rounds * count) for _ in range(batches)]

    run(1)
    yield run


def longest_gap(spaces, change):
    """The longest time in which nothing arrived, while `change` was done once."""
    with subprocess.Popen(program("gap", from_=spaces[0].name, to=spaces[1].name,
                                  address=address(0, 2)),
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        if process.stdout.readline() != "ready\n":
            raise Fault("no traffic to look for gaps in")
        change()
        return int(process.communicate()[0].split()[0])


@contextlib.contextmanager
def reconfigured(bench, place, row, what, values):
    """The receiver is told another number of channels, or size of rings, in turn;
    the figure is how long traffic stood still."""
    spaces = place.spaces()
    _, right = place.pair(row, *spaces, queues=max(values) if row.kind == "veth" else None)
    port = ethnl.Ethtool(spaces[1], right)
    place.stack.callback(port.close)
    table, names = {"channels": (ethnl.CHANNELS, ("combined",)),
                    "rings": (ethnl.RINGS, ("rx", "tx"))}[what]
    if row.kind == "veth":
        names = ("rx", "tx")

    def change(value):
        port.set(table, **{name: value for name in names})

    def run(count):
        # An extreme has no median: a batch is the longest of a few changes.
        return [(max(longest_gap(spaces, functools.partial(change, value))
                     for value in values * 2), 1) for _ in range(count)]

    run(1)
    yield run


def free():
    """Bytes of memory that nothing uses; those waiting on the CPUs' lists among them."""
    with open("/proc/meminfo") as file:
        kilobytes = int(re.search(r"MemFree:\s+(\d+)", file.read())[1])
    with open("/proc/zoneinfo") as file:
        pages = sum(map(int, re.findall(r"^\s+count:\s+(\d+)", file.read(), re.M)))
    return kilobytes * 1024 + pages * 4096


def settled():
    """Free memory, once what is freed late has been freed."""
    with open("/proc/sys/vm/drop_caches", "w") as file:
        file.write("3")
    last, now = None, free()
    while last is None or abs(now - last) > 65536:
        time.sleep(0.2)
        last, now = now, free()
    return now


@contextlib.contextmanager
def memory(bench, place, row, channels=1, ring=None, up=True):
    """Bytes per port, of ports with so many channels and descriptors in each ring. Those
    of earlier batches stay, so that none lives on what another has given back."""
    one, other = place.spaces()
    serial = itertools.count()
    # So many that they fit, and that pages half used don't matter.
    pairs = 4 if row.ours and channels * (ring or 0) > 4096 else 16

    def run(count):
        found = []
        for _ in range(count):
            before = settled()
            for i in itertools.islice(serial, pairs):
                names = f"left{i}", f"right{i}"
                row.make(one, names[0], f"02:00:00:00:{i:02x}:01", other, names[1],
                         f"02:00:00:00:{i:02x}:02", channels)
                for space, name in zip((one, other), names):
                    if ring and row.ours:
                        space.ethtool("-G", name, "rx", str(ring), "tx", str(ring))
                    if up:
                        space.rtnl.change(name, up=True)
                        row.configure(space, name)
            found.append((before - settled(), 2 * pairs))
        return found

    run(1)
    yield run
