#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Frames at random: headers that are right, odd and cut off, in stacks of all
kinds, with and without what a stack asks of a NIC (checksum, segmentation).  Each
is delivered or counted as dropped, and the kernel has nothing to say.

    fuzz_frames.py [--count N] [--seed SEED]
"""

# selftest-timeout: 150

import errno
import os
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import fuzz     # noqa: E402
import net      # noqa: E402
import nic      # noqa: E402
import rtnl     # noqa: E402
import tap      # noqa: E402
from grammar import Grammar     # noqa: E402

ARGUMENTS = fuzz.arguments(4000)
SOL_PACKET, PACKET_VNET_HDR = 263, 15
# What may be said to a frame that cannot be sent.
FINE = (errno.EINVAL, errno.EMSGSIZE, errno.ENOBUFS, errno.ENETDOWN)


def send(t, info=()):
    t.nics(quiet=True, info=info)
    grammar = Grammar(fuzz.Dice(ARGUMENTS.seed))
    sent = refused = 0
    with t.n0.packet(net.NAME0) as sender, t.n1.packet(net.NAME1) as receiver:
        sender.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
        sender.setsockopt(socket.SOL_SOCKET, 32, 1 << 22)       # SO_SNDBUFFORCE
        for turn in range(ARGUMENTS.count):
            try:
                sender.send(grammar.frame())
                sent += 1
            except OSError as error:
                if error.errno not in FINE:
                    raise
                refused += 1
            if turn % 64 == 63:
                nic.drain(receiver)
    fuzz.note(ARGUMENTS, f"{sent} sent, {refused} refused")
    if sent < ARGUMENTS.count / 4 or not refused:
        raise AssertionError("the frames are of no use")


@tap.case("each frame is delivered or counted")
def wire(t):
    send(t)
    t.balanced()
    tap.note({name: value for port in t.made for name, value in port.private().items()
              if "_drop_" in name and value})
    t.tidy()
    t.nics()
    t.ping()


@tap.case("the same on a wire that hands packets off")
def handoff(t):
    send(t, [rtnl.attr(2, 1)])
    t.tidy()
    t.nics()
    t.ping()


tap.main(nic.Pair)
