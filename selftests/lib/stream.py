# SPDX-License-Identifier: GPL-2.0
"""TCP connections whose content is checked."""

import hashlib
import socket
import threading

import net


class Stream:
    """A TCP connection from ns0 to ns1, and what its other end has received."""

    def __init__(self, t, family=4, port=5001):
        kind = socket.AF_INET if family == 4 else socket.AF_INET6
        listener = t.n1.socket(kind, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((t.target[family], port))
        listener.listen()
        self.sender = t.n0.socket(kind, socket.SOCK_STREAM)
        self.sender.connect((t.target[family], port))
        self.receiver, self.peer = listener.accept()
        self.receiver.settimeout(net.PATIENCE)
        listener.close()
        self.got = hashlib.sha256()
        self.size = 0
        self.thread = threading.Thread(target=self.read)
        self.thread.start()

    def read(self):
        while chunk := self.receiver.recv(1 << 16):
            self.got.update(chunk)
            self.size += len(chunk)

    def end(self):
        """Waits for all of it; its digest."""
        self.sender.shutdown(socket.SHUT_WR)
        self.thread.join()
        self.sender.close()
        self.receiver.close()
        return self.got.hexdigest()
