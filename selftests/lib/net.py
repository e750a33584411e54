# SPDX-License-Identifier: GPL-2.0
"""Two namespaces joined by a pair of ports.

       ns0                               ns1
      +------------------+              +------------------+
      | fe0              |     wire     |              fe1 |
      | 192.168.241.1/24 +--------------+ 192.168.241.2/24 |
      | fd00:fe::1/64    |              |    fd00:fe::2/64 |
      +------------------+              +------------------+

One process holds sockets in both namespaces, so a test needs neither daemons
nor waiting for them.  $KIND chooses another kind of pair (veth, netkit), which
shows what of a test is about any pair and what about this NIC.
"""

import contextlib
import errno
import os
import select
import signal
import socket
import subprocess
import sys
import time

import rtnl
import tap

KIND = os.environ.get("KIND", "ferronic")
REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SLOW = 4 if os.environ.get("KSFT_MACHINE_SLOW", "no") not in ("", "0", "no") else 1
PATIENCE = 30 * SLOW
# The core makes a directory in sysfs for each queue there can be, which takes a slow kernel half a minute a pair.
QUEUES = {"txq": 8, "rxq": 8} if SLOW > 1 and KIND == "ferronic" else {}
rtnl.Rtnl.unless_told = {KIND: QUEUES}
NAME0, NAME1 = "fe0", "fe1"
V4 = ("192.168.241.1", "192.168.241.2")
V6 = ("fd00:fe::1", "fd00:fe::2")
MAC = ("02:fe:00:00:00:01", "02:fe:00:00:00:02")


def rounds(count):
    """How often to repeat something: less where everything takes long."""
    return max(count // SLOW, 1)


def run(*command, check=True, **options):
    """Runs a command and returns what it printed; its errors go to the log."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, check=False, **options)
    if check and done.returncode:
        raise AssertionError(f"{' '.join(command)}: status {done.returncode}\n"
                             f"{done.stdout}{done.stderr}")
    return done.stdout if check else done


def wait_until(condition, what, seconds=PATIENCE, pause=0.01):
    """Waits for a state that no event announces, such as the end of the
    kernel's own clean-up.  The limit only ends a failing test."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(pause)
    return value


class Namespace:
    """A named network namespace.  `with namespace:` moves the calling thread
    there, and every process it starts."""

    def __init__(self, name):
        self.name = f"fe-{os.getpid()}-{name}"
        run("ip", "netns", "add", self.name)
        self.fd = os.open(f"/run/netns/{self.name}", os.O_RDONLY | os.O_CLOEXEC)
        self.home = []
        with self:
            self.rtnl = rtnl.Rtnl()
        self.alive = True

    def __enter__(self):
        self.home.append(os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC))
        os.setns(self.fd, os.CLONE_NEWNET)
        return self

    def __exit__(self, *_):
        home = self.home.pop()
        os.setns(home, os.CLONE_NEWNET)
        os.close(home)

    def socket(self, *arguments, timeout=PATIENCE):
        with self:
            made = socket.socket(*arguments)
        made.settimeout(timeout)
        return made

    def packet(self, name, protocol=3, timeout=PATIENCE):
        """A packet socket bound to one device; ETH_P_ALL unless told."""
        made = self.socket(socket.AF_PACKET, socket.SOCK_RAW, 0, timeout=timeout)
        made.setsockopt(socket.SOL_SOCKET, 33, 1 << 23)     # SO_RCVBUFFORCE
        made.setsockopt(263, 23, 1)                         # PACKET_IGNORE_OUTGOING
        with self:
            made.bind((name, protocol))
        return made

    def run(self, *command, **options):
        with self:
            return run(*command, **options)

    def popen(self, *command, **options):
        with self:
            return subprocess.Popen(command, **options)

    def ip(self, *words, **options):
        return self.run("ip", *words, **options)

    def tc(self, *words, **options):
        return self.run("tc", *words, **options)

    def ethtool(self, *words, **options):
        return self.run("ethtool", *words, **options)

    def sysctl(self, name, value=None):
        """Reads or writes a sysctl of this namespace; dots may be slashes."""
        path = "/proc/sys/" + (name if "/" in name else name.replace(".", "/"))
        with self, open(path, "r" if value is None else "w") as file:
            return file.read().strip() if value is None else file.write(str(value))

    def sysfs(self, name, paths):
        """Reads files below /sys/class/net/NAME as this namespace sees them; a mount
        of sysfs belongs to the namespace it was made in, hence a new one."""
        files = " ".join(f"/sys/class/net/{name}/{path}" for path in paths)
        return self.run("unshare", "-m", "sh", "-c",
                        f"mount -t sysfs none /sys && cat {files}").split("\n")[:-1]

    def wait_local(self, address):
        """Waits until packets to this IPv6 address are taken in: the core adds the
        route behind the address from a work item, without any event before it."""
        word = socket.inet_pton(socket.AF_INET6, address).hex() + " 80 "

        def there():
            with self, open("/proc/thread-self/net/ipv6_route") as file:
                return word in file.read()

        wait_until(there, f"local route of {address}")

    def close(self):
        if self.alive:
            self.alive = False
            self.rtnl.close()
            os.close(self.fd)
            run("ip", "netns", "delete", self.name, check=False)


