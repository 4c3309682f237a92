"""A session whose runs train in another process."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from core.adaptation import ProbeName
from core.bench.answering import never, unheard
from core.bench.answers import AnyAnswer
from core.bench.questions import AnyQuestion
from core.bench.surveying import OnProgress
from core.curve import Curve
from core.events import AnyCommand, AnyEvent, Asked, Snapshot
from core.launching import OldRuns
from core.remote.link import PATIENCE_SECONDS, Link, greeting
from core.remote.process import launch
from core.remote.protocol import (
    LONGEST_VIEW,
    Answered,
    Ask,
    Cancel,
    Change,
    Done,
    End,
    Ended,
    Fresh,
    Message,
    News,
    Partly,
    Probe,
    Remember,
    RemoteError,
    Send,
    Sync,
    Unfit,
    unpacked,
)
from core.session import Connection, View
from core.story import Events

CANCEL_SECONDS = 0.1
"""How often it is looked whether an answer is still wanted."""

LOST = "the process that trained is gone"


@dataclass
class Asking:
    """A question that waits for its answer."""

    progress: OnProgress
    answered: Answered | None = None


class RemoteSession:
    """The session ``id`` of another process, as a face sees it.

    A face that ``began`` the session ends it when a signal tells it to end; one that came later
    only leaves. Raises ``RemoteError`` where the session cannot be reached.
    """

    def __init__(
        self, id: str, *, began: bool = False, read_only: bool = False, progress: bool = False
    ) -> None:
        self._began = began
        self._read_only = read_only
        self._progress = progress
        self._news = threading.Condition()
        self._events = Events()
        self._past: list[AnyEvent] = []
        self._snapshots: dict[str, Snapshot] = {}
        self._folders: tuple[str, ...] = ()
        self.first_new = 0
        """Number of the first event since this face came."""
        self._done: list[Done] = []
        self._questions = itertools.count()
        self._asked: dict[int, Asking] = {}
        self._ended = self._left = False
        self._lost = ""
        self._watchers = 1
        self._attach(id)

    @property
    def connection(self) -> Connection:
        return Connection(self._link.id, self._read_only, self._watchers, self._lost, self._ended)

    def start(self) -> None:
        """Nothing: the runs train since the session began."""

    def snapshots(self) -> Mapping[str, Snapshot]:
        with self._news:
            return dict(self._snapshots)

    def events(self, since: int, reader: str = "face") -> Sequence[AnyEvent]:
        with self._news:
            return self._events.since(since, reader)

    def history(self) -> Sequence[AnyEvent]:
        with self._news:
            return tuple(self._past)

    def send(self, command: AnyCommand, run: str | None = None) -> None:
        self._tell(Send(command, run))

    def evaluate(self, probe: ProbeName, run: str | None = None) -> None:
        self._tell(Probe(probe, run))

    def fresh(self) -> None:
        self._ask(Fresh())

    def sync(self) -> None:
        """Wait until the session has handed on all that was sent; raises ``RemoteError``."""
        self._ask(Sync())

    def stop(self, *, save: bool) -> None:
        self._tell(End(save))
        with self._news:
            self._news.wait_for(lambda: self._ended or self._lost)

    def leave(self, *, told: bool) -> None:
        if told and self._began:
            self.stop(save=True)
        self.detach()

    def detach(self) -> None:
        with self._news:
            self._left = True
        self._link.close()

    def revive(self) -> None:
        begun = launch(OldRuns.of([Path(folder) for folder in self._folders]))
        self._link.close()
        self._reader.join()
        self._lost, self._began = "", True
        self._attach(begun.id)

    def ask(
        self,
        question: AnyQuestion,
        progress: OnProgress = unheard,
        cancelled: Callable[[], bool] = never,
    ) -> AnyAnswer:
        number, asking = next(self._questions), Asking(progress)
        with self._news:
            self._asked[number] = asking
        self._tell(Ask(number, question))
        is_cancelled = False
        with self._news:
            while not (asking.answered or self._ended or self._lost):
                if not is_cancelled and cancelled():
                    is_cancelled = True
                    self._tell(Cancel(number))
                self._news.wait(CANCEL_SECONDS)
            del self._asked[number]
        answered = asking.answered
        if answered is None or answered.answer is None:
            raise RemoteError(answered.problem if answered else self._lost or "it has ended")
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

    def wait_for_news(self, seen: int, timeout: float) -> None:
        """Sleep until there are more than ``seen`` events, or the end; at most ``timeout`` s."""
        with self._news:
            self._news.wait_for(
                lambda: self._events.end > seen or self._ended or self._lost, timeout
            )

    # Out.

    def _tell(self, message: Message) -> None:
        if self._lost or self._ended:
            return
        try:
            self._link.send(message)
        except RemoteError as error:
            self._lose(str(error))

    def _ask(self, message: Message) -> None:
        """Send, and wait for the answer; raises ``RemoteError`` with what it says is wrong."""
        with self._news:
            self._done.clear()
        self._tell(message)
        with self._news:
            self._news.wait_for(lambda: self._done or self._ended or self._lost)
            problem = self._done[0].problem if self._done else self._lost
        if problem:
            raise RemoteError(problem)

    # In: a thread reads, and all it changes is changed under the lock.

    def _attach(self, id: str) -> None:
        hello = greeting(read_only=self._read_only, progress=self._progress)
        self._link = Link(id, hello)
        # Until runs are known there is nothing to show.
        self._reader = threading.Thread(target=self._read, name="session", daemon=True)
        self._reader.start()
        with self._news:
            known = self._news.wait_for(lambda: self._snapshots or self._lost, PATIENCE_SECONDS)
        if not known or self._lost:
            raise RemoteError(self._lost or f"session {id} tells nothing of its runs")

    def _read(self) -> None:
        try:
            for message in self._link.messages():
                with self._news:
                    self._take_in(message)
                    self._news.notify_all()
            problem = LOST
        except RemoteError as error:
            problem = str(error)
        if not (self._ended or self._left):
            self._lose(problem)

    def _take_in(self, message: Message) -> None:
        match message:
            case News(past=True):
                self._past = unpacked(message)
            case News():
                for event in unpacked(message):
                    if not (isinstance(event, Asked) and event.who == self._link.welcome.name):
                        self._events.append(event)
                self._stand(message)
            case Done():
                self._done.append(message)
            case Partly(number, done, total):
                if number in self._asked:
                    self._asked[number].progress(done, total)
            case Answered():
                if message.number in self._asked:
                    self._asked[message.number].answered = message
            case Unfit(problem):
                self._lost = problem
            case Ended():
                self._ended = True

    def _stand(self, news: News) -> None:
        for change in news.changes:
            self._snapshots[change.run] = _changed(self._snapshots.get(change.run), change)
        if not self.first_new:
            self.first_new = self._events.end
        if news.runs:
            self._snapshots = {run: self._snapshots[run] for run in news.runs}
            self._folders = news.folders
        self._watchers = news.watchers or self._watchers

    def _lose(self, problem: str) -> None:
        with self._news:
            self._lost = self._lost or problem
            self._news.notify_all()


def _changed(before: Snapshot | None, change: Change) -> Snapshot:
    """Raises ``RemoteError`` for a change that leaves no snapshot."""
    fields = msgspec.structs.asdict(before) if before else {"theta": None}
    curve, tail = before.curve if before else Curve(), change.curve
    if tail:
        curve = Curve(
            curve.iterations[: tail.start] + tail.iterations,
            curve.losses[: tail.start] + tail.losses,
        )
    try:
        return Snapshot(**{**fields, **change.fields, "curve": curve})
    except TypeError as error:
        raise RemoteError(f"a snapshot cannot be understood: {error}") from error
