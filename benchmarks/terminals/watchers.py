"""Many watchers of one session that cost next to nothing themselves: they count what they read."""

from __future__ import annotations

import fcntl
import selectors
import socket
import struct
import termios
import threading
import time
from importlib.metadata import version

from core.remote.protocol import PROTOCOL, Hello, to_frame
from core.remote.registry import socket_path

READ_BYTES = 2**16

REST_SECONDS = 0.05
"""Between two readings: what has come is read at once, as the reader shares the machine."""


class Watchers:
    """``count`` watchers of session ``id``, of which ``stuck`` never read."""

    def __init__(self, id: str, count: int, stuck: int = 0) -> None:
        self._sockets = [_greeted(id) for _ in range(count)]
        self._stuck, self._reading = self._sockets[:stuck], self._sockets[stuck:]
        self._selector = selectors.DefaultSelector()
        for one in self._reading:
            self._selector.register(one, selectors.EVENT_READ)
        self._bytes = 0
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Watchers:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._leaving.set()
        self._thread.join()
        for one in self._sockets:
            one.close()
        self._selector.close()

    def bytes_per_second(self, window: float) -> float:
        """What one that reads is sent, on average over ``window`` seconds."""
        before, began = self._bytes, time.monotonic()
        time.sleep(window)
        return (self._bytes - before) / (time.monotonic() - began) / len(self._reading)

    def unread(self) -> list[int]:
        """Bytes that wait in the socket of each stuck watcher."""
        return [_waiting(one) for one in self._stuck]

    def _read(self) -> None:
        while not self._leaving.wait(REST_SECONDS):
            for key, _ in self._selector.select(0):
                assert isinstance(key.fileobj, socket.socket)
                self._bytes += len(key.fileobj.recv(READ_BYTES))


def _greeted(id: str) -> socket.socket:
    connected = socket.socket(socket.AF_UNIX)
    connected.connect(str(socket_path(id)))
    connected.sendall(to_frame(Hello(protocol=PROTOCOL, program=version("tui-meta"), name="bench")))
    return connected


def _waiting(connected: socket.socket) -> int:
    (waiting,) = struct.unpack("i", fcntl.ioctl(connected, termios.FIONREAD, bytes(4)))
    return int(waiting)
