#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""ethtool's ioctl at random: every command, with arguments that are right in part,
while frames pass.  Each returns, the kernel has nothing to say, and the limits of
the port hold.

    fuzz_ethtool.py [--count N] [--seed SEED]
"""

# selftest-timeout: 150

import ctypes
import errno
import fcntl
import os
import socket
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import content  # noqa: E402
import fuzz     # noqa: E402
import net      # noqa: E402
import nic      # noqa: E402
import tap      # noqa: E402

ARGUMENTS = fuzz.arguments(4000)
SIOCETHTOOL = 0x8946
COMMANDS = 0x60
# The self-test takes a port down and up again, which takes its time.
SELF_TEST, GET_RULES = 0x1A, 0x30
# What these write depends on counts that they are given; no answer is longer.
ROOM = 1 << 20


class Caller:
    """Calls the ioctl with arguments at random."""

    def __init__(self, namespace, name, dice):
        self.dice = dice
        self.socket = namespace.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.buffer = ctypes.create_string_buffer(ROOM)
        self.request = struct.pack("=16sQ16x", name.encode(), ctypes.addressof(self.buffer))
        self.done, self.refused = {}, 0

    def call(self, command, data):
        ctypes.memset(self.buffer, 0, 4096)
        ctypes.memmove(self.buffer, struct.pack("=I", command) + data, 4 + len(data))
        try:
            fcntl.ioctl(self.socket, SIOCETHTOOL, self.request)
            self.done[command] = self.done.get(command, 0) + 1
            return True
        except OSError as error:
            # For a list of n-tuple rules the core makes room for as many as it is told of.
            spared = command == GET_RULES and error.errno == errno.ENOMEM
            if error.errno in (errno.EFAULT, errno.ENOMEM) and not spared:
                raise AssertionError(f"command {command:#x} with {data.hex()}: {error}") from None
            self.refused += 1
            return False

    def step(self):
        dice = self.dice
        command = dice.randrange(1, COMMANDS)
        if command == SELF_TEST and dice.random() < 0.95:
            return
        words = dice.randrange(32)
        if dice.random() < 0.4 and self.call(command, b""):
            # What it answered, spoilt, for this command or the one that sets the same.
            size = dice.choice((20, 64, 128, 512))
            data = dice.spoil(ctypes.string_at(self.buffer, size)[4:], 0.9)
            self.call(command + dice.randrange(2), data)
            return
        self.call(command, b"".join(struct.pack("=I", dice.odd()) for _ in range(words)))


@tap.case("every command while frames pass")
def commands(t):
    one, other = t.nics(only4=True)
    dice = fuzz.Dice(ARGUMENTS.seed)
    callers = [Caller(t.n0, net.NAME0, dice), Caller(t.n1, net.NAME1, dice)]
    with content.Flood(t.n0, *net.V4), content.Flood(t.n1, *reversed(net.V4)):
        for _ in range(ARGUMENTS.count):
            dice.choice(callers).step()
    for port in (one, other):
        rings, channels = port.rings(), port.channels()
        tap.equal((64 <= rings["rx"] <= 8192, 64 <= rings["tx"] <= 8192), (True, True),
                  f"sizes of rings ({rings})")
        tap.equal(1 <= channels["combined"] <= channels["combined_max"], True,
                  f"number of channels ({channels})")
        tap.equal(max(port.rss()["indir"]) < channels["combined"], True, "steering")
    done = {command for caller in callers for command in caller.done}
    fuzz.note(ARGUMENTS, f"{sum(sum(c.done.values()) for c in callers)} done, of {len(done)} "
              f"commands; {sum(c.refused for c in callers)} refused")
    for caller in callers:
        caller.socket.close()
    t.balanced()
    t.tidy()
    t.nics()
    t.ping()


tap.main(nic.Pair)
