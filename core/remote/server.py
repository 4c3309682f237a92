"""Serves a session to clients in other processes, in a thread of its own.

Training never waits for it: the threads of the runs only append to a list and, for events that a
user may wait for, wake this thread. Updates are encoded once, however many subscribers there are.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import socket
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from core.errors import reason, traceback_of
from core.events import AnyEvent, Evaluated, Progress, Snapshot
from core.remote.delta import DeltaEncoder, encode_backlog, full
from core.remote.listener import Listener
from core.remote.protocol import (
    HEAD,
    LONGEST_NAME,
    LONGEST_REQUEST,
    NOT_A_MESSAGE,
    PROTOCOL,
    Ended,
    Hello,
    Rejected,
    RemoteError,
    Reply,
    RunProgress,
    SessionStatus,
    Update,
    decode_client_message,
    decode_hello,
    one_line,
    to_frame,
)
from core.remote.registry import SessionEndpoint, is_same_user
from core.remote.requests import RequestHandler
from core.remote.subscriber import Subscriber
from core.session.event_backlog import EventBacklog
from core.session.local import LocalSession
from core.storage.io import working_folder
from core.version import VERSION

TICK_SECONDS = 0.2
"""Seconds between two updates of the snapshots."""

ECHO_SECONDS = 0.02
"""A snapshot follows an event that a user may wait for so soon."""

ENDPOINT_SECONDS = 2.0
"""Seconds between two checks that the socket can still be found."""

HELLO_SECONDS = 5.0
"""Time for a client that has connected to send its ``Hello``."""


def log_error(error: BaseException) -> None:
    """Write the traceback of ``error`` to standard error, the log of a session's process."""
    sys.stderr.write(traceback_of(error))
    sys.stderr.flush()


