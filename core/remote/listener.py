"""Accepting connections, also where a process has run out of file descriptors.

asyncio's own server then schedules a hundred attempts and logs a traceback for each, for ever.
"""

import asyncio
import resource
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress

from core.remote.protocol import LONGEST_REQUEST, Rejected, to_frame

SPARE_DESCRIPTORS = 12
"""Left for the runs of a session, which save, read and answer questions meanwhile."""

RETRY_SECONDS = 1.0

Connect = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Listener:
    """Calls ``connect`` for each connection to ``listening``, in the running loop, until closed."""

    def __init__(
        self, listening: socket.socket, connect: Connect, retry_seconds: float = RETRY_SECONDS
    ) -> None:
        self._listening = listening
        self._connect = connect
        self._retry_seconds = retry_seconds
        self._tasks: set[asyncio.Task[None]] = set()
        self._retry: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        listening.setblocking(False)
        self._listen()

    def close(self) -> None:
        """Accept no further connections; those that were accepted continue."""
        if self._retry:
            self._retry.cancel()
        if self._listening.fileno() >= 0:
            self._loop.remove_reader(self._listening)
            self._listening.close()

    def _listen(self) -> None:
        self._loop.add_reader(self._listening, self._accept)

    def _accept(self) -> None:
        try:
            connected, _ = self._listening.accept()
            connected.setblocking(False)
            connect = _refuse if _are_scarce(connected.fileno()) else self._connect
        except (BlockingIOError, ConnectionAbortedError, InterruptedError):
            return
        except Exception:
            # There is no descriptor or no memory: the client waits in the system's queue.
            self._loop.remove_reader(self._listening)
            self._retry = self._loop.call_later(self._retry_seconds, self._listen)
            return
        task = asyncio.ensure_future(_serve(connected, connect))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _serve(connected: socket.socket, connect: Connect) -> None:
    await connect(*await asyncio.open_unix_connection(sock=connected))


async def _refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(RETRY_SECONDS):
            await reader.read(LONGEST_REQUEST)  # a client sends its hello before it reads
    writer.write(to_frame(Rejected("this session has no room for more clients; close one first")))
    writer.close()


def _are_scarce(descriptor: int) -> bool:
    """Return True if few are free after ``descriptor``, which was the lowest free one."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return limit != resource.RLIM_INFINITY and descriptor + SPARE_DESCRIPTORS >= limit
