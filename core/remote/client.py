"""A session whose runs train in another process."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from core.analysis.answers import AnyAnswer
from core.analysis.battery import OnProgress
from core.analysis.questions import AnyQuestion
from core.analysis.service import ignore_progress, never_cancelled
from core.errors import SessionError
from core.evaluation.protocols import ProbeName
from core.events import AnyCommand, AnyEvent, CommandIssued, Curve, Saved, Snapshot, WriteRecovered
from core.remote.connection import PATIENCE_SECONDS, SessionSocket, make_hello, session_status
from core.remote.process import launch
from core.remote.protocol import (
    LONGEST_VIEW,
    Answered,
    Ask,
    Cancel,
    Done,
    End,
    Ended,
    Fresh,
    Message,
    Partly,
    Probe,
    Rejected,
    Remember,
    RemoteError,
    Send,
    SnapshotChange,
    Sync,
    Update,
    one_line,
    unpack_events,
)
from core.session.api import Connection, View
from core.session.event_backlog import EventBuffer
from core.session.launch import ResumeRequest
from core.storage.io import working_folder

CANCEL_SECONDS = 0.1
"""How often it is looked whether an answer is still wanted."""

LOST = "the process that trained is gone"

DROPPED = "this terminal took in nothing for too long; the runs train on"

LEFT = "this face has left"

SILENCE_SECONDS = 15.0
"""A session that takes longer to give a sign of life is held for lost."""


@dataclass
class Asking:
    """A question that waits for its answer; ``told`` is how much of how much is done."""

    told: tuple[int, int] | None = None
    answered: Answered | None = None


class RemoteSession:
    """The session ``id`` of another process, as a face sees it.

    A face that ``began`` the session ends it when a signal tells it to end; one that came later
    only leaves. Raises ``RemoteError`` where the session cannot be reached.
    """

    def __init__(
        self, id: str, *, owner: bool = False, read_only: bool = False, progress: bool = False
    ) -> None:
        self._owner = owner
        self._read_only = read_only
        self._progress = progress
        self._news = threading.Condition()
        self._events = EventBuffer()
        self._past: list[AnyEvent] = []
        self._snapshots: dict[str, Snapshot] = {}
        self._folders: tuple[str, ...] = ()
        self.first_new = 0
        """Number of the first event since this face came."""
        self._questions = itertools.count()
        self._asked: dict[int, Asking] = {}
        self._tickets = 0
        self._done: dict[int, str] = {}
        """What became of the requests that somebody waits for."""
        self._ended = self._left = False
        self._lost = ""
        self._subscribers = 1
        self._attach(id)

    @property
    def connection(self) -> Connection:
        return Connection(
            id=self._link.id,
            read_only=self._read_only,
            subscribers=self._subscribers,
            lost=self._lost,
            dropped=self._lost == DROPPED,
            ended=self._ended,
        )

    def start(self) -> None:
        """Nothing: the runs train since the session began."""

    def snapshots(self) -> Mapping[str, Snapshot]:
        with self._news:
            return dict(self._snapshots)

    def events(self, since: int, reader: str = "client") -> Sequence[AnyEvent]:
        with self._news:
            return self._events.since(since, reader)

    def history(self) -> Sequence[AnyEvent]:
        with self._news:
            return tuple(self._past)

    def send(self, command: AnyCommand, run: str | None = None) -> None:
        self._tell(Send(command, run))

    def evaluate(self, probe: ProbeName, run: str | None = None) -> None:
        self._tell(Probe(probe, run))

    def restart(self) -> None:
        self._ask(Fresh(self._ticket()))

    def sync(self) -> None:
        """Wait until the session has handed on all that was sent; raises ``RemoteError``."""
        self._ask(Sync(self._ticket()))

    def stop(self, *, save: bool) -> None:
        """What became of it is in ``connection``: a session that is lost cannot be ended."""
        self._await_answer(End(save, self._ticket()))

    def leave(self, *, terminated: bool) -> None:
        if terminated and self._owner:
            self.stop(save=True)
        self.detach()

    def detach(self) -> None:
        with self._news:
            self._left = True
            self._news.notify_all()
        self._link.close()

    def reconnect(self) -> None:
        id = self._link.id
        if self._lost != DROPPED:
            id = launch(ResumeRequest.of([Path(folder) for folder in self._folders])).id
            self._owner = True
        self._link.close()
        self._reader.join()
        self._attach(id)

    def resume_in_new_session(self, path: Path) -> tuple[str, Sequence[str]]:
        if self._read_only:
            raise SessionError("read-only: this terminal may look, but not command")
        begun = launch(ResumeRequest.of([path]))
        return begun.id, begun.notes

    def ask(
        self,
        question: AnyQuestion,
        progress: OnProgress = ignore_progress,
        cancelled: Callable[[], bool] = never_cancelled,
    ) -> AnyAnswer:
        number, asking = next(self._questions), Asking()
        with self._news:
            self._asked[number] = asking
        self._tell(Ask(number, question))
        is_cancelled = False
        while not (asking.answered or self._ended or self._lost or self._left):
            with self._news:
                self._news.wait(CANCEL_SECONDS)
                told, asking.told = asking.told, None
            # Without the lock: whoever is told may wait for one who wants it.
            if told:
                progress(*told)
            if not is_cancelled and cancelled():
                is_cancelled = True
                self._tell(Cancel(number))
        with self._news:
            del self._asked[number]
        answered = asking.answered
        if answered is None or answered.answer is None:
            gone = LEFT if self._left else self._lost or "it has ended"
            raise RemoteError(answered.problem if answered else gone)
        return answered.answer

    def folders(self) -> Mapping[str, Path]:
        with self._news:
            # Runs that have just begun afresh may be told a moment before their folders.
            return dict(zip(self._snapshots, map(Path, self._folders), strict=False))

    def remember(self, view: View) -> None:
        if len(msgspec.msgpack.encode(view)) <= LONGEST_VIEW:
            self._tell(Remember(view))

    def remembered(self) -> View:
        return self._link.welcome.view

    def wait_for_events(self, seen: int, timeout: float) -> None:
        """Sleep until there are more than ``seen`` events, or the end; at most ``timeout`` s."""
        with self._news:
            self._news.wait_for(
                lambda: self._events.end > seen or self._ended or self._lost, timeout
            )

    # Out.

    def _tell(self, message: Message) -> None:
        if self._lost or self._ended or self._left:
            return
        try:
            self._link.send(message)
        except RemoteError as error:
            self._lose(str(error))

    def _ask(self, message: Fresh | End | Sync) -> None:
        """Send, and wait for the answer; raises ``RemoteError`` with what it says is wrong."""
        answered, problem = self._await_answer(message)
        if not answered:
            raise RemoteError(self._lost or f"session {self._link.id} has ended")
        if problem:
            raise RemoteError(problem)

    def _await_answer(self, message: Fresh | End | Sync) -> tuple[bool, str]:
        """Send, and wait: whether it was answered before the end, and what is wrong.

        However long it takes, the session must show that it lives.
        """
        self._tell(message)
        while not self._await(message.ticket):
            sign = Sync(self._ticket())
            self._tell(sign)
            if not self._await(message.ticket, sign.ticket):
                self._lose(f"session {self._link.id} does not answer")
        with self._news:
            return message.ticket in self._done, self._done.pop(message.ticket, "")

    def _ticket(self) -> int:
        with self._news:
            self._tickets += 1
            return self._tickets

    def _await(self, *tickets: int) -> bool:
        """Wait a while for an answer to one of ``tickets``, or for the end; False for neither."""
        with self._news:
            return self._news.wait_for(
                lambda: bool(
                    self._ended or self._lost or self._left or self._done.keys() & set(tickets)
                ),
                SILENCE_SECONDS,
            )

    # In: a thread reads, and all it changes is changed under the lock.

    def _attach(self, id: str) -> None:
        hello = make_hello(read_only=self._read_only, progress=self._progress)
        self._link = SessionSocket(id, hello)
        self._lost, self._past, self._known = "", [], False
        there = self._link.welcome.cwd
        self._elsewhere = there if there != working_folder() else ""
        self._reader = threading.Thread(target=self._read, name="session", daemon=True)
        self._reader.start()
        # Until runs are known there is nothing to show.
        with self._news:
            self._news.wait_for(lambda: self._known or self._lost or self._ended, PATIENCE_SECONDS)
        if not self._known:
            self._lose(f"session {id} tells nothing of its runs")
            self._link.close()
            raise RemoteError(self._lost)

    def _read(self) -> None:
        try:
            for message in self._link.messages():
                with self._news:
                    self._take_in(message)
                    self._news.notify_all()
            problem = "" if self._ended or self._left else self._why_closed()
        except RemoteError as error:
            problem = str(error)
        if not (self._ended or self._left):
            self._lose(problem)

    def _why_closed(self) -> str:
        """Why the session says no more, though nobody has ended it."""
        try:
            living = {run.run for run in session_status(self._link.id).runs}
        except RemoteError:
            return LOST
        # Another session may have got its name since.
        return DROPPED if living == self._snapshots.keys() else LOST

    def _take_in(self, message: Message) -> None:
        match message:
            case Update(past=True):
                self._past += unpack_events(message)
            case Update():
                for event in unpack_events(message):
                    if not (
                        isinstance(event, CommandIssued) and event.who == self._link.welcome.name
                    ):
                        self._events.append(_placed(event, self._elsewhere))
                self._stand(message)
            case Done(problem, ticket) if 0 < ticket <= self._tickets:
                self._done[ticket] = one_line(problem) if problem else ""
            case Partly(number, done, total):
                if number in self._asked:
                    self._asked[number].told = done, total
            case Answered():
                if message.number in self._asked:
                    self._asked[message.number].answered = message
            case Rejected(problem):
                self._lost = one_line(problem)
            case Ended():
                self._ended = True

    def _stand(self, news: Update) -> None:
        for change in news.changes:
            self._snapshots[change.run] = _changed(self._snapshots.get(change.run), change)
        if news.runs:
            unknown = set(news.runs) - set(self._snapshots)
            if unknown:
                raise RemoteError(f"session {self._link.id} tells nothing of {len(unknown)} runs")
            self._snapshots = {run: self._snapshots[run] for run in news.runs}
            self._folders = tuple(os.path.join(self._elsewhere, one) for one in news.folders)
            if not self._known:
                self._known, self.first_new = True, self._events.end
        self._subscribers = news.subscribers or self._subscribers

    def _lose(self, problem: str) -> None:
        with self._news:
            self._lost = self._lost or problem
            self._news.notify_all()


def _placed(event: AnyEvent, cwd: str) -> AnyEvent:
    """``event`` with a path that can be found from here, if it was said in another ``cwd``."""
    if cwd and isinstance(event, Saved | WriteRecovered):
        return msgspec.structs.replace(event, path=os.path.join(cwd, event.path))
    return event


def _changed(before: Snapshot | None, change: SnapshotChange) -> Snapshot:
    """Raises ``RemoteError`` for a change that leaves no snapshot."""
    fields = msgspec.structs.asdict(before) if before else {}
    curve, tail = before.curve if before else Curve(), change.curve
    if tail:
        if len(tail.iterations) != len(tail.losses):
            raise RemoteError("a snapshot cannot be understood: a point of a curve is no pair")
        curve = Curve(
            curve.iterations[: tail.start] + tail.iterations,
            curve.losses[: tail.start] + tail.losses,
        )
    plain = {**fields, **change.fields, "run": change.run, "curve": {}, "theta": None}
    try:
        snapshot = msgspec.convert(plain, Snapshot)
    except msgspec.ValidationError as error:
        raise RemoteError(f"a snapshot cannot be understood: {one_line(error)}") from error
    return msgspec.structs.replace(snapshot, curve=curve)