class Server:
    """Serves ``session`` at ``endpoint`` until it is closed, and removes the endpoint then.

    ``on_error`` is called with an internal error: a client was disconnected by it, or all were.
    """

    def __init__(
        self,
        session: LocalSession,
        endpoint: SessionEndpoint,
        *,
        on_error: Callable[[BaseException], None] = log_error,
        hello_seconds: float = HELLO_SECONDS,
        endpoint_seconds: float = ENDPOINT_SECONDS,
    ) -> None:
        self._session = session
        self._endpoint = endpoint
        self._on_error = on_error
        self._hello_seconds = hello_seconds
        self._endpoint_ticks = round(endpoint_seconds / TICK_SECONDS)
        self._subscribers: dict[str, Subscriber] = {}
        self._connected: set[socket.socket] = set()
        self._numbers = itertools.count(1)
        self._seen = 0
        self._encoder = DeltaEncoder()
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(self._handle_loop_error)
        self._wake = asyncio.Event()
        self._ending = asyncio.Event()
        self.ended = threading.Event()
        """Set once a subscriber has ended the runs, or they have become unreachable."""
        self._requests = RequestHandler(session, self._send_updates, self.ended)
        self._thread = threading.Thread(target=self._work, name="server", daemon=True)
        self._thread.start()
        session.add_listener(self._wake_for)

    @property
    def id(self) -> str:
        """The name of the session."""
        return self._endpoint.id

    @property
    def has_subscribers(self) -> bool:
        """True while a client is attached."""
        return bool(self._subscribers)

    def close(self) -> None:
        """Inform every subscriber that all runs have ended, and remove the endpoint."""
        with suppress(RuntimeError):  # the loop is closed after an internal error
            self._loop.call_soon_threadsafe(self._ending.set)
            self._loop.call_soon_threadsafe(self._wake.set)
        self._thread.join()

    # The thread.

    def _work(self) -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                runner.run(self._serve())
        except BaseException as error:
            # Runs that no client can reach would train for days.
            self.ended.set()
            self._on_error(error)
        finally:
            for connected in self._connected:  # those that a loop that failed has left open
                with suppress(OSError):
                    connected.shutdown(socket.SHUT_RDWR)
            self._requests.close()

    def _handle_loop_error(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self._on_error(context.get("exception") or RuntimeError(context["message"]))

    async def _serve(self) -> None:
        listener: Listener | None = None
        ticks = 0
        try:
            listener = self._listener()
            while not self._ending.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), TICK_SECONDS)
                if self._wake.is_set():
                    self._wake.clear()
                    self._send_updates()
                    await asyncio.sleep(ECHO_SECONDS)
                self._send_updates()
                ticks += 1
                if ticks % self._endpoint_ticks == 0:
                    listener = self._keep_endpoint(listener)
        finally:
            if listener:
                listener.close()
            self._endpoint.remove()  # first: a client that sees the end finds no session any more
        self._send_updates()
        subscribers = self._subscribers.values()
        await asyncio.gather(*(subscriber.close(Ended()) for subscriber in subscribers))
        self._requests.cancel()

    def _listener(self) -> Listener:
        return Listener(self._endpoint.listening, self._connect)

    def _keep_endpoint(self, listener: Listener) -> Listener:
        try:
            if self._endpoint.exists():
                return listener
            listener.close()
            self._endpoint.restore()
        except Exception:
            return listener  # the folder may come back when the user logs in again
        return self._listener()

    def _wake_for(self, event: AnyEvent) -> None:
        """Wake the server, in the thread of a run, for an event that a user may wait for."""
        is_periodic = isinstance(event, Evaluated) and event.probe == "validation"
        if not (isinstance(event, Progress) or is_periodic):
            with suppress(RuntimeError, OSError):  # the loop is closed, or the next tick sees it
                self._loop.call_soon_threadsafe(self._wake.set)

    # One client.

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected: socket.socket = writer.get_extra_info("socket")
        problem = ""
        self._connected.add(connected)
        try:
            if not is_same_user(connected):
                return
            async with asyncio.timeout(self._hello_seconds):
                hello = decode_hello(await _read_message(reader))
            await self._accept(hello, reader, writer)
        except NOT_A_MESSAGE as error:
            problem = f"not a hello: {one_line(error)}"
        except (OSError, EOFError, TimeoutError):
            pass
        except Exception as error:
            problem = reason(error)
        finally:
            if problem:
                writer.write(to_frame(Rejected(problem)))
            writer.close()
            self._connected.discard(connected)

    async def _accept(
        self, hello: Hello, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if hello.protocol != PROTOCOL:
            raise RemoteError(
                f"session {self.id} runs tui-meta {VERSION} and this is {hello.program}; "
                f"use the version that started it, or kill {os.getpid()}, which saves its runs"
            )
        if hello.status_only:
            writer.write(to_frame(self._status("")))
            return
        subscriber = Subscriber(self._unique_name(hello.name), writer, hello)
        subscriber.send_initial(self._status(subscriber.name))
        self._send_backlog(subscriber)
        self._subscribers[subscriber.name] = subscriber
        try:
            while True:
                content = await _read_message(reader)
                try:
                    message = decode_client_message(content)
                except NOT_A_MESSAGE as error:
                    subscriber.send(Reply(0, f"not a request: {one_line(error)}"))
                else:
                    self._requests.handle(message, subscriber)
        finally:
            self._requests.forget(subscriber)
            del self._subscribers[subscriber.name]

    def _unique_name(self, wish: str) -> str:
        wish = "".join(filter(str.isprintable, wish))[:LONGEST_NAME] or "unknown"
        return wish if wish not in self._subscribers else f"{wish} #{next(self._numbers)}"

    def _status(self, name: str) -> SessionStatus:
        return SessionStatus(
            id=self.id,
            name=name,
            cwd=working_folder(),
            view=self._session.remembered(),
            runs=tuple(
                RunProgress(run, one.state, one.iteration, one.target)
                for run, one in self._session.snapshots().items()
            ),
            subscribers=tuple(self._subscribers),
        )

    # Updates.

    def _send_updates(self, end: int | None = None, *, joining: int = 0) -> Callable[[], Update]:
        """Send everything new to all subscribers, up to event number ``end``.

        Returns the full snapshots that clients who are ``joining`` start from: later changes
        continue from there.
        """
        session = self._session
        events = session.events(self._seen, reader="server")
        if end is not None:
            events = events[: end - self._seen]
        self._seen += len(events)
        snapshots = session.snapshots()
        folders = tuple(str(folder) for folder in session.folders().values())
        count = len(self._subscribers) + joining
        changed = self._encoder.diff(snapshots, folders, count)
        change = to_frame(changed) if changed and self._subscribers else None
        if changed and changed.runs:
            # Slow subscribers too must know new runs before they receive events of them.
            self._send_all(change)
            change = None
        if events and self._subscribers:
            self._send_events(events, snapshots)

        def full_snapshots() -> Update:
            return full(snapshots, folders, count)

        for subscriber in list(self._subscribers.values()):
            subscriber.send_snapshot(change, lambda: to_frame(full_snapshots()))
        return full_snapshots

    def _send_events(self, events: Sequence[AnyEvent], snapshots: Mapping[str, Snapshot]) -> None:
        update = self._encoder.encode_events(events, snapshots)
        self._send_all(to_frame(update) if update else None, progress=False)
        if any(subscriber.hello.progress for subscriber in self._subscribers.values()):
            self._send_all(to_frame(Update(events=tuple(events))), progress=True)

    def _send_all(self, frame: bytes | None, *, progress: bool | None = None) -> None:
        for subscriber in list(self._subscribers.values()):
            if frame and progress in (None, subscriber.hello.progress):
                subscriber.send_frame(frame)

    def _send_backlog(self, subscriber: Subscriber) -> None:
        """Send everything that the other subscribers know."""
        events, end = self._session.backlog()
        full_snapshots = self._send_updates(end, joining=1)
        past = EventBacklog(self._session.history()).events()
        for update in (*encode_backlog(past, past=True), *encode_backlog(events, past=False)):
            subscriber.send_initial(update)
        subscriber.send_initial(full_snapshots())


async def _read_message(reader: asyncio.StreamReader) -> bytes:
    """Return the next message; raises ``EOFError`` at the end, ``RemoteError`` if too long."""
    (length,) = HEAD.unpack(await reader.readexactly(HEAD.size))
    if length > LONGEST_REQUEST:
        raise RemoteError(f"a message of {length:,} bytes is too long")
    return await reader.readexactly(length)
