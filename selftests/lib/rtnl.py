# SPDX-License-Identifier: GPL-2.0
"""Netlink without forks: links, addresses, and whatever else a test needs to
send exactly as it means it, well-formed or not.

A request returns the list of its replies or raises `NetlinkError`, which holds
the error number and the text of the extended acknowledgement.
"""

import errno
import os
import socket
import struct

NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_REQUEST, NLM_F_MULTI, NLM_F_ACK, NLM_F_DUMP_INTR = 1, 2, 4, 0x10
NLM_F_DUMP, NLM_F_REPLACE, NLM_F_EXCL, NLM_F_CREATE = 0x300, 0x100, 0x200, 0x400
NLM_F_CAPPED, NLM_F_ACK_TLVS = 0x100, 0x200
NLA_F_NESTED, NLA_TYPE_MASK = 0x8000, 0x3FFF
SOL_NETLINK = 270
NETLINK_ADD_MEMBERSHIP, NETLINK_EXT_ACK, NETLINK_GET_STRICT_CHK = 1, 11, 12

RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK, RTM_SETLINK = 16, 17, 18, 19
RTM_NEWADDR, RTM_NEWNEIGH = 20, 28
NUD_PERMANENT = 0x80
RTMGRP_LINK = 1

IFF_UP, IFF_BROADCAST, IFF_RUNNING = 0x1, 0x2, 0x40
IFF_PROMISC, IFF_ALLMULTI, IFF_LOWER_UP = 0x100, 0x200, 0x10000

IFLA_ADDRESS, IFLA_BROADCAST, IFLA_IFNAME, IFLA_MTU, IFLA_LINK = 1, 2, 3, 4, 5
IFLA_QDISC, IFLA_MASTER, IFLA_TXQLEN, IFLA_OPERSTATE = 6, 10, 13, 16
IFLA_LINKINFO, IFLA_NET_NS_PID, IFLA_IFALIAS = 18, 19, 20
IFLA_STATS64, IFLA_AF_SPEC, IFLA_GROUP, IFLA_NET_NS_FD = 23, 26, 27, 28
IFLA_PROMISCUITY, IFLA_NUM_TX_QUEUES, IFLA_NUM_RX_QUEUES = 30, 31, 32
IFLA_CARRIER, IFLA_CARRIER_CHANGES, IFLA_LINK_NETNSID = 33, 35, 37
IFLA_GSO_MAX_SEGS, IFLA_GSO_MAX_SIZE = 40, 41
IFLA_MIN_MTU, IFLA_MAX_MTU = 50, 51
IFLA_INFO_KIND, IFLA_INFO_DATA = 1, 2
INFO_PEER = 1

_U32 = {
    IFLA_MTU: "mtu", IFLA_LINK: "link", IFLA_MASTER: "master",
    IFLA_TXQLEN: "txqlen", IFLA_PROMISCUITY: "promiscuity",
    IFLA_NUM_TX_QUEUES: "num_tx_queues", IFLA_NUM_RX_QUEUES: "num_rx_queues",
    IFLA_CARRIER_CHANGES: "carrier_changes", IFLA_GROUP: "group",
    IFLA_GSO_MAX_SEGS: "gso_max_segs", IFLA_GSO_MAX_SIZE: "gso_max_size",
    IFLA_MIN_MTU: "min_mtu", IFLA_MAX_MTU: "max_mtu",
}
STATS = (
    "rx_packets", "tx_packets", "rx_bytes", "tx_bytes", "rx_errors",
    "tx_errors", "rx_dropped", "tx_dropped", "multicast", "collisions",
    "rx_length_errors", "rx_over_errors", "rx_crc_errors", "rx_frame_errors",
    "rx_fifo_errors", "rx_missed_errors", "tx_aborted_errors",
    "tx_carrier_errors", "tx_fifo_errors", "tx_heartbeat_errors",
    "tx_window_errors", "rx_compressed", "tx_compressed", "rx_nohandler",
    "rx_otherhost_dropped",
)


class NetlinkError(OSError):
    """The kernel refused; `text` is its own explanation, or empty."""

    def __init__(self, number, text, offset=None, missing=None, nest=None):
        super().__init__(number, os.strerror(number))
        self.text, self.offset, self.missing, self.nest = text, offset, missing, nest

    def __str__(self):
        return f"{errno.errorcode.get(self.errno, self.errno)}: {self.text!r}"


