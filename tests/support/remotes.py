"""Sessions that are served within the process of the test, and faces that look at them."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from core.remote.client import RemoteSession
from core.remote.protocol import HEAD, Done, Message, Reply, decode_reply, to_frame
from core.remote.registry import SessionEndpoint, sessions_folder
from core.remote.server import ServableSession, Server

VERSION = "1.2.3"
"""What the served program calls itself."""


PATIENCE = 60.0
"""Seconds that a test waits for what should come at once: the machine may be busy."""


class Serving:
    """``session``, started and served until a face ends it or ``close`` is called."""

    def __init__(self, session: ServableSession) -> None:
        session.start()
        self.place = SessionEndpoint()
        self.server = Server(session, self.place, VERSION)
        self._closing = threading.Thread(target=self._await_end, daemon=True)
        self._closing.start()
        self._faces: list[RemoteSession] = []

    @property
    def id(self) -> str:
        return self.server.id

    def face(self, **manner: bool) -> RemoteSession:
        """One more that watches; it leaves when all is closed."""
        face = RemoteSession(self.id, **manner)
        self._faces.append(face)
        return face

    def drop_all(self) -> None:
        """Cut every connection, as the bounds of a slow watcher do."""

        def drop() -> None:
            # In the server's thread, where a face that has just come is among them already.
            for watcher in list(self.server._subscribers.values()):
                watcher._drop()

        self.server._loop.call_soon_threadsafe(drop)

    def die(self) -> None:
        """Leave every connection cut and nobody at the socket, as the death of the process does."""
        (sessions_folder() / f"{self.id}.sock").unlink()
        self.drop_all()

    def close(self) -> None:
        """End the server, whatever the runs do."""
        for face in self._faces:
            face.detach()
        self.server.ended.set()
        self._closing.join()

    def _await_end(self) -> None:
        self.server.ended.wait()
        self.server.close()


@contextmanager
def served(session: ServableSession) -> Iterator[Serving]:
    """While entered, ``session`` can be reached."""
    serving = Serving(session)
    try:
        yield serving
    finally:
        serving.close()


class Impostor:
    """Listens as session ``id`` would, says ``said`` to whoever comes, and then no more.

    It stays until it is closed, or hangs up at once where it ``leaves``.
    """

    def __init__(self, said: bytes, *, leaves: bool = False, id: str = "1") -> None:
        self._said = said
        self._leaves = leaves
        self._connected: list[socket.socket] = []
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listening.bind(str(sessions_folder() / f"{id}.sock"))
        self._listening.listen()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listening.close()
        for connected in self._connected:
            connected.close()

    def _work(self) -> None:
        while True:
            try:
                connected, _ = self._listening.accept()
            except OSError:
                return  # it was closed
            self._connected.append(connected)
            with suppress(OSError):
                connected.sendall(self._said)
                if self._leaves:
                    connected.shutdown(socket.SHUT_RDWR)


class Raw:
    """A connection to session ``id`` that can say anything."""

    def __init__(self, id: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(str(sessions_folder() / f"{id}.sock"))

    def say(self, *messages: Message) -> None:
        self.socket.sendall(b"".join(map(to_frame, messages)))

    def hear(self) -> Reply | None:
        """The next message; None where the session has hung up."""
        (length,) = HEAD.unpack(self._read(HEAD.size) or HEAD.pack(0))
        return decode_reply(self._read(length)) if length else None

    def done(self) -> Done:
        """The next answer to a request."""
        while not isinstance(reply := self.hear(), Done):
            assert reply is not None, "the session hung up"
        return reply

    def close(self) -> None:
        self.socket.close()

    def _read(self, size: int) -> bytes:
        content = b""
        with suppress(ConnectionError):
            while len(content) < size and (piece := self.socket.recv(size - len(content))):
                content += piece
        return content if len(content) == size else b""
