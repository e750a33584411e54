# SPDX-License-Identifier: GPL-2.0
"""Counters of a namespace's protocols."""


def snmp(namespace, protocol, name):
    """A counter of /proc/net/snmp."""
    with namespace, open("/proc/thread-self/net/snmp") as file:
        lines = [line.split() for line in file if line.startswith(protocol + ":")]
    return int(lines[1][lines[0].index(name)])


def snmp6(namespace, name):
    """A counter of /proc/net/snmp6."""
    with namespace, open("/proc/thread-self/net/snmp6") as file:
        return int(dict(line.split() for line in file)[name])


def checksum_errors(namespace):
    """Packets that were found to be wrong, of all protocols."""
    with namespace, open("/proc/thread-self/net/netstat") as file:
        lines = [line.split() for line in file if line.startswith("IpExt:")]
    ip = int(lines[1][lines[0].index("InCsumErrors")]) if "InCsumErrors" in lines[0] else 0
    return ip + sum(snmp(namespace, protocol, "InCsumErrors") for protocol in
                    ("Tcp", "Udp", "Icmp")) + sum(snmp6(namespace, name) for name in
                                                  ("Udp6InCsumErrors", "Icmp6InCsumErrors"))
