# SPDX-License-Identifier: GPL-2.0
"""What is compared: kinds of link."""

import struct

import rtnl
import toeplitz

IFLA_NETKIT_MODE, NETKIT_L2 = 5, 0
FERRONIC_LINK_DATAPATH, DATAPATH_NIC, DATAPATH_HANDOFF = 2, 0, 1


class Row:
    """A kind of link that comes in pairs."""

    def __init__(self, name, kind, title, info=(), gro=False):
        self.name, self.kind, self.title = name, kind, title
        self.info, self.gro = list(info), gro

    @property
    def ours(self):
        return self.kind == "ferronic"

    def make(self, one, name0, mac0, other, name1, mac1, queues=None):
        """Makes a pair, each end in a namespace, with its kind's own number of queues
        unless told."""
        own = {"name": name0, "address": mac0}
        peer = {"name": name1, "address": mac1, "ns": other.fd}
        if queues and not self.ours:
            for end in own, peer:
                end.update(txq=queues, rxq=queues)
        one.rtnl.add_pair(self.kind, peer, info=self.info, **own)
        if queues and self.ours:
            for space, name in (one, name0), (other, name1):
                space.ethtool("-L", name, "combined", str(queues))

    def configure(self, space, name):
        """What is left to do once the link is up."""
        if self.gro:
            space.ethtool("-K", name, "gro", "on")
        if self.name == "nic":
            # Otherwise the channels that flows take were others in each boot.
            space.ethtool("-X", name, "hkey", toeplitz.KEY.hex(":"))


class Single:
    """A kind of link that has one end: not for every figure."""

    ours = False

    def __init__(self, name, title):
        self.name, self.title = name, title


ROWS = {row.name: row for row in (
    Single("dummy", "dummy: sends and frees, the floor"),
    Row("veth", "veth", "veth as it comes"),
    Row("veth-gro", "veth", "veth with GRO, hence NAPI", gro=True),
    Row("netkit", "netkit", "netkit, as an Ethernet device",
        info=[rtnl.attr(IFLA_NETKIT_MODE, struct.pack("=I", NETKIT_L2))]),
    Row("nic", "ferronic", "ferronic, datapath nic",
        info=[rtnl.attr(FERRONIC_LINK_DATAPATH, DATAPATH_NIC)]),
    Row("handoff", "ferronic", "ferronic, datapath handoff",
        info=[rtnl.attr(FERRONIC_LINK_DATAPATH, DATAPATH_HANDOFF)]),
    Single("tap", "tap: a write from user space"),
    Single("nft", "nftables, a rule each"),
    Single("nft-set", "nftables, one rule and a set"),
    Single("hooks", "ferronic's chains of rules"),
)}

PAIRS = tuple(name for name, row in ROWS.items() if isinstance(row, Row))
FLOOR, PEER = "dummy", "veth"