def attr(kind, value=b""):
    """One attribute; integers are 32 bits wide, texts end with a zero byte,
    lists are nested."""
    if isinstance(value, int):
        value = struct.pack("=I", value)
    elif isinstance(value, str):
        value = value.encode(errors="surrogateescape") + b"\0"
    elif isinstance(value, (list, tuple)):
        kind |= NLA_F_NESTED
        value = b"".join(value)
    size = 4 + len(value)
    return struct.pack("=HH", size, kind) + value + bytes(-size % 4)


def attrs(data):
    """The attributes in `data`, as pairs of type and content."""
    at = 0
    while at + 4 <= len(data):
        size, kind = struct.unpack_from("=HH", data, at)
        if size < 4:
            break
        yield kind & NLA_TYPE_MASK, data[at + 4:at + size]
        at += (size + 3) & ~3


def ifinfo(index=0, flags=0, change=0, family=0):
    """struct ifinfomsg."""
    return struct.pack("=BxHiII", family, 0, index, flags, change)


def mac(text):
    """The six bytes of an Ethernet address."""
    return bytes.fromhex(text.replace(":", ""))


class Netlink:
    """A netlink socket of one protocol, opened in the caller's namespace.  The kernel
    makes the parts of a dump as large as there ever was room for one, up to 32 kB."""

    def __init__(self, protocol, groups=0, room=1 << 18):
        self.room = room
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol)
        self.socket.setsockopt(SOL_NETLINK, NETLINK_EXT_ACK, 1)
        self.socket.setsockopt(SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.socket.bind((0, groups))
        self.socket.settimeout(60)
        self.sequence = 0
        # What the kernel remarked on the last request that it did.
        self.remark = ""

    def close(self):
        self.socket.close()

    def receive(self):
        """The messages of the next datagram: type, flags, sequence, body."""
        data = self.socket.recv(self.room)
        at = 0
        while at + 16 <= len(data):
            size, kind, flags, sequence, _ = struct.unpack_from("=IHHII", data, at)
            yield kind, flags, sequence, data[at + 16:at + size]
            at += (size + 3) & ~3

    def request(self, kind, flags, body):
        """Sends a request and collects its replies up to the end of the dump or
        the acknowledgement."""
        self.sequence += 1
        self.remark = ""
        flags |= NLM_F_REQUEST | NLM_F_ACK
        header = struct.pack("=IHHII", 16 + len(body), kind, flags, self.sequence, 0)
        self.socket.send(header + body)
        replies = []
        while True:
            for kind, flags, sequence, body in self.receive():
                if sequence != self.sequence:
                    continue
                if kind == NLMSG_ERROR:
                    self._error(flags, body)
                    return replies
                if kind == NLMSG_DONE:
                    number = struct.unpack_from("=i", body)[0] if len(body) >= 4 else 0
                    if number < 0:
                        self._raise(-number, body[4:])
                    return replies
                replies.append(body)

    def _error(self, flags, body):
        number = -struct.unpack_from("=i", body)[0]
        at = 20
        if not flags & NLM_F_CAPPED:
            at = 4 + ((struct.unpack_from("=I", body, 4)[0] + 3) & ~3)
        tlvs = body[at:] if flags & NLM_F_ACK_TLVS else b""
        if number:
            self._raise(number, tlvs)
        self.remark = dict(attrs(tlvs)).get(1, b"").rstrip(b"\0").decode()

    @staticmethod
    def _raise(number, tlvs):
        found = dict(attrs(tlvs))
        text = found.get(1, b"").rstrip(b"\0").decode()
        offset = struct.unpack("=I", found[2])[0] if 2 in found else None
        missing = struct.unpack("=I", found[5])[0] if 5 in found else None
        nest = struct.unpack("=I", found[6])[0] if 6 in found else None
        raise NetlinkError(number, text, offset, missing, nest)


def parse_link(body):
    """A link message as a dictionary."""
    index, flags = struct.unpack_from("=4xiI", body)
    link = {"index": index, "flags": flags, "up": bool(flags & IFF_UP), "kind": None,
            "carrier": bool(flags & IFF_LOWER_UP)}
    for kind, value in attrs(body[16:]):
        if kind in _U32:
            link[_U32[kind]] = struct.unpack("=I", value[:4])[0]
        elif kind == IFLA_IFNAME:
            link["name"] = value.rstrip(b"\0").decode(errors="surrogateescape")
        elif kind == IFLA_QDISC:
            link["qdisc"] = value.rstrip(b"\0").decode()
        elif kind == IFLA_ADDRESS:
            link["address"] = value.hex(":")
        elif kind == IFLA_OPERSTATE:
            link["operstate"] = value[0]
        elif kind == IFLA_LINK_NETNSID:
            link["netnsid"] = struct.unpack("=i", value)[0]
        elif kind == IFLA_STATS64:
            count = len(value) // 8
            link["stats"] = dict(zip(STATS, struct.unpack_from(f"={count}Q", value)))
        elif kind == IFLA_LINKINFO:
            info = dict(attrs(value))
            link["kind"] = info.get(IFLA_INFO_KIND, b"").rstrip(b"\0").decode()
    return link


def link_attrs(name=None, address=None, mtu=None, txq=None, rxq=None, ns=None, extra=()):
    """IFLA_* of a link about to be made or changed; `ns` is a file descriptor."""
    out = []
    if name is not None:
        out.append(attr(IFLA_IFNAME, name))
    if address is not None:
        out.append(attr(IFLA_ADDRESS, mac(address)))
    if mtu is not None:
        out.append(attr(IFLA_MTU, mtu))
    if txq is not None:
        out.append(attr(IFLA_NUM_TX_QUEUES, txq))
    if rxq is not None:
        out.append(attr(IFLA_NUM_RX_QUEUES, rxq))
    if ns is not None:
        out.append(attr(IFLA_NET_NS_FD, ns))
    return out + list(extra)


class Rtnl(Netlink):
    """rtnetlink in the namespace of the caller."""

    # What ports of a kind get unless told: arguments of `link_attrs`.
    unless_told = {}

    def __init__(self, groups=0):
        super().__init__(socket.NETLINK_ROUTE, groups)

    def add_pair(self, kind, peer=None, up=False, peer_up=False, info=(), **own):
        """Makes a pair; `own` and `peer` are arguments of `link_attrs`."""
        data = list(info)
        own = self.unless_told.get(kind, {}) | own
        if peer is not None:
            peer = self.unless_told.get(kind, {}) | peer
            flags = IFF_UP if peer_up else 0
            data.append(attr(INFO_PEER, ifinfo(0, flags, flags) + b"".join(link_attrs(**peer))))
        flags = IFF_UP if up else 0
        body = ifinfo(0, flags, flags) + b"".join(link_attrs(**own))
        linkinfo = [attr(IFLA_INFO_KIND, kind)]
        if data:
            linkinfo.append(attr(IFLA_INFO_DATA, data))
        body += attr(IFLA_LINKINFO, linkinfo)
        self.request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, body)

    def add_link(self, kind, info=(), **own):
        """Makes a link of any kind."""
        self.add_pair(kind, None, info=info, **own)

    def delete(self, name):
        self.request(RTM_DELLINK, 0, ifinfo() + attr(IFLA_IFNAME, name))

    def change(self, link, /, up=None, flags=0, mask=0, **own):
        """Changes the link of that name; `own` are arguments of `link_attrs`."""
        if up is not None:
            mask |= IFF_UP
            flags |= IFF_UP if up else 0
        index = self.get(link)["index"]
        self.request(RTM_SETLINK, 0, ifinfo(index, flags, mask) + b"".join(link_attrs(**own)))

    def settle(self, link):
        """Waits until a change of the device's receive filter has taken effect.  The core hands
        memberships of groups to the driver later; a request that changes nothing does what is
        left (netif_rx_mode_sync())."""
        self.change(link)

    def get(self, name):
        """One link; raises ENODEV where there is none."""
        body = ifinfo() + attr(IFLA_IFNAME, name)
        return parse_link(self.request(RTM_GETLINK, 0, body)[0])

    def exists(self, name):
        try:
            self.get(name)
        except NetlinkError as error:
            if error.errno == errno.ENODEV:
                return False
            raise
        return True

    def links(self):
        """All links, by name."""
        found = [parse_link(body) for body in self.request(RTM_GETLINK, NLM_F_DUMP, ifinfo())]
        return {link["name"]: link for link in found}

    def stats(self, name):
        return self.get(name)["stats"]

    def add_address(self, name, address, prefix):
        """Adds an IPv4 or IPv6 address; an IPv6 one is usable at once."""
        index = self.get(name)["index"]
        if ":" in address:
            family, raw, flags = socket.AF_INET6, socket.inet_pton(socket.AF_INET6, address), 2
        else:
            family, raw, flags = socket.AF_INET, socket.inet_aton(address), 0
        body = struct.pack("=BBBBi", family, prefix, flags, 0, index)
        body += attr(2, raw) + attr(1, raw)
        self.request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, body)

    def add_neighbour(self, name, address, lladdr):
        """Makes a neighbour known for good, at its Ethernet address, if the link is up."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        body = struct.pack("=BxxxiHBB", family, self.get(name)["index"], NUD_PERMANENT, 0, 0)
        body += attr(1, socket.inet_pton(family, address)) + attr(2, mac(lladdr))
        self.request(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, body)
