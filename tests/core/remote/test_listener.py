"""A session without free file descriptors waits quietly, and keeps some for its runs."""

from __future__ import annotations

import asyncio
import errno
import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.remote.connection import session_status
from core.remote.listener import SPARE_DESCRIPTORS, Listener
from core.remote.protocol import RemoteError
from tests.support.remotes import Serving


class Exhausted(socket.socket):
    """A socket that cannot accept at first, as there is no descriptor free."""

    failures = 3

    def accept(self):
        if self.failures:
            self.failures -= 1
            raise OSError(errno.EMFILE, "Too many open files")
        return super().accept()


def test_a_client_waits_until_there_is_a_descriptor_and_nothing_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readexactly(5))
        writer.close()

    async def exchange() -> bytes:
        listening = Exhausted(socket.AF_UNIX)
        listening.bind(str(tmp_path / "socket"))
        listening.listen()
        listener = Listener(listening, connect, retry_seconds=0.01)
        reader, writer = await asyncio.open_unix_connection(tmp_path / "socket")
        writer.write(b"hello")
        answer = await reader.read()
        writer.close()
        listener.close()
        listener.close()  # as a server does that cannot be found
        return answer

    assert asyncio.run(exchange()) == b"hello"
    assert not caplog.records


@contextmanager
def descriptors_up_to(limit: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_client_that_would_take_the_last_descriptors_is_refused_in_words(
    serving: Serving,
) -> None:
    with socket.socket() as probe:
        lowest = probe.fileno()
    with (
        descriptors_up_to(lowest + SPARE_DESCRIPTORS),
        pytest.raises(RemoteError, match="no room for more clients; close one first"),
    ):
        session_status(serving.id)
    assert session_status(serving.id).id == serving.id
