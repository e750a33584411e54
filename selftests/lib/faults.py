# SPDX-License-Identifier: GPL-2.0
"""Injected failures, on a kernel that can inject them: allocations that fail,
notifiers that refuse, packets whose data moves whenever it may.

Allocations fail only where a function of the module is on the stack; so the
rest of the kernel is left alone, and the count of allocations is the module's.
"""

import contextlib
import errno
import glob
import os

import net
import tap

DEBUGFS = "/sys/kernel/debug"
# What a request may say when memory is short.
ERRORS = (errno.ENOMEM, errno.ENOBUFS)


def read(path):
    with open(path, encoding="ascii") as file:
        return file.read().strip()


def write(path, value):
    with open(path, "w", encoding="ascii") as file:
        file.write(str(value))


@contextlib.contextmanager
def settings(values):
    """Has files of debugfs hold these values while the body runs."""
    before = {path: read(path) for path in values}
    try:
        for path, value in values.items():
            write(path, value)
        yield
    finally:
        for path, value in before.items():
            write(path, value)


def available():
    """Skips where the kernel has no fault injection with a filter by stack.  Announces what the
    core says when memory is short: its own bookkeeping was refused some, or who asked did not
    ask for silence, and the core shows from where."""
    if not os.path.exists(f"{DEBUGFS}/failslab/require-start"):
        raise tap.Skip("no fault injection in this kernel")
    tap.announce("ref_tracker: memory allocation failure")
    tap.announce(r"warn_alloc\+0x")


def module_text(name=net.KIND):
    """Where the module's code is. What else the module has lies behind it."""
    for line in read("/proc/modules").splitlines():
        word = line.split()
        if word[0] == name:
            start = int(word[5], 16)
            return start, start + int(word[1])
    raise tap.Skip(f"{name} is not loaded as a module")


def function_text(name):
    """Where a function of the kernel is."""
    start = None
    with open("/proc/kallsyms", encoding="ascii") as file:
        for line in file:
            word = line.split()
            if start is not None and word[1] in "tT" and int(word[0], 16) > start:
                return start, int(word[0], 16)
            if word[2] == name:
                start = int(word[0], 16)
    raise tap.Skip(f"no {name} in this kernel")


@contextlib.contextmanager
def from_text(start, end, spared=(0, 0)):
    """Only allocations beneath this code can fail, and not beneath the one that is `spared`: all of
    them, also those that may wait for memory, and of single pages."""
    available()
    values = {}
    for filtered in glob.glob(f"{DEBUGFS}/*/require-start"):
        folder = os.path.dirname(filtered)
        values |= {f"{folder}/require-start": hex(start), f"{folder}/require-end": hex(end),
                   f"{folder}/reject-start": hex(spared[0]), f"{folder}/reject-end": hex(spared[1]),
                   f"{folder}/stacktrace-depth": 32, f"{folder}/verbose": 0}
    values |= {f"{DEBUGFS}/failslab/ignore-gfp-wait": "N",
               f"{DEBUGFS}/fail_page_alloc/ignore-gfp-wait": "N",
               f"{DEBUGFS}/fail_page_alloc/ignore-gfp-highmem": "N",
               f"{DEBUGFS}/fail_page_alloc/min-order": 0}
    with settings(values):
        yield


@contextlib.contextmanager
def probability(percent, kinds=("failslab", "fail_page_alloc")):
    """While the body runs, so many per cent of the allocations fail, of whoever
    makes them, softirqs too."""
    values = {}
    for kind in kinds:
        values |= {f"{DEBUGFS}/{kind}/probability": percent, f"{DEBUGFS}/{kind}/interval": 1,
                   f"{DEBUGFS}/{kind}/times": -1, f"{DEBUGFS}/{kind}/task-filter": "N",
                   f"{DEBUGFS}/{kind}/verbose": 0}
    with settings(values):
        yield


class Nth:
    """Lets the n-th allocation of the calling thread fail."""

    def __init__(self):
        self.file = os.open("/proc/thread-self/fail-nth", os.O_RDWR | os.O_CLOEXEC)
        self.hit = False

    def close(self):
        os.close(self.file)

    def call(self, number, function):
        """Calls the function; `hit` says whether it came to the n-th."""
        os.pwrite(self.file, b"%d" % number, 0)
        try:
            return function()
        finally:
            self.hit = int(os.pread(self.file, 16, 0)) == 0
            os.pwrite(self.file, b"0", 0)

    def sweep(self, what, act, *, refused, done, prepare=None, undo=None, must=False,
              close=60, stride=7):
        """Lets the 1st, the 2nd, ... allocation of `act` fail until none does.  Each
        time either `act` says that memory is short, and `refused()` finds all as it
        was; or it does without, and `done()` finds what it was to do, and `undo()`
        undoes it.  What `must` work may not be refused.  `prepare()` comes before each.

        Behind the first `close` each `stride`-th is tried: most of what the core allocates
        for a device is a sysfs file like the one before it.
        """
        refusals = withouts = tried = 0
        number = 1
        while True:
            if prepare:
                prepare()
            error = None
            try:
                self.call(number, act)
            except OSError as caught:
                error = caught
            where = f"{what}, allocation {number}"
            if error and not self.hit:
                raise AssertionError(f"{where}: refused without a failure: {error}") from error
            try:
                if error:
                    refusals += 1
                    if must or error.errno not in ERRORS:
                        raise AssertionError(f"{error}") from error
                    refused()
                else:
                    done()
                    if not self.hit:
                        break
                    withouts += 1
                    if undo:
                        undo()
            except Exception as problem:
                raise AssertionError(f"{where}: {problem}") from problem
            tried += 1
            number += 1 if number < close else stride
        tap.note(f"{what}: {tried} allocations failed, up to number {number}; {refusals} were "
                 f"needed, {withouts} done without")
        return tried


class Topology:
    """Beside a topology of namespaces: while it lasts, allocations beneath the module can fail,
    the n-th of a request by `fault`."""

    def __enter__(self):
        available()
        super().__enter__()
        with contextlib.ExitStack() as stack:
            stack.callback(self.stack.close)
            # The core does not look whether it could name a device's kobject, and complains of the
            # empty name (EINVAL).
            self.stack.enter_context(from_text(*module_text(),
                                               spared=function_text("dev_set_name")))
            self.fault = Nth()
            self.stack.callback(self.fault.close)
            stack.pop_all()
        return self


@contextlib.contextmanager
def notifier(action, number):
    """Has the chain of network device notifiers answer with an error."""
    path = f"{DEBUGFS}/notifier-error-inject/netdev/actions/{action}/error"
    if not os.path.exists(path):
        raise tap.Skip("no injection of errors into notifiers in this kernel")
    with settings({path: -number}):
        yield
