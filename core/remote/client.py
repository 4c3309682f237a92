"""A session whose runs train in another process."""

import itertools
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from core.analysis.answers import AnyAnswer
from core.analysis.callbacks import OnProgress, ignore_progress, never_cancelled
from core.analysis.questions import AnyQuestion
from core.commands import AnyCommand
from core.errors import SessionError, reason
from core.evaluation.few_shot_tasks import ProbeName
from core.events import AnyEvent, CommandIssued, Saved, Snapshot, WriteRecovered
from core.remote.connection import REPLY_SECONDS, SessionSocket, make_hello, session_status
from core.remote.delta import apply_change
from core.remote.launch import launch
from core.remote.protocol import (
    LONGEST_VIEW,
    Add,
    Ask,
    Call,
    CallProgress,
    Cancel,
    ClientMessage,
    End,
    Ended,
    EvaluateNext,
    Rejected,
    Remember,
    RemoteError,
    Reply,
    Request,
    Restart,
    Send,
    ServerMessage,
    Sync,
    Update,
    one_line,
)
from core.session.api import Connection, View
from core.session.event_backlog import EventBuffer
from core.session.run_requests import AddRequest, ResumeRequest
from core.storage.io import working_folder

CANCEL_SECONDS = 0.1
"""Seconds between two checks that an answer is still needed."""

LOST = "the training process has exited"

DROPPED = "terminal too slow, disconnected; training continues"

LEFT = "disconnected"

SILENCE_SECONDS = 15.0
"""A session that must reply is asked for a sign of life after so long, and given up after twice as
long."""


@dataclass
class PendingCall:
    """A call that waits for its reply, and the newest progress that was not yet reported."""

    progress: tuple[int, int] | None = None
    reply: Reply | None = None


