# SPDX-License-Identifier: GPL-2.0
"""A pair whose ends are looked at as NICs: ethtool, queues, NAPIs, counters."""

import json
import os
import re

import ethnl
import genl
import net
import tap


class Nic:
    """One end."""

    def __init__(self, namespace, name):
        self.namespace, self.name = namespace, name
        self.netdev = genl.Netdev(namespace)
        self.ethtool = ethnl.Ethtool(namespace, name)

    def close(self):
        self.netdev.close()
        self.ethtool.close()

    @property
    def link(self):
        return self.namespace.rtnl.get(self.name)

    @property
    def index(self):
        return self.link["index"]

    def try_(self, flag, *words):
        """Runs `ethtool FLAG NAME WORDS`; the result with its status."""
        return self.namespace.ethtool(flag, self.name, *words, check=False)

    def set(self, flag, *words):
        """Runs `ethtool FLAG NAME WORDS`, which must succeed."""
        done = self.try_(flag, *map(str, words))
        if done.returncode:
            raise AssertionError(f"ethtool {flag} {' '.join(map(str, words))}: {done.stderr}")
        return done.stdout

    def refused(self, flag, *words, hint=""):
        """The request must fail, with a text that holds `hint`."""
        done = self.try_(flag, *map(str, words))
        if not done.returncode:
            raise AssertionError(f"ethtool {flag} {' '.join(map(str, words))}: was taken")
        if hint not in (done.stderr + done.stdout).lower():
            raise AssertionError(f"ethtool {flag} {' '.join(map(str, words))}: "
                                 f"{done.stderr!r} does not name {hint!r}")

    def json(self, flag, *words):
        """What `ethtool --json FLAG NAME` says."""
        out = self.namespace.ethtool("--json", flag, self.name, *words)
        return json.loads(out)[0]

    def rings(self):
        return self.ethtool.get(ethnl.RINGS)

    def channels(self):
        return self.ethtool.get(ethnl.CHANNELS)

    def coalesce(self):
        return self.ethtool.get(ethnl.COALESCE)

    def pause(self):
        return self.ethtool.get(ethnl.PAUSE)

    def rss(self):
        return self.ethtool.rss()

    def features(self):
        """Feature name -> (active, fixed)."""
        found = self.json("-k")
        return {name: (value["active"], value["fixed"]) for name, value in found.items()
                if isinstance(value, dict)}

    def private(self):
        """`ethtool -S` as a dictionary, in the order it comes."""
        out = self.namespace.ethtool("-S", self.name)
        return {name.strip(): int(value) for name, value in
                re.findall(r"^\s+(.+?): (\d+)$", out, re.M)}

    def qstats(self):
        return self.netdev.qstats(self.index)

    def queue_stats(self):
        return self.netdev.qstats_of_queues(self.index)

    def queues(self):
        return self.netdev.queues(self.index)

    def napis(self):
        return self.netdev.napis(self.index)

    def rx_by_queue(self):
        """Frames received by each RX queue."""
        return {number: stats["rx_packets"] for (way, number), stats in self.queue_stats().items()
                if way == genl.RX}

    def sysfs(self, *paths):
        return self.namespace.sysfs(self.name, paths)


class Pair(net.Topology):
    """The two namespaces; `nics()` makes a pair in them."""

    def __init__(self):
        super().__init__()
        self.made = []

    def __enter__(self):
        # Tests of the NIC are about this driver only.
        if net.KIND != "ferronic":
            raise tap.Skip(f"about ferronic, not {net.KIND}")
        return super().__enter__()

    def nics(self, **options):
        """A pair as two NICs; `options` as for `pair`."""
        self.pair(**options)
        self.made = [Nic(self.n0, net.NAME0), Nic(self.n1, net.NAME1)]
        return self.made

    def tidy(self):
        for nic in self.made:
            nic.close()
        self.made = []
        super().tidy()


def drops(nic):
    """Frames that `nic` or its wire dropped on the way to it."""
    stats = nic.link["stats"]
    return {key: value for key, value in stats.items()
            if value and (key.endswith(("dropped", "errors")))}


def read_number(path):
    with open(path) as file:
        return int(file.read())


def cpus():
    return os.cpu_count()
