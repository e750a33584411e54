# SPDX-License-Identifier: GPL-2.0
"""Places in object files that can panic.

    python3 panics.py TOP SOURCE OBJECT...

TOP is the repository, SOURCE the kernel's source. Prints one line for each
place that is ours to mend, then how many are not.

A place is named by the line of ours that leads there, from the debug
information. Where an arithmetic operation overflows is said by the call itself,
in the location that it passes: calls that the compiler moved have no line of
their own, and generic code of the kernel (KVec's arithmetic) is compiled into
our objects. What that may overflow is the kernel's to argue, and only counted.
"""

import re
import struct
import subprocess
import sys

# Symbols of core that end in a panic.
PANICS = re.compile(
    r"panicking|unwrap_failed|expect_failed|index_(order_)?fail|index_len_fail|overflow_fail"
    r"|len_mismatch_fail|slice_error_fail|panic_already|panic_fmt|handle_alloc_error"
)

# What is printed of a relocation: its type, its symbol, what is added.
RELOCATION = re.compile(r"\s+[0-9a-f]+: (R_X86_64_\w+)\s+(.*?)([-+]0x[0-9a-f]+)?$")
# A line of the source, and those into which it was inlined.
LINE = re.compile(r"(inlined by )?(\S+\.rs:[0-9]+)")


def objdump(*arguments):
    """The output of objdump."""
    return subprocess.run(
        ["objdump", *arguments], stdout=subprocess.PIPE, check=True, text=True
    ).stdout


class Constants:
    """The section .rodata of an object, where locations stand (core::panic::Location)."""

    def __init__(self, path):
        header = re.search(r"^\s*\d+ \.rodata\s+(\S+)\s+\S+\s+\S+\s+(\S+)", objdump("-h", path), re.M)
        size, offset = (int(header[1], 16), int(header[2], 16)) if header else (0, 0)
        with open(path, "rb") as file:
            file.seek(offset)
            self.data = file.read(size)
        self.pointers = {
            int(at, 16): int(to or "0", 16)
            for at, to in re.findall(
                r"^([0-9a-f]+) R_X86_64_64\s+\.rodata(?:\+0x([0-9a-f]+))?$",
                objdump("-r", "-j", ".rodata", path),
                re.M,
            )
        }

    def location(self, at):
        """The file and line of the location at `at`, None if there is none."""
        if at not in self.pointers or at + 24 > len(self.data):
            return None
        length, line = struct.unpack_from("<QI", self.data, at + 8)
        name = self.data[self.pointers[at] : self.pointers[at] + length]
        return f"{name.decode(errors='replace')}:{line}"


def places(path, top):
    """Yields (place, symbol) of each call that panics."""
    constants = Constants(path)
    line = "?"
    ours = False
    passed = None
    for text in objdump("-drlC", "--inlines", "--no-show-raw-insn", path).splitlines():
        if match := LINE.match(text):
            here = match[2].startswith(top)
            if not match[1] or (here and not ours):
                line, ours = match[2], here
        elif match := RELOCATION.match(text):
            kind, symbol, added = match.groups()
            if PANICS.search(symbol):
                said = passed if "panic_const" in symbol else None
                # One in core is seen from where we called it.
                yield line if not said or "/library/core/" in said else said, symbol
            at = int(added or "0", 16)
            passed = constants.location(at) if (kind, symbol) == ("R_X86_64_32S", ".rodata") else None


def main():
    """Prints the places of all objects."""
    top, source = (f"{directory}/" for directory in sys.argv[1:3])
    mine = set()
    theirs = set()
    for path in sys.argv[3:]:
        for place, symbol in places(path, top):
            if place.startswith(source):
                theirs.add((place, symbol))
            else:
                mine.add(f"{place.removeprefix(top)}: can panic: {symbol}")
    for place in sorted(mine):
        print(place)
    print(f"{len(sys.argv) - 3} objects, beside {len(theirs)} places in the kernel's own generics")
    sys.exit(1 if mine else 0)


if __name__ == "__main__":
    main()
