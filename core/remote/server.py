"""Serves a session to faces in other processes, in a thread of its own.

Training never waits for it: the runs' threads only append to a list and, for what somebody waits
for, wake this thread. What all subscribers are told is put together once, however many they are.
"""

from __future__ import annotations

import asyncio
import itertools
import socket
import threading
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from typing import Any, Protocol

import msgspec

from core.analysis.executors import Executors
from core.errors import LabError
from core.events import AnyEvent, CommandIssued, Evaluate, Evaluated, Progress, Snapshot
from core.remote.delta import DeltaEncoder, encode_backlog, full
from core.remote.protocol import (
    HEAD,
    LONGEST_NAME,
    LONGEST_REQUEST,
    LONGEST_VIEW,
    NOT_A_MESSAGE,
    PROTOCOL,
    Ask,
    Cancel,
    Done,
    End,
    Ended,
    Fresh,
    Hello,
    Probe,
    Rejected,
    Remember,
    RemoteError,
    Request,
    RunProgress,
    Send,
    SessionStatus,
    Sync,
    Update,
    decode_hello,
    decode_request,
    one_line,
    to_frame,
)
from core.remote.questions import Questions
from core.remote.registry import SessionEndpoint, is_same_user
from core.remote.subscriber import Subscriber
from core.session.api import Session
from core.session.event_backlog import EventBacklog
from core.storage.io import working_folder

LOOKING = (Remember, Sync, Ask, Cancel)
"""Requests that change nothing, which who may look only can make."""

TICK_SECONDS = 0.2
"""How often subscribers are told how the runs stand."""

ECHO_SECONDS = 0.02
"""A snapshot follows what somebody waited for so soon."""

PLACE_SECONDS = 2.0
"""How often it is looked whether the socket can still be found."""

HELLO_SECONDS = 5.0
"""How long one who has connected may take to say who it is."""


class ServableSession(Session, Protocol):
    """A session that can be handed on to others."""

    def listen(self, listener: Callable[[AnyEvent], None]) -> None:
        """Call ``listener`` with each event, in the thread where it happens."""

    def story(self) -> tuple[Sequence[AnyEvent], int]:
        """The events of this sitting, condensed, and the number of the next one."""

    def tell(self, event: AnyEvent) -> None:
        """Let all who watch know of ``event``."""


