# SPDX-License-Identifier: GPL-2.0
"""Keeps the branches that hooks and time stamps switch on switched on.

The first hook at a point of the stack changes the kernel's code, and so does the last
one that goes (static keys); the first socket that wants time stamps, as ping's, too.  An emulator may miss that: QEMU before 8.1 under TCG can go
on with instructions that it translated while they were being changed, and traffic on
another CPU then stumbles over a breakpoint that is not there any more ("Oops: int3").
So a namespace of its own has a hook at every point, and the runner a socket with time
stamps, for as long as the machine runs.
"""

import socket
import subprocess

NAMESPACE = "static-keys"
POINTS = ("prerouting", "input", "forward", "output", "postrouting")
RULES = "".join(f"add chain inet keys {point} {{ type filter hook {point} priority 0; }}\n"
                for point in POINTS) + \
        "".join(f"add chain netdev keys {way} {{ type filter hook {way} device lo priority 0; }}\n"
                for way in ("ingress", "egress"))


SO_TIMESTAMP = 29


def hold():
    """Attaches to all points; what the kernel lacks has no branches.  Returns what is to
    be kept."""
    stamped = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    stamped.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMP, 1)
    for command, text in (
            (("ip", "netns", "add", NAMESPACE), None),
            (("tc", "-n", NAMESPACE, "qdisc", "add", "dev", "lo", "clsact"), None),
            (("ip", "netns", "exec", NAMESPACE, "nft", "-f", "-"),
             "add table inet keys\nadd table netdev keys\n" + RULES)):
        subprocess.run(command, input=text, text=True, capture_output=True, check=False)
    return stamped
