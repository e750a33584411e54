# SPDX-License-Identifier: GPL-2.0
"""Runs tests inside the machine and tells the runner outside what happens.

Every line on standard output starts with a letter that says what it is:
`<` a test begins, `|` the test printed a line, `k` the kernel logged one,
`!` trouble found behind the test, `>` it ended, with its status and, if it did
not end by itself, why, `~` a test was left out because there was no time for it,
`.` nothing but a sign of life.

After each test the kernel log must hold no trouble that the test did not
announce, and links, namespaces, processes and the module's references must be
as before.
"""

import argparse
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time

import static_keys

TROUBLE = re.compile(
    r"WARNING:|BUG:|\bBUG\b.*at |\] RIP: |RIP: |Call Trace:|KASAN:|KFENCE:|UBSAN:|"
    r"ref_tracker: |refcount_t:|unreferenced object|lockdep|possible circular locking|"
    r"possible recursive locking|inconsistent lock state|suspicious RCU usage|"
    r"blocked for more than|unregister_netdevice: waiting|detected stall|rcu.*stall|"
    r"soft lockup|hard LOCKUP|scheduling while atomic|sleeping function called|"
    r"NETDEV WATCHDOG|general protection fault|Oops|rust_kernel: panicked|"
    r"kmemleak: \d+ new suspected|page_pool_release_retry|page pools whose|Voluntary context switch|"
    # KUnit's words: a module is loaded whatever its tests say.
    r"^\s*not ok \d+ |: ASSERTION FAILED at ")
# The kernel's own words about itself that look like trouble and are none.
HARMLESS = re.compile(r"lockdep (is|debugging)|kmemleak: (Kernel memory leak detector|Automatic)|"
                      r"Lock dependency validator|module verification failed|taints kernel")
# What tests announce, one pattern a line; qemu/run reads the same file.
ANNOUNCED = os.path.join(os.environ.get("OUT", "/tmp"), "expected-log")
MARK = "FERRONIC_SELFTEST"
MODULE = "ferronic"
SETTLE = 20

_out = threading.Lock()


def tell(kind, text=""):
    with _out:
        sys.stdout.write(f"{kind}{text}\n")
        sys.stdout.flush()


class KernelLog:
    """The kernel log from where the last look ended."""

    def __init__(self):
        try:
            self.file = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
            os.lseek(self.file, 0, os.SEEK_END)
        except OSError:
            self.file = None

    def new(self):
        lines = []
        while self.file is not None:
            try:
                record = os.read(self.file, 16384).decode(errors="replace")
            except BlockingIOError:
                break
            except BrokenPipeError:         # overwritten before it was read
                lines.append("(lines lost)")
                continue
            lines.append(record.partition(";")[2].split("\n")[0])
        return lines


def reports(lines):
    """The lines one by one, but a trace of calls as a whole."""
    trace = []
    for line in lines:
        if trace or "Call Trace:" in line:
            trace.append(line)
            if "</TASK>" in line:
                yield trace
                trace = []
        else:
            yield [line]
    yield trace


def trouble_in(lines):
    """Lines of the kernel log that tell of trouble nobody announced.  Who announces a line of
    a trace announces the trace."""
    announced = [re.compile(line) for line in (read(ANNOUNCED) or "").splitlines() if line.strip()]
    return [line for report in reports(lines)
            if not any(pattern.search(line) for pattern in announced for line in report)
            for line in report if TROUBLE.search(line) and not HARMLESS.search(line)]


def read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return None


def marked_processes():
    """Processes that the test started and left."""
    found = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit() and int(entry) != os.getpid():
            try:
                with open(f"/proc/{entry}/environ", "rb") as file:
                    if MARK.encode() + b"=" in file.read():
                        command = read(f"/proc/{entry}/cmdline") or ""
                        found[int(entry)] = command.replace("\0", " ")
            except OSError:
                continue
    return found


def state():
    """What must be the same before and after a test."""
    links = json.loads(subprocess.run(["ip", "-d", "-j", "link"], capture_output=True, text=True,
                                      check=False).stdout or "[]")
    # Devices that modules make when they are loaded (fallback tunnels) stay.
    own = [link for link in links
           if link.get("linkinfo", {}).get("info_kind") not in
           ("gre", "gretap", "erspan", "ip6gre", "ip6tnl", "ipip", "sit", "vti")]
    spaces = set()
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                spaces.add(os.readlink(f"/proc/{entry}/ns/net"))
            except OSError:
                continue
    # These come with the first use and stay.
    lasting = ("/run/netns", "/sys/kernel/debug", "/sys/kernel/tracing", "/sys/fs/bpf")
    mounts = (line.split()[4] for line in (read("/proc/self/mountinfo") or "").split("\n"))
    return {
        "links": {link["ifname"]: {key: value for key, value in link.items() if key != "ifindex"}
                  for link in own},
        "named namespaces": sorted(os.listdir("/run/netns")) if os.path.isdir("/run/netns") else [],
        "namespaces in use": sorted(spaces),
        "mounts": sorted(mount for mount in mounts if mount not in lasting),
        f"module {MODULE}": (os.path.isdir(f"/sys/module/{MODULE}"),
                             read(f"/sys/module/{MODULE}/refcnt")),
    }