class Monitor:
    """Link notifications of one namespace, to wait for a state of a link."""

    def __init__(self, namespace):
        with namespace:
            self.events = rtnl.Rtnl(groups=rtnl.RTMGRP_LINK)
        self.namespace = namespace

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.events.close()

    def wait(self, name, condition, what, seconds=PATIENCE):
        """Returns the link as soon as `condition(link)` holds; `link` is None
        while there is none of that name."""
        end = time.monotonic() + seconds
        while True:
            link = self.namespace.rtnl.links().get(name)
            if condition(link):
                return link
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.events.socket], [], [], left)[0]:
                raise AssertionError(f"{self.namespace.name}: {name}: not {what} "
                                     f"within {seconds} s: {link}")
            list(self.events.receive())


def wait_link(namespace, name, condition, what):
    with Monitor(namespace) as monitor:
        return monitor.wait(name, condition, what)


def running(namespace, name):
    """Waits until the core calls the link running: the carrier is there at once,
    but the queues open by a work item, and before that they eat what is sent."""
    return wait_link(namespace, name, lambda link: link and link["operstate"] == 6, "running")


class Topology:
    """The two namespaces, and a pair in them, made by `pair()` in each case."""

    def __init__(self):
        self.stack = contextlib.ExitStack()
        self.n = []

    def __enter__(self):
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        try:
            for index in (0, 1):
                self.n.append(Namespace(str(index)))
                self.stack.callback(self.n[index].close)
                with contextlib.suppress(OSError):
                    self.n[index].sysctl("net/ipv6/conf/default/accept_dad", 0)
                    self.n[index].sysctl("net/ipv6/conf/default/router_solicitations", 0)
                self.n[index].rtnl.change("lo", up=True)
        except BaseException:
            self.stack.close()
            raise
        return self

    def __exit__(self, *_):
        self.stack.close()

    @property
    def n0(self):
        return self.n[0]

    @property
    def n1(self):
        return self.n[1]

    def conserved(self):
        """Looked at behind each case that has passed: see conservation.Topology."""

    def tidy(self):
        """Deletes what a case left in the two namespaces."""
        for namespace in self.n:
            for name, link in namespace.rtnl.links().items():
                if link["kind"] is None or not namespace.rtnl.exists(name):
                    continue
                try:
                    namespace.rtnl.delete(name)
                except rtnl.NetlinkError as error:
                    # It went with the other end, whose namespace is going.
                    if error.errno != errno.ENODEV:
                        raise

    def pair(self, up=True, quiet=False, only4=False, addresses=True, kind=KIND, own=None,
             peer=None, info=()):
        """Makes fe0 in ns0 and fe1 in ns1, and returns the two links.  A quiet
        pair carries the test's own frames only: it has no addresses and no IPv6,
        hence no discovery.  With `only4` it has IPv4 and no IPv6, whose reports to
        groups that nobody joined a NIC filters out."""
        mine = {"name": NAME0, "address": MAC[0], **(own or {})}
        other = {"name": NAME1, "address": MAC[1], "ns": self.n1.fd, **(peer or {})}
        make_pair(self.n0, mine, other, kind, info)
        for index, name in enumerate((NAME0, NAME1)):
            if quiet or only4:
                self.n[index].sysctl(f"net/ipv6/conf/{name}/disable_ipv6", 1)
            if up:
                self.n[index].rtnl.change(name, up=True)
            if addresses and not quiet:
                self.n[index].rtnl.add_address(name, V4[index], 24)
                if not only4:
                    self.n[index].rtnl.add_address(name, V6[index], 64)
        if up:
            self.ready()
            if addresses and not quiet and not only4:
                for namespace, address in zip(self.n, V6):
                    namespace.wait_local(address)
        return [self.n[i].rtnl.get(name) for i, name in enumerate((NAME0, NAME1))]

    def ready(self):
        """Waits until both ends are running."""
        running(self.n0, NAME0)
        running(self.n1, NAME1)

    def stats(self):
        return self.n0.rtnl.stats(NAME0), self.n1.rtnl.stats(NAME1)

    def ping(self, family=4, count=1, size=56, extra=()):
        """Pings the other end; the answers must carry what was sent."""
        target = V4[1] if family == 4 else V6[1]
        out = self.n0.run("ping", f"-{family}", "-n", "-c", str(count), "-i", "0.01", "-W",
                          str(PATIENCE), "-s", str(size), *extra, target)
        if "wrong data" in out:
            raise AssertionError(out)


def make_pair(namespace, own, peer, kind=KIND, info=()):
    """Makes a pair from `namespace`, or skips where there is no such kind."""
    try:
        namespace.rtnl.add_pair(kind, peer, info=info, **own)
    except rtnl.NetlinkError as error:
        if "Unknown device type" in error.text:
            raise tap.Skip(f"no driver for links of kind {kind}") from None
        raise


def module_path():
    """The module's file, for tests that unload and load it."""
    path = os.environ.get("FERRONIC_KO")
    if not path:
        path = f"{REPOSITORY}/build/{os.uname().release}/ferronic.ko"
    if not os.path.exists(path):
        raise tap.Skip(f"no module at {path}; $FERRONIC_KO names another place")
    return path


@contextlib.contextmanager
def module():
    """Makes sure that the module is loaded again, as it was, whatever the body did; the
    value is its file."""
    path = module_path()
    if not os.path.isdir(f"/sys/module/{KIND}"):
        raise tap.Skip(f"{KIND} is not loaded as a module")
    try:
        yield path
    finally:
        if not os.path.isdir(f"/sys/module/{KIND}"):
            run("insmod", path)
