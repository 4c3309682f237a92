"""Many subscribers of one session that only count what they read, so that they cost little."""

from __future__ import annotations

import fcntl
import selectors
import socket
import struct
import termios
import threading
import time

from core.remote.protocol import PROTOCOL, Hello, to_frame
from core.remote.registry import socket_path
from core.version import VERSION

READ_BYTES = 2**16

READ_INTERVAL_SECONDS = 0.05
"""Between two reads: the reader shares the machine, so it reads rarely and in large pieces."""


class Subscribers:
    """``count`` subscribers of session ``id``, of which ``stuck`` never read."""

    def __init__(self, id: str, count: int, stuck: int = 0) -> None:
        self._sockets = [_connect(id) for _ in range(count)]
        self._stuck, self._reading = self._sockets[:stuck], self._sockets[stuck:]
        self._selector = selectors.DefaultSelector()
        for one in self._reading:
            self._selector.register(one, selectors.EVENT_READ)
        self._bytes = 0
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Subscribers:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._thread.join()
        for one in self._sockets:
            one.close()
        self._selector.close()

    def bytes_per_second(self, window: float) -> float:
        """Return the bytes per second that a reading subscriber receives within ``window``."""
        before, started = self._bytes, time.monotonic()
        time.sleep(window)
        return (self._bytes - before) / (time.monotonic() - started) / len(self._reading)

    def unread(self) -> list[int]:
        """Return the bytes that wait in the socket of each stuck subscriber."""
        return [_unread_bytes(one) for one in self._stuck]

    def _read(self) -> None:
        while not self._closing.wait(READ_INTERVAL_SECONDS):
            for key, _ in self._selector.select(0):
                assert isinstance(key.fileobj, socket.socket)
                self._bytes += len(key.fileobj.recv(READ_BYTES))


def _connect(id: str) -> socket.socket:
    connected = socket.socket(socket.AF_UNIX)
    connected.connect(str(socket_path(id)))
    connected.sendall(to_frame(Hello(protocol=PROTOCOL, program=VERSION, name="bench")))
    return connected


def _unread_bytes(connected: socket.socket) -> int:
    (waiting,) = struct.unpack("i", fcntl.ioctl(connected, termios.FIONREAD, bytes(4)))
    return int(waiting)
