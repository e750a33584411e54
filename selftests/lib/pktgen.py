# SPDX-License-Identifier: GPL-2.0
"""The kernel's packet generator, which sends bursts (`xmit_more`) and shared packets as
nothing else does."""

import re

import net
import tap


def send(namespace, name, count, to=net.MAC[1], **settings):
    """Sends so many packets from a port; those it has sent.  `burst` and `clone_skb` are
    the generator's own settings."""
    done = net.run("modprobe", "pktgen", check=False)
    if done.returncode:
        raise tap.Skip(f"no pktgen: {done.stderr.strip()}")

    def write(file, command):
        with namespace, open(f"/proc/thread-self/net/pktgen/{file}", "w") as target:
            target.write(command)

    write("kpktgend_0", "rem_device_all")
    write("kpktgend_0", f"add_device {name}")
    try:
        for key, value in {"dst_mac": to, "dst": net.V4[1], "src_min": net.V4[0], "delay": 0,
                           "count": count, **settings}.items():
            write(name, f"{key} {value}")
        write("pgctrl", "start")
        with namespace, open(f"/proc/thread-self/net/pktgen/{name}") as file:
            return int(re.search(r"pkts-sofar: (\d+)", file.read())[1])
    finally:
        write("kpktgend_0", "rem_device_all")