class Server:
    """Serves ``session`` at ``place`` until it is closed, and clears the place then."""

    def __init__(self, session: ServableSession, place: SessionEndpoint, program: str) -> None:
        """``program`` is the version that is told."""
        self._session = session
        self._program = program
        self._place = place
        self._subscribers: dict[str, Subscriber] = {}
        self._numbers = itertools.count(1)
        self._seen = 0
        self._digest = DeltaEncoder()
        self._loop = asyncio.new_event_loop()
        self._wake = asyncio.Event()
        self._ending = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._changing = asyncio.Lock()
        self._lanes = Executors("questions")
        self.ended = threading.Event()
        """Set once a watcher has ended the runs, or nobody can reach them any more."""
        session.listen(self._hear)
        self._thread = threading.Thread(target=self._work, name="server", daemon=True)
        self._thread.start()

    @property
    def id(self) -> str:
        """What the session is called."""
        return self._place.id

    @property
    def watched(self) -> bool:
        """Whether anybody watches."""
        return bool(self._subscribers)

    def close(self) -> None:
        """Tell every watcher that all has ended, and leave nothing behind."""
        with suppress(RuntimeError):  # it has ended by a fault
            self._loop.call_soon_threadsafe(self._ending.set)
            self._loop.call_soon_threadsafe(self._wake.set)
        self._thread.join()

    # The thread.

    def _work(self) -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                runner.run(self._serve())
        except Exception:
            # A fault of ours: runs that nobody can reach would train on for days.
            self.ended.set()
            raise
        finally:
            self._lanes.close()

    async def _serve(self) -> None:
        server = await self._open()
        ticks = 0
        try:
            while not self._ending.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), TICK_SECONDS)
                if self._wake.is_set():
                    self._wake.clear()
                    self._tell_news()
                    await asyncio.sleep(ECHO_SECONDS)
                self._tell_news()
                ticks += 1
                if ticks % round(PLACE_SECONDS / TICK_SECONDS) == 0:
                    server = await self._stay_findable(server)
        finally:
            server.close()
            self._place.clear()  # first: who hears of the end finds nothing any more
        self._tell_news()
        ended = to_frame(Ended())
        await asyncio.gather(*(watcher.part(ended) for watcher in self._subscribers.values()))
        for task in self._tasks:
            task.cancel()

    async def _open(self) -> asyncio.Server:
        return await asyncio.start_unix_server(self._greet, sock=self._place.listening)

    async def _stay_findable(self, server: asyncio.Server) -> asyncio.Server:
        if self._place.is_there():
            return server
        server.close()  # nobody finds it any more, and what is made anew is not to be removed by it
        try:
            self._place.restore()
        except (RemoteError, OSError):
            return server  # the folder may come back, when its person does
        return await self._open()

    def _hear(self, event: AnyEvent) -> None:
        """In a run's thread: wake the server for what somebody may wait for."""
        if not isinstance(event, Progress) and not _comes_by_itself(event):
            with suppress(RuntimeError):  # it has ended
                self._loop.call_soon_threadsafe(self._wake.set)

    # One watcher.

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected: socket.socket = writer.get_extra_info("socket")
        try:
            if not is_same_user(connected):
                return
            async with asyncio.timeout(HELLO_SECONDS):
                hello = decode_hello(await _message(reader))
            await self._admit(hello, reader, writer)
        except NOT_A_MESSAGE as error:
            writer.write(to_frame(Rejected(f"this is no greeting: {one_line(error)}")))
        except RemoteError as error:
            writer.write(to_frame(Rejected(str(error))))
        except (OSError, EOFError, TimeoutError):
            pass
        finally:
            writer.close()

    async def _admit(
        self, hello: Hello, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if hello.protocol != PROTOCOL:
            problem = (
                f"session {self.id} is of tui-meta {self._program} and this is {hello.program}; "
                "use the version that began it"
            )
            writer.write(to_frame(Rejected(problem)))
            return
        if hello.look:
            writer.write(to_frame(self._welcome("")))
            return
        watcher = Subscriber(self._called(hello.name), writer, hello)
        watcher.greet(to_frame(self._welcome(watcher.name)))
        self._tell_story(watcher)
        self._subscribers[watcher.name] = watcher
        questions = Questions(self._session, watcher, self._lanes)
        try:
            await self._obey(watcher, questions, reader)
        finally:
            questions.close()
            del self._subscribers[watcher.name]

    def _called(self, wish: str) -> str:
        """A name that no other watcher has."""
        wish = "".join(filter(str.isprintable, wish))[:LONGEST_NAME] or "somebody"
        return wish if wish not in self._subscribers else f"{wish} #{next(self._numbers)}"

    def _welcome(self, name: str) -> SessionStatus:
        snapshots = self._session.snapshots()
        return SessionStatus(
            id=self.id,
            name=name,
            cwd=working_folder(),
            view=self._session.remembered(),
            runs=tuple(
                RunProgress(run, one.state, one.iteration, one.target)
                for run, one in snapshots.items()
            ),
            subscribers=tuple(self._subscribers),
        )

    async def _obey(
        self, watcher: Subscriber, questions: Questions, reader: asyncio.StreamReader
    ) -> None:
        while True:
            content = await _message(reader)
            try:
                request = decode_request(content)
            except NOT_A_MESSAGE as error:
                watcher.tell(to_frame(Done(f"this is no request: {one_line(error)}")))
                continue
            problem = self._refusal(request, watcher)
            if problem:
                watcher.tell(to_frame(Done(problem, _ticket(request))))
            elif isinstance(request, Ask):
                questions.ask(request)
            elif isinstance(request, Cancel):
                questions.cancel(request.number)
            else:
                self._do(request, watcher)

    def _refusal(self, request: Request, watcher: Subscriber) -> str:
        """Why ``request`` is not obeyed; empty where it is."""
        if watcher.hello.read_only and not isinstance(request, LOOKING):
            return "you may look only"
        match request:
            case Send(run=run) | Probe(run=run) if run and run not in self._session.snapshots():
                return f"there is no run {run[:LONGEST_NAME]!r}"
            case Send(command=Evaluate(probe="validation")) | Probe(probe="validation"):
                return "this evaluation comes by itself"
            case Remember(view) if len(msgspec.msgpack.encode(view)) > LONGEST_VIEW:
                return "this is too much to remember"
        return ""

    def _do(self, request: Request, watcher: Subscriber) -> None:
        session = self._session
        match request:
            case Send(command, run):
                self._say_asked(watcher, type(command).__name__.lower(), run)
                session.send(command, run)
            case Probe(probe, run):
                self._say_asked(watcher, f"evaluate {probe}", run)
                session.evaluate(probe, run)
            case Remember(view):
                session.remember(view)
            case Fresh(ticket):
                self._say_asked(watcher, "fresh", None)
                self._begin(self._fresh(watcher, ticket))
            case End(save):
                self._say_asked(watcher, "stop" if save else "discard", None)
                self._begin(self._end(save))
            case Sync(ticket):
                self._tell_news()
                watcher.tell(to_frame(Done(ticket=ticket)))

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _fresh(self, watcher: Subscriber, ticket: int) -> None:
        problem = ""
        async with self._changing:
            try:
                await asyncio.to_thread(self._session.restart)
            except LabError as error:
                problem = str(error)
        self._tell_news()
        watcher.tell(to_frame(Done(problem, ticket)))

    async def _end(self, save: bool) -> None:
        async with self._changing:
            await asyncio.to_thread(self._session.stop, save=save)
        self.ended.set()

    def _say_asked(self, watcher: Subscriber, command: str, run: str | None) -> None:
        for name, one in self._session.snapshots().items():
            if run in (None, name):
                self._session.tell(
                    CommandIssued(
                        run=name,
                        iteration=one.iteration,
                        time=time.time(),
                        who=watcher.name,
                        command=command,
                    )
                )

    # What subscribers are told.

    def _tell_news(self, end: int | None = None, *, coming: int = 0) -> Callable[[], bytes]:
        """Tell everybody what has happened since the last time, up to event number ``end``.

        Gives what those who are ``coming`` must be told: later changes go on from there.
        """
        session = self._session
        events = session.events(self._seen, reader="server")
        if end is not None:
            events = events[: end - self._seen]
        self._seen += len(events)
        snapshots, folders = session.snapshots(), self._folders()
        count = len(self._subscribers) + coming
        changed = self._digest.diff(snapshots, folders, count)
        change = to_frame(changed) if changed and self._subscribers else None
        if changed and changed.runs:
            # Of other runs nothing may be heard before they are known, by slow subscribers too.
            self._tell_all(change)
            change = None
        if events and self._subscribers:
            self._tell_events(events, snapshots)

        def whole() -> bytes:
            return to_frame(full(snapshots, folders, count))

        for watcher in list(self._subscribers.values()):
            watcher.show(change, whole)
        return whole

    def _tell_events(self, events: Sequence[AnyEvent], snapshots: Mapping[str, Snapshot]) -> None:
        happened = self._digest.encode_events(events, snapshots)
        self._tell_all(to_frame(happened) if happened else None, progress=False)
        if any(watcher.hello.progress for watcher in self._subscribers.values()):
            self._tell_all(to_frame(Update(events=tuple(events))), progress=True)

    def _tell_all(self, frame: bytes | None, *, progress: bool | None = None) -> None:
        for watcher in list(self._subscribers.values()):
            if frame and progress in (None, watcher.hello.progress):
                watcher.tell(frame)

    def _tell_story(self, watcher: Subscriber) -> None:
        """Tell a watcher all that the others know."""
        told, end = self._session.story()
        whole = self._tell_news(end, coming=1)
        past = EventBacklog(self._session.history()).told()
        for news in (*encode_backlog(past, past=True), *encode_backlog(told, past=False)):
            watcher.greet(to_frame(news))
        watcher.greet(whole())

    def _folders(self) -> tuple[str, ...]:
        return tuple(str(folder) for folder in self._session.folders().values())


def _ticket(request: Request) -> int:
    return request.ticket if isinstance(request, Fresh | End | Sync) else 0


def _comes_by_itself(event: AnyEvent) -> bool:
    return isinstance(event, Evaluated) and event.probe == "validation"


async def _message(reader: asyncio.StreamReader) -> bytes:
    """The next message; raises ``EOFError`` at the end, ``RemoteError`` for one too long."""
    (length,) = HEAD.unpack(await reader.readexactly(HEAD.size))
    if length > LONGEST_REQUEST:
        raise RemoteError(f"a message of {length:,} bytes is too long")
    return await reader.readexactly(length)
