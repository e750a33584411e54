# SPDX-License-Identifier: GPL-2.0
"""The kernel's tracepoints."""

import contextlib
import os
import subprocess
import tempfile


class Trace:
    """Events (`SYSTEM/NAME`) while the body runs, in an instance of its own."""

    def __init__(self, *events):
        self.events = events

    def __enter__(self):
        self.stack = contextlib.ExitStack()
        root = self.stack.enter_context(tempfile.TemporaryDirectory())
        subprocess.run(["mount", "-t", "tracefs", "none", root], check=True)
        self.stack.callback(subprocess.run, ["umount", root], check=True)
        self.own = f"{root}/instances/ferronic-{os.getpid()}"
        os.mkdir(self.own)
        self.stack.callback(os.rmdir, self.own)
        for event in self.events:
            self.write(f"events/{event}/enable", "1")
            self.stack.callback(self.write, f"events/{event}/enable", "0")
        return self

    def write(self, name, text):
        with open(f"{self.own}/{name}", "w", encoding="ascii") as file:
            file.write(text)

    def lines(self):
        """What has been traced so far, a line for each event, in the order of time."""
        with open(f"{self.own}/trace", encoding="ascii", errors="replace") as file:
            return [line for line in file if not line.startswith("#")]

    def __exit__(self, *_):
        self.stack.close()
