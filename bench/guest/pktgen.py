# SPDX-License-Identifier: GPL-2.0
"""The kernel's packet generator. It measures itself: from its first packet to
its last, without what starting it costs."""

import re

from topology import Fault


class Pktgen:
    """One device to send from, by the generator's thread of CPU 0."""

    def __init__(self, space, name, **settings):
        self.space, self.name = space, name
        self.write("kpktgend_0", "rem_device_all")
        self.write("kpktgend_0", f"add_device {name}")
        for key, value in {"clone_skb": 0, "delay": 0, **settings}.items():
            self.write(name, f"{key} {value}")

    def path(self, file):
        return f"/proc/thread-self/net/pktgen/{file}"

    def write(self, file, command):
        with self.space, open(self.path(file), "w") as target:
            target.write(command)

    def run(self, count):
        """Sends so many packets; the nanoseconds it took."""
        self.write(self.name, f"count {count}")
        self.write("pgctrl", "start")
        with self.space, open(self.path(self.name)) as file:
            said = file.read()
        result = re.search(r"Result: OK: (\d+)\(", said)
        sent = re.search(r"pkts-sofar: (\d+)\s+errors: (\d+)", said)
        if not result or not sent or (int(sent[1]), int(sent[2])) != (count, 0):
            raise Fault(f"pktgen: {said.strip().splitlines()[-1]}")
        return int(result[1]) * 1000

    def close(self):
        self.write("kpktgend_0", "rem_device_all")
