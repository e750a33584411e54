# SPDX-License-Identifier: GPL-2.0
"""TCP: streams, and round trips."""

import contextlib

from topology import address, batches, features


@contextlib.contextmanager
def streams(bench, place, row, mtu=1500, tso=True, gro=True, back=False, count=1):
    """Streams from one end to the other, or each second one back."""
    one, other = place.spaces()
    left, right = place.pair(row, one, other, mtu=mtu)
    if not tso:
        features(one, left, tso=False, gso=False)
    if not gro:
        features(other, right, gro=False, **({"rx_gro_hw": False} if row.ours else {}))
    yield lambda n: batches("stream", from_=one.name, to=other.name, address=address(0, 2),
                            back=address(0, 1) if back else None, streams=max(count, 1 + back),
                            bytes=bench.bytes * (12 if mtu > 1500 else 4), warm=bench.bytes * 12, batches=n)


@contextlib.contextmanager
def round_trips(bench, place, row):
    """One byte there and one back."""
    one, other = place.spaces()
    place.pair(row, one, other)
    yield lambda n: batches("rr", from_=one.name, to=other.name, address=address(0, 2),
                            count=bench.trips, batches=n)