def differences(before):
    """What differs from `before`, after having waited for it to go away."""
    end = time.monotonic() + SETTLE
    while True:
        now = state()
        found = [f"{key}: before {before[key]}, after {now[key]}"
                 for key in before if before[key] != now[key]]
        if not found or time.monotonic() > end:
            return found
        time.sleep(0.1)


class Memleak:
    """The kernel's leak detector, where there is one."""

    path = "/sys/kernel/debug/kmemleak"

    def __init__(self):
        if not os.path.isdir("/sys/kernel/debug/tracing") and not os.path.exists(self.path):
            subprocess.run(["mount", "-t", "debugfs", "none", "/sys/kernel/debug"],
                           check=False, capture_output=True)
        self.there = os.path.exists(self.path)
        # It scans when it is told to.
        self.command("scan=off")

    def command(self, word):
        if self.there:
            try:
                with open(self.path, "w") as file:
                    file.write(word)
            except OSError:
                self.there = False

    def found(self):
        """Scans and returns what is unreferenced, once.  Objects younger than five
        seconds are not reported yet; a later scan finds them."""
        self.command("scan")
        lines = (read(self.path) or "").splitlines() if self.there else []
        if lines:
            self.command("clear")
        return lines


def run_test(name, path, limit, slow):
    """Runs one test; its lines go out as they come.  Returns its status, and
    what ended it if it had to be ended."""
    # The repository is read-only here; compiled libraries go elsewhere.
    environment = dict(os.environ, **{MARK: name}, PYTHONPYCACHEPREFIX="/tmp/pycache")
    if slow > 1:
        environment["KSFT_MACHINE_SLOW"] = "yes"
    program, *arguments = shlex.split(path)
    process = subprocess.Popen([os.path.abspath(program), *arguments], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               env=environment, start_new_session=True)
    late = threading.Event()

    def give_up():
        late.set()
        for signum in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(process.pid, signum)
                process.wait(10)
                return
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue

    timer = threading.Timer(limit, give_up)
    timer.start()
    for line in process.stdout:
        tell("|", line.decode(errors="replace").rstrip("\n"))
    status = process.wait()
    timer.cancel()
    return status, f"not done within {limit} s" if late.is_set() else ""


def end_leftovers():
    """Ends what the test left running, and tells about it."""
    left = marked_processes()
    for pid, command in left.items():
        tell("!", f"process {pid} left running: {command}")
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def free_deferred():
    """Packets that were freed for another CPU are so when it receives next (skb_attempt_defer_free()),
    which where tests without traffic follow may be minutes from now: long enough for a pool to be told
    of that waits for their pages."""
    everywhere = os.sched_getaffinity(0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as discard:
        for cpu in everywhere:
            os.sched_setaffinity(0, {cpu})
            try:
                discard.sendto(b"", ("127.0.0.1", 9))
            except OSError as error:
                tell("!", f"no packet passes lo: {error}")
                break
    os.sched_setaffinity(0, everywhere)


def own_limit(path, limit, slow):
    """A test may ask for more time by a line `selftest-timeout: SECONDS`."""
    asked = re.search(r"^# selftest-timeout: (\d+)$", read(path) or "", re.M)
    return int(asked.group(1)) * slow if asked else limit


def area(word):
    return word.partition("/")[0]


def sign_of_life():
    while True:
        time.sleep(20)
        tell(".")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--timeout", type=int, default=240)
    parser.add_argument("--slow", type=int, default=1)
    parser.add_argument("--seconds", type=float, help="for all of them together")
    parser.add_argument("tests", nargs="+", metavar="NAME=COMMAND")
    arguments = parser.parse_args()

    threading.Thread(target=sign_of_life, daemon=True).start()
    held = static_keys.hold()
    log, leaks = KernelLog(), Memleak()
    end = time.monotonic() + arguments.seconds if arguments.seconds is not None else None
    for number, word in enumerate(arguments.tests):
        name, _, path = word.partition("=")
        limit = own_limit(path, arguments.timeout, arguments.slow)
        if end is not None and time.monotonic() + limit > end:
            tell("~", name)
            continue
        before = state()
        tell("<", name)
        status, why = run_test(name, path, limit, arguments.slow)
        end_leftovers()
        free_deferred()
        for line in differences(before):
            tell("!", line)
        # A scan takes as long as a test: one behind each area.
        if number == len(arguments.tests) - 1 or area(arguments.tests[number + 1]) != area(word):
            if leaks.there:
                time.sleep(6)           # the detector's age limit for an object
            for line in leaks.found():
                tell("!", line)
        lines = log.new()
        for line in lines:
            tell("k", line)
        bad = trouble_in(lines)
        for line in bad:
            tell("!", f"kernel log: {line}")
        tell(">", f"{status} {why}".rstrip())
        if bad:
            # A kernel that has warned is no witness for the tests to come.
            sys.exit(1)
    held.close()


if __name__ == "__main__":
    main()
