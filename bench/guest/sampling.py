# SPDX-License-Identifier: GPL-2.0
"""Call stacks while something runs, with names.

A stack is a list of frames, outermost first. A frame is a function's name, or for
the module that is looked at `name@offset`, the offset being that into its .text,
from which the host tells what the compiler has inlined there.
"""

import bisect
import collections
import contextlib
import subprocess

from topology import Fault, program

MODULE = "ferronic"


class Symbols:
    """The running kernel's functions."""

    def __init__(self):
        self.starts, self.names = [], []
        found = []
        with open("/proc/kallsyms") as file:
            for line in file:
                start, kind, name = line.rstrip("\n").split(" ", 2)
                if kind in "tTwW":
                    name, _, module = name.partition("\t")
                    found.append((int(start, 16), name, module.strip("[]")))
        found.sort(key=lambda symbol: symbol[0])
        self.starts = [symbol[0] for symbol in found]
        self.names = [symbol[1:] for symbol in found]
        try:
            with open(f"/sys/module/{MODULE}/sections/.text") as file:
                self.text = int(file.read(), 16)
        except OSError:
            self.text = None

    def frame(self, address, innermost):
        """The frame of an address; but for the innermost it is that behind a call."""
        at = address if innermost else address - 1
        index = bisect.bisect_right(self.starts, at) - 1
        if index < 0:
            return "?"
        name, module = self.names[index]
        # The room before a function counts as the function.
        name = name.removeprefix("__pfx_")
        if module == MODULE and self.text is not None:
            return f"{name}@{at - self.text:#x}"
        return name


class Profile:
    """What was sampled: stacks and how often each was met."""

    def __init__(self):
        self.stacks, self.lost = [], 0

    def read(self, lines):
        counted = collections.Counter()
        for line in lines:
            if line.startswith("lost "):
                self.lost = int(line.split()[1])
            elif line:
                counted[line] += 1
        symbols = Symbols()
        for line, count in counted.items():
            frames = ["user space"] if line == "-" else [
                symbols.frame(int(word, 16), i == 0) for i, word in enumerate(line.split())][::-1]
            self.stacks.append([frames, count])


@contextlib.contextmanager
def sampled():
    """Samples while the body runs; gives a Profile that is filled afterwards."""
    # The kernel would throttle it where it seems to cost too much.
    for name, value in ("perf_event_max_sample_rate", 100000), ("perf_cpu_time_max_percent", 0):
        with open(f"/proc/sys/kernel/{name}", "w") as file:
            file.write(str(value))
    profile = Profile()
    with subprocess.Popen(program("sample"), stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as sampler:
        if sampler.stdout.readline() != "ready\n":
            raise Fault("the sampler does not start")
        yield profile
        lines = sampler.communicate()[0].splitlines()
    profile.read(lines)
