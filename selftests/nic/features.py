#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Features: each one that is offered really toggles, and traffic passes either way."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import content  # noqa: E402
import net      # noqa: E402
import nic      # noqa: E402
import tap      # noqa: E402

# What a NIC of this kind must offer.
OFFERED = ("tx-checksum-ip-generic", "tx-scatter-gather", "tx-tcp-segmentation",
           "tx-tcp6-segmentation", "tx-tcp-ecn-segmentation", "tx-tcp-mangleid-segmentation",
           "tx-tcp-accecn-segmentation", "tx-udp-segmentation", "generic-receive-offload",
           "rx-checksumming", "receive-hashing")
# What it must not claim, because it does not do it.
FALSE = ("tx-checksum-sctp", "tx-sctp-segmentation", "tx-scatter-gather-fraglist",
         "tx-gso-list", "tx-checksum-fcoe-crc")


def togglable(port):
    return [name for name, (_, fixed) in port.features().items() if fixed is False]


@tap.case("what must be offered is, what is not done is not claimed")
def offered(t):
    one, _ = t.nics()
    features = one.features()
    for name in OFFERED:
        if not features[name][0]:
            raise AssertionError(f"{name} is off: {features[name]}")
    for name in FALSE:
        tap.equal(features[name][0], False, name)
    # Nothing to be switched: it has no effect here.
    tap.equal(features["highdma"], (True, True), "highdma")
    tap.equal(one.link["gso_max_size"] >= 65536, True, "largest super-frame of 64 KiB or more")


@tap.case("each toggles on its own, at one end and at the other, with traffic in each state")
def each(t):
    nics = t.nics()
    for port in nics:
        for name in togglable(port):
            old = port.features()[name][0]
            for state in (not old, old):
                done = port.try_("-K", name, "on" if state else "off")
                now = port.features()[name][0]
                if done.returncode or now != state:
                    # Some need another one to be on; then the refusal is visible.
                    raise AssertionError(f"{port.name} {name}: asked for {state}, is {now}: "
                                         f"{done.stderr}")
                content.datagrams(t.n0, t.n1, *net.V4, sizes=(1, 3000))


@tap.case("all off, then all on again, TCP and UDP in each state")
def everything(t):
    nics = t.nics()
    names = {port.name: togglable(port) for port in nics}
    old = {port.name: port.features() for port in nics}
    for words in ("off", None):
        for port in nics:
            for name in names[port.name]:
                state = words or ("on" if old[port.name][name][0] else "off")
                port.try_("-K", name, state)
        for addresses in (net.V4, net.V6):
            content.stream(t.n0, t.n1, *addresses, 300000)
            content.datagrams(t.n0, t.n1, *addresses, sizes=(1, 1472, 20000))
            content.echo(t.n0, *addresses, sizes=(0, 1000, 20000))
    for port in nics:
        tap.equal({name: port.features()[name] for name in names[port.name]},
                  {name: old[port.name][name] for name in names[port.name]}, port.name)


@tap.case("features of one end leave the other end's alone")
def apart(t):
    one, other = t.nics()
    before = other.features()
    one.set("-K", "tso", "off", "tx", "off", "gro", "off")
    tap.equal(other.features(), before, "features of fe1")


@tap.case("features survive down and up")
def kept(t):
    one, _ = t.nics()
    one.set("-K", "tso", "off", "gro", "off")
    before = one.features()
    one.namespace.rtnl.change("fe0", up=False)
    one.namespace.rtnl.change("fe0", up=True)
    tap.equal(one.features(), before, "features")


tap.main(nic.Pair)
