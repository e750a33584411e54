# SPDX-License-Identifier: GPL-2.0
"""XDP programs of two instructions, loaded without a compiler."""

import contextlib
import ctypes
import os
import struct

import tap
from rtnl import attr

SYSCALL = {"x86_64": 321, "aarch64": 280}
PROG_LOAD, TYPE_XDP, PASS = 5, 6, 2
IFLA_XDP, XDP_FD, XDP_FLAGS, SKB_MODE = 43, 1, 3, 1 << 1


def load(verdict=PASS):
    """A program that gives every packet this verdict; its file descriptor."""
    number = SYSCALL.get(os.uname().machine)
    if number is None:
        raise tap.Skip("the number of bpf(2) is not known here")
    code = ctypes.create_string_buffer(struct.pack("=BBhi", 0xB7, 0, 0, verdict) +
                                       struct.pack("=BBhi", 0x95, 0, 0, 0))
    words = ctypes.create_string_buffer(b"GPL")
    arguments = ctypes.create_string_buffer(struct.pack(
        "=IIQQ", TYPE_XDP, 2, ctypes.addressof(code), ctypes.addressof(words)) + bytes(96))
    libc = ctypes.CDLL(None, use_errno=True)
    found = libc.syscall(number, PROG_LOAD, arguments, len(arguments.raw) - 1)
    if found < 0:
        raise OSError(ctypes.get_errno(), "bpf(2)")
    return found


@contextlib.contextmanager
def generic(namespace, dev, verdict=PASS):
    """A program before the stack, for as long as the body runs."""
    program = load(verdict)
    try:
        namespace.rtnl.change(dev, extra=[attr(IFLA_XDP, [attr(XDP_FD, program),
                                                          attr(XDP_FLAGS, SKB_MODE)])])
        yield
        namespace.rtnl.change(dev, extra=[attr(IFLA_XDP, [attr(XDP_FD, 0xFFFFFFFF),
                                                          attr(XDP_FLAGS, SKB_MODE)])])
    finally:
        os.close(program)
