# SPDX-License-Identifier: GPL-2.0
"""Nothing is lost: at every quiet moment, both ways of each wire, frames sent are
frames received plus frames dropped on the wire, each of them counted once."""

import contextlib

import control
import ethioctl
import net


def counted(port):
    """What a port has sent, received, not let onto the wire, and lost on the way to it."""
    stats = port.namespace.rtnl.stats(port.name)
    private = ethioctl.private(port)
    refused, dropped = (sum(value for name, value in private.items() if name.startswith(prefix))
                        for prefix in ("tx_drop_", "rx_drop_"))
    return stats["tx_packets"], stats["rx_packets"], refused, dropped


def missing(one, other):
    """Frames that are neither here nor there, from the one to the other and back."""
    a, b = counted(one), counted(other)
    return [sender[0] - sender[2] - receiver[1] - receiver[3]
            for sender, receiver in ((a, b), (b, a))]


def wires(namespaces):
    """The wires with both ends in these namespaces, as pairs of ports."""
    found = {}
    for namespace in namespaces:
        with contextlib.closing(control.Raw(namespace)) as family:
            for port in family.ports().values():
                ends = found.setdefault(port["wire"], [])
                ends.append(ethioctl.Port(namespace, port["name"]))
    return [ends for ends in found.values() if len(ends) == 2]


def check(one, other):
    """Waits until nothing is missing."""
    try:
        net.wait_until(lambda: missing(one, other) == [0, 0], "balance", 5 * net.SLOW)
    except AssertionError:
        raise AssertionError(
            f"frames missing from {one.name} to {other.name} and back: {missing(one, other)}; " +
            "; ".join(f"{port.name}: {ethioctl.private(port)}" for port in (one, other))) from None


class Beside:
    """Beside a topology: behind each case every frame is accounted for."""

    def conserved(self):
        if net.KIND != "ferronic":
            return
        for ends in wires(self.n):
            check(*ends)


class Topology(Beside, net.Topology):
    """The two namespaces, for tests of traffic."""
