#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Tunnels over a port: VXLAN, GRE, IP in IP; inner checksums and segments are right,
whoever makes them."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import content  # noqa: E402
import net      # noqa: E402
import nic      # noqa: E402
import tap      # noqa: E402

INNER4, INNER6 = ("192.168.244.1", "192.168.244.2"), ("fd00:fe:7::1", "fd00:fe:7::2")


def tunnel(t, *words, outer=net.V4, mtu=None, only4=False):
    """A tunnel device `tun` at both ends, with the given words of ip; LOCAL and
    REMOTE stand for the outer addresses. With `only4` it has IPv4 and no IPv6."""
    for end in (0, 1):
        line = [outer[end] if word == "LOCAL" else outer[1 - end] if word == "REMOTE" else
                f"fe{end}" if word == "PORT" else word for word in words]
        done = t.n[end].ip("link", "add", "tun", "type", *line, check=False)
        if done.returncode:
            if "Unknown device type" in done.stderr:
                raise tap.Skip(f"no {words[0]}: {done.stderr}")
            raise AssertionError(done.stderr)
        if only4:
            t.n[end].sysctl("net/ipv6/conf/tun/disable_ipv6", 1)
        t.n[end].rtnl.change("tun", up=True)
        if mtu:
            t.n[end].rtnl.change("tun", mtu=mtu)
        t.n[end].rtnl.add_address("tun", INNER4[end], 24)
        if not only4:
            t.n[end].rtnl.add_address("tun", INNER6[end], 64)
    for end in (0, 1) if not only4 else ():
        t.n[end].wait_local(INNER6[end])


def traffic(t, families=(INNER4, INNER6)):
    for addresses in families:
        content.echo(t.n0, *addresses, sizes=(0, 1000, 5000))
        content.datagrams(t.n0, t.n1, *addresses, sizes=(1, 1300, 20000))
        content.stream(t.n0, t.n1, *addresses, 500000)


@tap.case("VXLAN over IPv4, without and with outer checksums")
def vxlan(t):
    for words in ("noudpcsum", "udpcsum"):
        t.nics()
        tunnel(t, "vxlan", "id", "42", "local", "LOCAL", "remote", "REMOTE", "dev", "PORT",
               "dstport", "4789", words)
        traffic(t)
        t.tidy()


@tap.case("VXLAN over IPv6")
def vxlan6(t):
    t.nics()
    tunnel(t, "vxlan", "id", "42", "local", "LOCAL", "remote", "REMOTE", "dev", "PORT", "dstport",
           "4789", outer=net.V6)
    traffic(t)


@tap.case("GRE, plain and with key, checksum and sequence numbers")
def gre(t):
    # Of numbered packets the tunnel drops what comes out of order, and there is an order only among those of one sender:
    # IPv6 would send on its own account meanwhile.
    for words, only4 in (((), False), (("key", "5", "csum", "seq"), True)):
        t.nics()
        tunnel(t, "gretap", "local", "LOCAL", "remote", "REMOTE", "dev", "PORT", *words, only4=only4)
        traffic(t, (INNER4,) if only4 else (INNER4, INNER6))
        t.tidy()


@tap.case("IP in IP")
def ipip(t):
    t.nics()
    tunnel(t, "ipip", "local", "LOCAL", "remote", "REMOTE", "dev", "PORT", "mode", "any")
    traffic(t, (INNER4,))


@tap.case("a tunnel with offloads off below, and on again")
def offloads(t):
    one, other = t.nics()
    tunnel(t, "vxlan", "id", "42", "local", "LOCAL", "remote", "REMOTE", "dev", "PORT", "dstport",
           "4789", "udpcsum")
    for words in ("off", "on"):
        for port in (one, other):
            port.set("-K", "tx", words, "rx", words)
            port.try_("-K", "sg", words, "tso", words, "gro", words)
        traffic(t)


tap.main(nic.Pair)
