# SPDX-License-Identifier: GPL-2.0
"""Running part of a test as an ordinary user who is root of namespaces of their
own."""

import ctypes
import os
import signal
import socket
import traceback

import tap

NOBODY = 65534
ASK = b"?"


def unshare_user():
    """The calling process becomes root of a user and a network namespace that an
    ordinary user made."""
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    # Without this the process may not write its own maps: it has changed its user.
    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)      # PR_SET_DUMPABLE
    try:
        os.unshare(os.CLONE_NEWUSER | os.CLONE_NEWNET)
    except OSError as error:
        raise tap.Skip(f"no user namespaces for ordinary users: {error}") from None
    for file, text in (("setgroups", "deny"), ("uid_map", f"0 {NOBODY} 1"),
                       ("gid_map", f"0 {NOBODY} 1")):
        with open(f"/proc/self/{file}", "w") as out:
            out.write(text)


def as_user(function, given=None):
    """Runs the function in a child that has become such a root; what it raises is
    raised here.  Before that `given`, if there is one, is called here with a
    descriptor of the child's network namespace."""
    parent, child = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        # Whatever happens, the child never goes back into the test.
        try:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            parent.close()
            try:
                unshare_user()
                if given:
                    child.sendall(ASK)
                    child.recv(len(ASK))
                function()
                answer = b"ok"
            except tap.Skip as reason:
                answer = b"skip" + str(reason).encode()
            except BaseException:
                answer = b"fail" + traceback.format_exc().encode()
            child.sendall(answer)
        finally:
            os._exit(0)
    child.close()
    with parent:
        answer = b""
        while chunk := parent.recv(65536):
            answer += chunk
            if answer == ASK:
                answer = b""
                namespace = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
                try:
                    given(namespace)
                finally:
                    os.close(namespace)
                parent.sendall(ASK)
    os.waitpid(pid, 0)
    if answer.startswith(b"skip"):
        raise tap.Skip(answer[4:].decode())
    if answer != b"ok":
        raise AssertionError(answer.decode())
