"""Sessions that are served within the process of the test, and clients of them."""

from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from core.remote.client import RemoteSession
from core.remote.protocol import (
    HEAD,
    Call,
    Message,
    Reply,
    Request,
    ServerMessage,
    decode_server_message,
    to_frame,
)
from core.remote.registry import SessionEndpoint, sessions_folder
from core.remote.server import Server
from core.session.local import LocalSession

PATIENCE = 60.0
"""Seconds that a test waits for something that comes at once unless the machine is busy."""


class Serving:
    """``session``, started and served until a client ends it or ``close`` is called."""

    def __init__(self, session: LocalSession, **options: Any) -> None:
        session.start()
        self.endpoint = SessionEndpoint()
        self.server = Server(session, self.endpoint, **options)
        self._closing = threading.Thread(target=self._await_end, daemon=True)
        self._closing.start()
        self._clients: list[RemoteSession] = []

    @property
    def id(self) -> str:
        return self.server.id

    def client(self, **options: bool | float) -> RemoteSession:
        """Attach one more client; it leaves when the session is closed."""
        client = RemoteSession(self.id, **options)  # type: ignore[arg-type]
        self._clients.append(client)
        return client

    def drop_all(self) -> None:
        """Cut every connection, as the server does with a slow subscriber."""

        def drop() -> None:
            # In the server's thread, where a client that has just attached is among them already.
            for subscriber in list(self.server._subscribers.values()):
                subscriber.drop()

        self.server._loop.call_soon_threadsafe(drop)

    def die(self) -> None:
        """Cut every connection and remove the socket, as the death of the process does."""
        (sessions_folder() / f"{self.id}.sock").unlink()
        self.drop_all()

    def close(self) -> None:
        """End the server, whatever the runs do."""
        for client in self._clients:
            client.detach()
        self.server.ended.set()
        self._closing.join()

    def _await_end(self) -> None:
        self.server.ended.wait()
        self.server.close()


@contextmanager
def served(session: LocalSession, **options: Any) -> Iterator[Serving]:
    """While entered, ``session`` can be reached."""
    serving = Serving(session, **options)
    try:
        yield serving
    finally:
        serving.close()


class Impostor:
    """Listens as session ``id`` would, and sends ``data`` to each client, and nothing else.

    It keeps connections open until it is closed, or not at all if it ``hangs_up``.
    """

    def __init__(self, data: bytes, *, hangs_up: bool = False, id: str = "1") -> None:
        self._data = data
        self._hangs_up = hangs_up
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
                connected.sendall(self._data)
                if self._hangs_up:
                    connected.shutdown(socket.SHUT_RDWR)


class RawClient:
    """A connection to session ``id`` that can send anything."""

    def __init__(self, id: str) -> None:
        self._ids = itertools.count(1)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(str(sessions_folder() / f"{id}.sock"))

    def send(self, *messages: Message) -> None:
        self.socket.sendall(b"".join(map(to_frame, messages)))

    def call(self, *requests: Request) -> int:
        """Send calls; returns the id of the last one."""
        calls = [Call(next(self._ids), request) for request in requests]
        self.send(*calls)
        return calls[-1].id

    def receive(self) -> ServerMessage | None:
        """Return the next message; None if the session has hung up."""
        (length,) = HEAD.unpack(self._read(HEAD.size) or HEAD.pack(0))
        return decode_server_message(self._read(length)) if length else None

    def reply(self, id: int | None = None) -> Reply:
        """Return the next reply, or the one to call ``id``."""
        while not isinstance(reply := self.receive(), Reply) or id not in (None, reply.id):
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
