"""The interface between runs and whatever shows or commands them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from core.analysis.answers import AnyAnswer
from core.analysis.battery import OnProgress
from core.analysis.questions import AnyQuestion
from core.analysis.service import ignore_progress, never_cancelled
from core.evaluation.protocols import ProbeName
from core.events import AnyCommand, AnyEvent, Snapshot

View = dict[str, str | bool | None]
"""What a face was looking at when it was left: its own words, which nobody else reads."""


class Connection(msgspec.Struct, frozen=True):
    """How a face is connected to the runs.

    ``id`` names a session that goes on without the face; None where the runs end with its process.
    A ``read_only`` face may not command. ``subscribers`` counts the faces, this one included.
    ``lost`` says why the runs are out of reach, and is empty while they are not; where the face was
    ``dropped`` they train on all the same. ``ended`` tells that all of them were told to end.
    """

    id: str | None = None
    read_only: bool = False
    subscribers: int = 1
    lost: str = ""
    dropped: bool = False
    ended: bool = False

    @property
    def keeps_running(self) -> bool:
        """Whether the runs train on without this face."""
        return bool(self.id) and not self.ended and (self.dropped or not self.lost)


class Session(Protocol):
    """What a face can see and do, wherever the runs live."""

    @property
    def connection(self) -> Connection:
        """How the runs are reached."""

    def start(self) -> None:
        """Begin to train; returns at once."""

    def snapshots(self) -> Mapping[str, Snapshot]:
        """The newest snapshot of each run, by name, in the order of the runs."""

    def events(self, since: int, reader: str = "client") -> Sequence[AnyEvent]:
        """Events of all runs in order, from number ``since`` on.

        Those long before it are forgotten, once every ``reader`` has asked for later ones.
        """

    def history(self) -> Sequence[AnyEvent]:
        """Events of earlier sittings of the present runs, up to where each was resumed."""

    def send(self, command: AnyCommand, run: str | None = None) -> None:
        """Hand a command to ``run``, or to every run; its effect shows in events and snapshots."""

    def evaluate(self, probe: ProbeName, run: str | None = None) -> None:
        """Evaluate ``run``, or every run, on the next task of ``probe``: the same for all."""

    def restart(self) -> None:
        """End the runs with a save, and begin them anew with the next seed. Waits for the save.

        Raises ``LabError``, and leaves the runs alone, where that cannot be.
        """

    def stop(self, *, save: bool) -> None:
        """End every run and wait for it; there are no fresh runs after that."""

    def leave(self, *, terminated: bool) -> None:
        """Leave without being asked: ``told`` to end by a signal, else hung up on or at fault.

        Runs that would be out of reach are saved and ended, and so are those that a face began
        which is told to end.
        """

    def detach(self) -> None:
        """Leave runs that go on without the face."""

    def reconnect(self) -> None:
        """Reach runs that were lost: attach to them again, or train on from where they were saved.

        Raises ``LabError``.
        """

    def resume_in_new_session(self, path: Path) -> tuple[str, Sequence[str]]:
        """Let the run kept at ``path`` go on in a session of its own; waits until it is there.

        Gives the name of that session, and what is to be said to a person. Raises ``LabError``.
        """

    def ask(
        self,
        question: AnyQuestion,
        progress: OnProgress = ignore_progress,
        cancelled: Callable[[], bool] = never_cancelled,
    ) -> AnyAnswer:
        """Compute something of the runs, beside their training; waits for the answer.

        ``progress`` and ``cancelled`` are called in any thread: how many of how many tasks are
        done, and whether nobody wants to know any more. Raises ``LabError``.
        """

    def folders(self) -> Mapping[str, Path]:
        """Where each run is kept, by name, in the order of the runs."""

    def remember(self, view: View) -> None:
        """Keep ``view`` for the next face."""

    def remembered(self) -> View:
        """What was looked at last; empty at first."""
