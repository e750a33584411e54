# SPDX-License-Identifier: GPL-2.0
"""The kernel's packet generator. It measures itself: from its first packet to
its last, without what starting it costs."""

import re

from topology import Fault


class Pktgen:
    """One device to send from, by the generator's threads of so many CPUs; each takes
    a TX queue of its own and sends from a port of its own."""

    def __init__(self, space, name, threads=1, **settings):
        self.space, self.threads = space, range(threads)
        self.names = [f"{name}@{i}" for i in self.threads] if threads > 1 else [name]
        for i, each in enumerate(self.names):
            self.write(f"kpktgend_{i}", "rem_device_all")
            self.write(f"kpktgend_{i}", f"add_device {each}")
            own = {"queue_map_min": i, "queue_map_max": i,
                   "udp_src_min": 1000 + i, "udp_src_max": 1000 + i} if threads > 1 else {}
            for key, value in {"clone_skb": 0, "delay": 0, **own, **settings}.items():
                self.write(each, f"{key} {value}")

    def path(self, file):
        return f"/proc/thread-self/net/pktgen/{file}"

    def write(self, file, command):
        with self.space, open(self.path(file), "w") as target:
            target.write(command)

    def run(self, count):
        """Sends so many packets from each CPU; the nanoseconds the slowest took."""
        for name in self.names:
            self.write(name, f"count {count}")
        self.write("pgctrl", "start")
        return max(self.result(name, count) for name in self.names) * 1000

    def result(self, name, count):
        """Microseconds that sending took; all of the packets have to be sent."""
        with self.space, open(self.path(name)) as file:
            said = file.read()
        result = re.search(r"Result: OK: (\d+)\(", said)
        sent = re.search(r"pkts-sofar: (\d+)\s+errors: (\d+)", said)
        if not result or not sent or (int(sent[1]), int(sent[2])) != (count, 0):
            raise Fault(f"pktgen: {said.strip().splitlines()[-1]}")
        return int(result[1])

    def close(self):
        for i in self.threads:
            self.write(f"kpktgend_{i}", "rem_device_all")