class RemoteSession:
    """A client of session ``id``, which another process runs.

    An ``owner`` started the session, and ends it when terminated by a signal; others only leave.
    Raises ``RemoteError`` where the session cannot be reached.
    """

    def __init__(
        self,
        id: str,
        *,
        owner: bool = False,
        read_only: bool = False,
        progress: bool = False,
        reply_seconds: float = REPLY_SECONDS,
        silence_seconds: float = SILENCE_SECONDS,
    ) -> None:
        self._owner = owner
        self._read_only = read_only
        self._progress = progress
        self._reply_seconds = reply_seconds
        self._silence_seconds = silence_seconds
        self._changed = threading.Condition()
        self._events = EventBuffer()
        self._past: list[AnyEvent] = []
        self._snapshots: dict[str, Snapshot] = {}
        self._folders: tuple[str, ...] = ()
        self.first_new = 0
        """Number of the first event since this client attached."""
        self._ids = itertools.count(1)
        self._calls: dict[int, PendingCall] = {}
        self._ended = self._left = self._dropped = False
        self._lost = ""
        self._subscribers = 1
        self._attach(id)

    @property
    def connection(self) -> Connection:
        return Connection(
            id=self._socket.id,
            read_only=self._read_only,
            subscribers=self._subscribers,
            lost=self._lost,
            dropped=self._dropped,
            ended=self._ended,
        )

    def start(self) -> None:
        """Do nothing: the runs train since the session began."""

    def snapshots(self) -> Mapping[str, Snapshot]:
        with self._changed:
            return dict(self._snapshots)

    def events(self, since: int, reader: str = "client") -> Sequence[AnyEvent]:
        with self._changed:
            return self._events.since(since, reader)

    def history(self) -> Sequence[AnyEvent]:
        with self._changed:
            return tuple(self._past)

    def send(self, command: AnyCommand, run: str | None = None) -> None:
        self._write(Call(next(self._ids), Send(command, run)))

    def evaluate(self, probe: ProbeName, run: str | None = None) -> None:
        self._write(Call(next(self._ids), EvaluateNext(probe, run)))

    def restart(self) -> None:
        self._call(Restart())

    def add(self, request: AddRequest) -> str:
        return self._call(Add(request)).run

    def sync(self) -> None:
        """Wait until the session has handled all earlier calls; raises ``RemoteError``."""
        self._call(Sync())

    def stop(self, *, save: bool) -> None:
        """End the runs; ``connection`` tells the outcome, as a lost session cannot be ended."""
        try:
            self._call(End(save))
        except RemoteError as error:
            if not self._ended:
                self._lose(str(error))

    def leave(self, *, terminated: bool) -> None:
        if terminated and self._owner:
            self.stop(save=True)
        self.detach()

    def detach(self) -> None:
        with self._changed:
            self._left = True
            self._changed.notify_all()
        self._socket.close()

    def reconnect(self) -> None:
        id = self._socket.id
        if not self._dropped:
            id = launch(ResumeRequest.of([Path(folder) for folder in self._folders])).id
            self._owner = True
        self._socket.close()
        self._reader.join()
        self._attach(id)

    def resume_in_new_session(self, path: Path) -> tuple[str, Sequence[str]]:
        if self._read_only:
            raise SessionError("read-only session")
        launched = launch(ResumeRequest.of([path]))
        return launched.id, launched.notes

    def ask(
        self,
        question: AnyQuestion,
        progress: OnProgress = ignore_progress,
        cancelled: Callable[[], bool] = never_cancelled,
    ) -> AnyAnswer:
        answer = self._call(Ask(question), progress, cancelled).answer
        if answer is None:
            raise RemoteError(f"session {self._socket.id} sent no answer")
        return answer

    def folders(self) -> Mapping[str, Path]:
        with self._changed:
            # The snapshots of restarted runs may arrive a moment before their folders.
            return dict(zip(self._snapshots, map(Path, self._folders), strict=False))

    def remember(self, view: View) -> None:
        if len(msgspec.msgpack.encode(view)) <= LONGEST_VIEW:
            self._write(Call(next(self._ids), Remember(view)))

    def remembered(self) -> View:
        return self._socket.status.view

    def wait_for_events(self, seen: int, timeout: float) -> None:
        """Sleep until there are more than ``seen`` events, or the end; at most ``timeout`` s."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._events.end > seen or self._ended or self._lost, timeout
            )

    # Messages to the session.

    def _write(self, message: ClientMessage) -> None:
        if self._lost or self._ended or self._left:
            return
        try:
            self._socket.send(message)
        except RemoteError as error:
            self._lose(str(error))

    def _call(
        self,
        request: Request,
        progress: OnProgress = ignore_progress,
        cancelled: Callable[[], bool] = never_cancelled,
    ) -> Reply:
        """Send ``request`` and wait for its reply; raises ``RemoteError`` for a refusal, or none.

        There is no limit to that, but the session must send a sign of life now and then.
        """
        id, call = next(self._ids), PendingCall()
        with self._changed:
            self._calls[id] = call
            self._last_message = time.monotonic()
        self._write(Call(id, request))
        asked_for_life, is_cancelled = 0.0, False
        while not self._is_over(call):
            with self._changed:
                self._changed.wait_for(lambda: call.progress or self._is_over(call), CANCEL_SECONDS)
                reached, call.progress = call.progress, None
            # Without the lock, which a thread may hold that this callback waits for.
            if reached:
                progress(*reached)
            if not is_cancelled and cancelled():
                is_cancelled = True
                self._write(Cancel(id))
            now = time.monotonic()
            if self._last_message < asked_for_life < now - self._silence_seconds:
                self._lose(f"session {self._socket.id} does not respond")
            elif asked_for_life <= self._last_message < now - self._silence_seconds:
                asked_for_life = now
                self._write(Call(next(self._ids), Sync()))
        with self._changed:
            del self._calls[id]
        if call.reply is None:
            ended = f"session {self._socket.id} has ended"
            raise RemoteError(LEFT if self._left else self._lost or ended)
        if call.reply.problem:
            raise RemoteError(one_line(call.reply.problem))
        return call.reply

    def _is_over(self, call: PendingCall) -> bool:
        return bool(call.reply or self._ended or self._lost or self._left)

    # Messages from the session: a thread reads, and changes everything under the lock.

    def _attach(self, id: str) -> None:
        hello = make_hello(read_only=self._read_only, progress=self._progress)
        self._socket = SessionSocket(id, hello, self._reply_seconds)
        self._lost, self._past, self._is_complete, self._dropped = "", [], False, False
        cwd = self._socket.status.cwd
        self._cwd = cwd if cwd != working_folder() else ""
        self._reader = threading.Thread(target=self._read, name="session", daemon=True)
        self._reader.start()
        # Until all snapshots have arrived there is nothing to show.
        with self._changed:
            self._changed.wait_for(
                lambda: self._is_complete or self._lost or self._ended, self._reply_seconds
            )
        if not self._is_complete:
            self._lose(f"session {id} sent no runs")
            self._socket.close()
            raise RemoteError(self._lost)

    def _read(self) -> None:
        problem = ""
        try:
            for message in self._socket.messages():
                with self._changed:
                    self._last_message = time.monotonic()
                    self._handle(message)
                    self._changed.notify_all()
        except Exception as error:  # without this thread nothing would change on the screen
            problem = reason(error)
        if not (self._ended or self._left):
            self._dropped = self._is_complete and self._is_running()
            self._lose(problem or (DROPPED if self._dropped else LOST))

    def _is_running(self) -> bool:
        """Return True if the session trains these runs, and only the connection is lost."""
        try:
            # Another session may have taken its number since; others may have added runs to this.
            runs = session_status(self._socket.id).runs
            return self._snapshots.keys() <= {run.run for run in runs}
        except Exception:
            return False

    def _handle(self, message: ServerMessage) -> None:
        match message:
            case Update(past=True):
                self._past += message.all_events()
            case Update():
                for event in message.all_events():
                    self._append(event)
                self._apply(message)
            case Reply(id=id) if id in self._calls:
                self._calls[id].reply = message
            case CallProgress(id, done, total) if id in self._calls:
                self._calls[id].progress = done, total
            case Rejected(problem):
                raise RemoteError(one_line(problem))
            case Ended():
                self._ended = True

    def _append(self, event: AnyEvent) -> None:
        """Append ``event``, unless this client has issued it; its path is relative to ``cwd``."""
        if isinstance(event, Saved | WriteRecovered):
            event = msgspec.structs.replace(event, path=os.path.join(self._cwd, event.path))
        if not (isinstance(event, CommandIssued) and event.who == self._socket.status.name):
            self._events.append(event)

    def _apply(self, update: Update) -> None:
        for change in update.changes:
            self._snapshots[change.run] = apply_change(self._snapshots.get(change.run), change)
        if update.runs:
            unknown = set(update.runs) - set(self._snapshots)
            if unknown:
                raise RemoteError(
                    f"session {self._socket.id} sent no snapshot of {len(unknown)} runs"
                )
            self._snapshots = {run: self._snapshots[run] for run in update.runs}
            self._folders = tuple(os.path.join(self._cwd, one) for one in update.folders)
            if not self._is_complete:
                self._is_complete, self.first_new = True, self._events.end
        self._subscribers = update.subscribers or self._subscribers

    def _lose(self, problem: str) -> None:
        """Give the session up, unless this client left: a thread may still have been writing."""
        with self._changed:
            self._lost = self._lost or ("" if self._left else problem)
            self._changed.notify_all()
