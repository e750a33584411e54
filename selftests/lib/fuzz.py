# SPDX-License-Identifier: GPL-2.0
"""What fuzzers share: how many rounds, from which seed.

    --count N     rounds; by default what an ordinary run has time for
    --seed SEED   the same seed gives the same rounds
"""

import argparse
import random
import sys

import net
import tap

ODD = (0, 1, 2, 3, 4, 7, 8, 15, 16, 63, 64, 65, 127, 128, 255, 256, 1499, 1500, 1501, 4095, 4096,
       8192, 8193, 65534, 65535, 65536, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


class Dice(random.Random):
    """A generator with a few habits of those who look for bugs."""

    def odd(self, bits=32):
        """A number that is likely to be at a limit of something."""
        number = self.choice(ODD) if self.random() < 0.7 else self.getrandbits(bits)
        return number & ((1 << bits) - 1)

    def spoil(self, data, chance):
        """The bytes, some of them changed, or their end cut off, now and then."""
        data = bytearray(data)
        if self.random() < chance:
            for _ in range(self.randrange(1, 5)):
                if data:
                    data[self.randrange(len(data))] = self.getrandbits(8)
        if self.random() < chance / 3:
            del data[self.randrange(len(data) + 1):]
        return bytes(data)


def arguments(count):
    """The number of rounds and the seed; the rest of the command line stays."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=net.rounds(count))
    parser.add_argument("--seed", type=int, default=1)
    found, sys.argv[1:] = parser.parse_known_args()
    return found


def note(arguments_, what):
    tap.note(f"{arguments_.count} rounds from seed {arguments_.seed}: {what}")
