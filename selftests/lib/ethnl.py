# SPDX-License-Identifier: GPL-2.0
"""The ethtool family of generic netlink, as far as tests read or write it: with
the kernel's explanations, and without a process for every question."""

import struct

import genl
import rtnl

FEATURES = {"cmd": (11, 12)}
RINGS = {"cmd": (15, 16), "rx_max": 2, "tx_max": 5, "rx": 6, "tx": 9, "rx_buf_len": 10,
         "tcp_data_split": 11, "cqe_size": 12, "tx_push": 13}
CHANNELS = {"cmd": (17, 18), "rx_max": 2, "tx_max": 3, "other_max": 4, "combined_max": 5,
            "rx": 6, "tx": 7, "other": 8, "combined": 9}
COALESCE = {"cmd": (19, 20), "rx_usecs": 2, "rx_frames": 3, "tx_usecs": 6, "tx_frames": 7,
            "adaptive_rx": 11, "adaptive_tx": 12, "pkt_rate_low": 13, "rx_usecs_irq": 4}
PAUSE = {"cmd": (21, 22), "autoneg": 2, "rx": 3, "tx": 4}
LINKSTATE = {"cmd": (6, None), "link": 2, "sqi": 3, "ext_state": 5, "ext_down_count": 7}
LINKMODES = {"cmd": (4, 5), "autoneg": 2, "speed": 5, "duplex": 6}
RSS = {"cmd": (38, 48), "context": 2, "hfunc": 3, "indir": 4, "hkey": 5, "input_xfrm": 6}
RSS_CREATE, RSS_DELETE = 49, 50
DEBUG = {"cmd": (7, 8), "mask": 2}
BYTES = {"adaptive_rx", "adaptive_tx", "autoneg", "tcp_data_split", "cqe_size", "tx_push"}
PAUSE_BYTES = {"rx", "tx"}
STATS_GET, STATS_SRC = 32, 6
FLAG_COMPACT, FLAG_STATS = 1, 4


class Ethtool(genl.Family):
    """The family, asked about one device."""

    def __init__(self, namespace, name):
        super().__init__(namespace, "ethtool")
        self.name = name

    def header(self, flags=0):
        body = [rtnl.attr(2, self.name)]
        if flags:
            body.append(rtnl.attr(3, flags))
        return rtnl.attr(1, body)

    def raw(self, table, flags=0):
        """The attributes of the answer, by number."""
        reply = self.ask(table["cmd"][0], self.header(flags), dump=False)[0]
        return dict(rtnl.attrs(reply))

    def get(self, table):
        """The values of a table above, by name."""
        found = self.raw(table)
        return {name: genl.number(found[kind]) for name, kind in table.items()
                if name != "cmd" and kind in found}

    def set(self, table, **values):
        body = [self.header()]
        for name, value in values.items():
            byte = name in BYTES or table is PAUSE and name in PAUSE_BYTES
            body.append(rtnl.attr(table[name], struct.pack("=B", value) if byte else value))
        self.ask(table["cmd"][1], *body, dump=False)

    def feature(self, name, on):
        """Switches one feature, as `ethtool -K` does."""
        bit = [rtnl.attr(2, name)] + ([rtnl.attr(3)] if on else [])
        self.ask(FEATURES["cmd"][1], self.header(),
                 rtnl.attr(3, [rtnl.attr(3, [rtnl.attr(1, bit)])]), dump=False)

    def pause_stats(self):
        """Pause frames sent and received, and storms."""
        stats = dict(rtnl.attrs(self.raw(PAUSE, FLAG_STATS).get(5, b"")))
        return {name: genl.number(stats[kind]) for kind, name in
                ((2, "tx_frames"), (3, "rx_frames"), (4, "storms")) if kind in stats}

    def rss(self, context=None):
        """Table, key, function and transformation."""
        body = [self.header()]
        if context is not None:
            body.append(rtnl.attr(2, context))
        found = dict(rtnl.attrs(self.ask(RSS["cmd"][0], *body, dump=False)[0]))
        indir = found.get(4, b"")
        return {"indir": list(struct.unpack(f"={len(indir) // 4}I", indir)),
                "hkey": found.get(5, b""), "hfunc": genl.number(found.get(3, b"")),
                "input_xfrm": genl.number(found.get(6, b""))}

    def rss_create(self):
        """Makes a context, and returns its number."""
        reply = self.ask(RSS_CREATE, self.header(), dump=False)[0]
        return genl.number(dict(rtnl.attrs(reply))[RSS["context"]])

    def rss_delete(self, context):
        self.ask(RSS_DELETE, self.header(), rtnl.attr(RSS["context"], context), dump=False)

    def messages(self, bits=None):
        """Reads or sets what the driver says in the kernel log (`ethtool -s msglvl`)."""
        if bits is not None:
            values = struct.pack("=I", bits), struct.pack("=I", 0x7FFF)
            set_ = [rtnl.attr(2, 15), rtnl.attr(4, values[0]), rtnl.attr(5, values[1])]
            self.ask(DEBUG["cmd"][1], self.header(), rtnl.attr(2, set_), dump=False)
        found = dict(rtnl.attrs(self.raw(DEBUG, FLAG_COMPACT)[DEBUG["mask"]]))
        return genl.number(found[4])

    def rss_set(self, indir=None, hkey=None, input_xfrm=None, context=None):
        body = [self.header()]
        if context is not None:
            body.append(rtnl.attr(2, context))
        if indir is not None:
            body.append(rtnl.attr(4, struct.pack(f"={len(indir)}I", *indir)))
        if hkey is not None:
            body.append(rtnl.attr(5, hkey))
        if input_xfrm is not None:
            body.append(rtnl.attr(6, input_xfrm))
        self.ask(RSS["cmd"][1], *body, dump=False)
