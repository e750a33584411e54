# SPDX-License-Identifier: GPL-2.0
"""Where a figure is measured: namespaces of its own, joined by links of one kind.

          a                    b                     c
      +-----------+        +-----------+         +-----------+
      | left0     |========| right0    |         |           |
      | 10.0.0.1  |        | 10.0.0.2  |         |           |
      +-----------+        | left1     |=========| right1    |
                           | 10.0.1.1  |         | 10.0.1.2  |
                           +-----------+         +-----------+

Nothing but the figure's own traffic is on the links: there is no IPv6, and
neighbours are known beforehand.
"""

import contextlib
import itertools
import os
import socket
import struct
import subprocess

import net
import rtnl

PROGRAMS = f"{net.REPOSITORY}/build/{os.uname().release}/bench"
RTM_NEWNEIGH, NUD_PERMANENT = 28, 0x80

_serial = itertools.count()


def address(subnet, host):
    return f"10.0.{subnet}.{host}"


def mac(subnet, host):
    return f"02:00:00:00:{subnet:02x}:{host:02x}"


class Fault(Exception):
    """The bench itself went wrong: its figure is worth nothing."""


class Site:
    """The namespaces, and what is in them, of one figure and one row."""

    def __init__(self):
        self.stack = contextlib.ExitStack()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stack.close()

    def space(self):
        """A namespace without IPv6."""
        made = net.Namespace(str(next(_serial)))
        self.stack.callback(made.close)
        made.sysctl("net/ipv6/conf/all/disable_ipv6", 1)
        made.sysctl("net/ipv6/conf/default/disable_ipv6", 1)
        made.rtnl.change("lo", up=True)
        return made

    def spaces(self, count=2):
        return [self.space() for _ in range(count)]

    def pair(self, row, one, other, subnet=0, mtu=None, queues=None):
        """Joins two namespaces by a pair of the row's kind, up and with addresses."""
        names = f"left{subnet}", f"right{subnet}"
        row.make(one, names[0], mac(subnet, 1), other, names[1], mac(subnet, 2), queues)
        for space, name in zip((one, other), names):
            if mtu:
                space.rtnl.change(name, mtu=mtu)
            space.rtnl.change(name, up=True)
        for host, (space, name) in enumerate(zip((one, other), names), 1):
            row.configure(space, name)
            net.running(space, name)
            space.rtnl.add_address(name, address(subnet, host), 24)
            neighbour(space, name, address(subnet, 3 - host), mac(subnet, 3 - host))
        return names


def neighbour(space, name, ip, ethernet):
    """Tells a namespace for good who has an address."""
    index = space.rtnl.get(name)["index"]
    body = struct.pack("=BxxxiHBB", socket.AF_INET, index, NUD_PERMANENT, 0, 0)
    body += rtnl.attr(1, socket.inet_aton(ip)) + rtnl.attr(2, rtnl.mac(ethernet))
    space.rtnl.request(RTM_NEWNEIGH, rtnl.NLM_F_CREATE, body)


def drop_at_ingress(space, name):
    """Drops all that is received, before the network layer sees it."""
    space.tc("qdisc", "add", "dev", name, "clsact")
    space.tc("filter", "add", "dev", name, "ingress", "matchall", "action", "drop")


def features(space, name, **states):
    """Switches features, those that the device has not left out."""
    words = [word for feature, on in states.items()
             for word in (feature.replace("_", "-"), "on" if on else "off")]
    space.ethtool("-K", name, *words)


def program(which, **values):
    """The command line of one of the bench's programs."""
    words = [f"{key.rstrip('_')}={value}" for key, value in values.items() if value is not None]
    return [f"{PROGRAMS}/{which}", *words]


def batches(which, **values):
    """Runs a program that prints a line for each batch: nanoseconds, units."""
    done = subprocess.run(program(which, **values), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise Fault(f"{which}: status {done.returncode}: {done.stderr.strip()}")
    return [tuple(map(int, line.split())) for line in done.stdout.splitlines()]
