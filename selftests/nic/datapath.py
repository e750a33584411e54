#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The datapath of a wire, changed while traffic flows: nothing is lost uncounted,
the carrier stays."""

import errno
import os
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import content  # noqa: E402
import control  # noqa: E402
import ethnl    # noqa: E402
import net      # noqa: E402
import nic      # noqa: E402
import tap      # noqa: E402
from rtnl import attr   # noqa: E402

NIC, HANDOFF = 0, 1


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


class Changer(threading.Thread):
    """Changes the datapath, and sometimes rings and channels too, while the body runs."""

    def __init__(self, t, rounds):
        super().__init__()
        self.t, self.rounds, self.error = t, rounds, None

    def run(self):
        try:
            for turn in range(self.rounds):
                self.t.change(HANDOFF if turn % 2 == 0 else NIC)
                port = self.t.made[turn // 2 % 2]
                if turn % 3 == 1:
                    port.ethtool.set(ethnl.RINGS, rx=64 << turn % 4, tx=64 << turn % 5)
                elif turn % 3 == 2:
                    port.ethtool.set(ethnl.CHANNELS, combined=1 + turn % 4)
        except Exception as error:      # reported by the case
            self.error = error

    def finish(self):
        self.join()
        if self.error:
            raise self.error


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
    changer = Changer(t, net.rounds(24))
    changer.start()
    seed = 0
    while changer.is_alive() or seed < 2:
        content.stream(t.n0, t.n1, *net.V4, 400000, seed=seed)
        seed += 1
    changer.finish()
    tap.note(f"{seed} streams of 400 kB each way")
    tap.equal([port.link["carrier_changes"] for port in nics], before, "carrier changes")
    t.balanced()


@tap.case("under a flood: what is not received is counted")
def flood(t):
    nics = t.nics(quiet=True)
    changer = Changer(t, net.rounds(24))
    changer.start()
    sent = 0
    with t.n0.packet("fe0") as sender:
        frame = bytes.fromhex("02fe00000002" "02fe00000001" "88b5") + bytes(86)
        while changer.is_alive() or sent < 1000:
            sender.send(frame)
            sent += 1
    changer.finish()
    t.balanced()
    stats = nics[0].link["stats"]
    tap.equal(stats["tx_packets"] + stats["tx_dropped"], sent,
              "frames sent and dropped at the sender")


@tap.case("what waits for a receiver that stands still goes the new way")
def waiting(t):
    one, other = t.nics(quiet=True)
    for port in (one, other):
        port.ethtool.set(ethnl.RINGS, rx=64, tx=64)
    with t.n0.packet("fe0") as sender, t.n1.packet("fe1", 0x88B5) as receiver:
        frame = bytes.fromhex("02fe00000002" "02fe00000001" "88b5") + bytes(86)
        for datapath in (HANDOFF, NIC):
            with nic.stalled(other, sender, frame):
                sender.setblocking(False)
                for _ in range(500):
                    try:
                        sender.send(frame)
                    except BlockingIOError:
                        break
                    except OSError as error:
                        if error.errno != errno.ENOBUFS:
                            raise
                        break
                t.change(datapath)
            sender.setblocking(True)
            sender.settimeout(net.PATIENCE)
            nic.drain(receiver)
            sender.send(frame[:14] + b"after")
            while receiver.recv(2000)[14:19] != b"after":
                pass


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


tap.main(Wire)
