#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The datapath of a wire, changed while traffic flows: nothing is lost uncounted,
the carrier stays."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import content  # noqa: E402
import control  # noqa: E402
import ethnl    # noqa: E402
import net      # noqa: E402
import nic      # noqa: E402
import tap      # noqa: E402
from rtnl import attr   # noqa: E402

NIC, HANDOFF = 0, 1
INFO_DATAPATH = 2


class Wire(nic.Pair):
    """A pair, and the control family."""

    def nics(self, **options):
        made = super().nics(**options)
        self.family = control.Raw(self.n0)
        return made

    def port(self):
        return next(iter(self.family.ports().values()))

    def change(self, datapath):
        """Changes the datapath, which is to be told by all that tell it."""
        wire = self.port()["wire"]
        self.family.send(control.WIRE_SET, attr(1, wire) + attr(3, datapath))
        tap.equal(self.port()["datapath"], datapath, "datapath")
        for channel in self.family.dump(control.CHANNEL_GET)[0]:
            tap.equal(control.CHANNEL_RX_RING in channel, datapath == NIC, "receive ring")

    def tidy(self):
        if self.made:
            self.family.close()
        super().tidy()


def change_all(t, turn):
    """Changes the datapath, and sometimes rings and channels too."""
    t.change(HANDOFF if turn % 2 == 0 else NIC)
    port = t.made[turn // 2 % 2]
    if turn % 3 == 1:
        port.ethtool.set(ethnl.RINGS, rx=64 << turn % 4, tx=64 << turn % 5)
    elif turn % 3 == 2:
        port.ethtool.set(ethnl.CHANNELS, combined=1 + turn % 4)


@tap.case("there and back while idle: all kinds of traffic on either")
def idle(t):
    t.nics()
    for datapath in (HANDOFF, NIC, HANDOFF, NIC):
        t.change(datapath)
        for addresses in (net.V4, net.V6):
            content.echo(t.n0, *addresses)
            content.datagrams(t.n0, t.n1, *addresses)
            content.stream(t.n0, t.n1, *addresses, 300000)
        t.balanced()


@tap.case("while TCP flows both ways: content intact, no link loss")
def tcp(t):
    nics = t.nics()
    before = [port.link["carrier_changes"] for port in nics]
    changes = nic.Changes(lambda turn: change_all(t, turn), net.rounds(24))
    seed = 0
    while changes.is_alive() or seed < 2:
        content.stream(t.n0, t.n1, *net.V4, 400000, seed=seed)
        seed += 1
    changes.finish()
    tap.note(f"{seed} streams of 400 kB each way")
    tap.equal([port.link["carrier_changes"] for port in nics], before, "carrier changes")
    t.balanced()


@tap.case("under a flood: what is not received is counted")
def flood(t):
    nics = t.nics(quiet=True)
    changes = nic.Changes(lambda turn: change_all(t, turn), net.rounds(24))
    sent = 0
    with t.n0.packet("fe0") as sender:
        frame = bytes.fromhex("02fe00000002" "02fe00000001" "88b5") + bytes(86)
        while changes.is_alive() or sent < 1000:
            sender.send(frame)
            sent += 1
    changes.finish()
    t.balanced()
    stats = nics[0].link["stats"]
    tap.equal(stats["tx_packets"] + stats["tx_dropped"], sent,
              "frames sent and dropped at the sender")


@tap.case("what waits for a receiver that stands still goes the new way")
def waiting(t):
    one, other = t.nics(quiet=True)
    for port in (one, other):
        port.ethtool.set(ethnl.RINGS, rx=64, tx=64)
    for datapath in (HANDOFF, NIC):
        nic.goes_on(t, lambda to=datapath: t.change(to))


@tap.case("with one end down, which comes up on the new one")
def half(t):
    t.nics()
    for datapath, down in ((HANDOFF, 0), (NIC, 1), (HANDOFF, 1), (NIC, 0)):
        t.n[down].rtnl.change(f"fe{down}", up=False)
        t.change(datapath)
        t.n[down].rtnl.change(f"fe{down}", up=True)
        t.ready()
        content.echo(t.n0, *net.V4)
        content.stream(t.n0, t.n1, *net.V4, 300000)


@tap.case("deleted and made again between changes under a flood")
def deleted(t):
    for turn in range(4):
        t.nics()
        with content.Flood(t.n0, *net.V4) as flood:
            net.wait_until(lambda: flood.count > 100, "the flood")
            for datapath in (HANDOFF, NIC, HANDOFF)[:1 + turn % 3]:
                t.change(datapath)
            t.n[turn % 2].rtnl.delete(f"fe{turn % 2}")
        t.tidy()


# Features that are about frames: name, and whether it is on where packets are handed off.
OF_FRAMES = {"rx-gro-hw": False, "receive-hashing": False, "rx-checksumming": True,
             "rx-vlan-offload": True}


def check_features(t, want):
    for port in t.made:
        found = port.features()
        tap.equal({name: found[name] for name in OF_FRAMES}, want(port), f"features of {port.name}")


@tap.case("features of frames are fixed where packets are handed off, and come back as they were set")
def features(t):
    one, _ = t.nics()
    one.set("-K", "receive-hashing", "off", "rx-checksumming", "off")

    def on_nic(port):
        # What merges needs the checksums that were verified.
        off = {"receive-hashing", "rx-checksumming", "rx-gro-hw"} if port is one else set()
        return {name: (name not in off, False) for name in OF_FRAMES}

    def on_handoff(_):
        return {name: (on, True) for name, on in OF_FRAMES.items()}

    check_features(t, on_nic)
    for _ in range(2):
        t.change(HANDOFF)
        check_features(t, on_handoff)
        for port in t.made:
            for name in OF_FRAMES:
                port.try_("-K", name, "off" if OF_FRAMES[name] else "on")
        check_features(t, on_handoff)
        content.stream(t.n0, t.n1, *net.V4, 300000)
        t.change(NIC)
        check_features(t, on_nic)
    t.tidy()
    # One that begins there gets them later, too.
    t.nics(info=[attr(INFO_DATAPATH, HANDOFF)])
    check_features(t, on_handoff)
    t.change(NIC)
    check_features(t, lambda _: {name: (True, False) for name in OF_FRAMES})
    content.stream(t.n0, t.n1, *net.V4, 300000)


tap.main(Wire)
