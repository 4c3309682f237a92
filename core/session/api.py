"""The interface between runs and their clients: dashboard, headless output, socket server."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from core.analysis.answers import AnyAnswer
from core.analysis.callbacks import OnProgress, ignore_progress, never_cancelled
from core.analysis.questions import AnyQuestion
from core.commands import AnyCommand
from core.evaluation.few_shot_tasks import ProbeName
from core.events import AnyEvent, Snapshot
from core.session.run_requests import AddRequest

View = dict[str, str | bool | None]
"""The view that a client displayed when it left, in its own keys; nothing else reads it."""


class Connection(msgspec.Struct, frozen=True):
    """The state of a client's connection to the runs.

    ``id`` names a session that outlives the client; None where the runs end with its process.
    A ``read_only`` client may not send commands. ``subscribers`` counts the clients, including
    this one. ``lost`` says why the runs are out of reach, and is empty while they are not; a client
    that was ``dropped`` lost only its connection. ``ended`` is set once all runs were stopped.
    """

    id: str | None = None
    read_only: bool = False
    subscribers: int = 1
    lost: str = ""
    dropped: bool = False
    ended: bool = False

    @property
    def keeps_running(self) -> bool:
        """True if the runs continue without this client."""
        return bool(self.id) and not self.ended and (self.dropped or not self.lost)


class Session(Protocol):
    """Everything that a client can see and do, wherever the runs live."""

    @property
    def connection(self) -> Connection:
        """The state of the connection to the runs."""

    @property
    def first_new(self) -> int:
        """Number of the first event since this client attached."""

    def start(self) -> None:
        """Begin to train; returns at once."""

    def snapshots(self) -> Mapping[str, Snapshot]:
        """Return the newest snapshot of each run, by name, in the order of the runs."""

    def events(self, since: int, reader: str = "client") -> Sequence[AnyEvent]:
        """Return the events of all runs in order, from number ``since`` on.

        Events long before it are forgotten, once every ``reader`` has asked for later ones.
        """

    def history(self) -> Sequence[AnyEvent]:
        """Return the events of earlier sessions of the current runs, up to their checkpoints."""

    def send(self, command: AnyCommand, run: str | None = None) -> None:
        """Send a command to ``run``, or to every run; events and snapshots show its effect."""

    def evaluate(self, probe: ProbeName, run: str | None = None) -> None:
        """Evaluate ``run``, or every run, on the next task of ``probe``: the same for all."""

    def restart(self) -> None:
        """End the runs with a save and restart them with the next seed. Waits for the save.

        Raises ``LabError``, and leaves the runs alone, where that is not possible.
        """

    def add(self, request: AddRequest) -> str:
        """Train one more run, and return its name once it has a folder.

        Raises ``LabError``, and changes nothing, where that is not possible.
        """

    def stop(self, *, save: bool) -> None:
        """End every run and wait for it; there are no restarts after that."""

    def leave(self, *, terminated: bool) -> None:
        """Leave without a request of the user: after a signal, a hangup or a crash.

        Runs that would be out of reach are saved and ended. If the client is ``terminated`` by a
        signal, so are the runs that it started.
        """

    def detach(self) -> None:
        """Leave runs that continue without the client."""

    def reconnect(self) -> None:
        """Reach lost runs: attach to them again, or resume them from their last checkpoints.

        Raises ``LabError``.
        """

    def resume_in_new_session(self, path: Path) -> tuple[str, Sequence[str]]:
        """Resume the run at ``path`` in a session of its own; waits until that has begun.

        Returns the name of that session, and notes for the user. Raises ``LabError``.
        """

    def ask(
        self,
        question: AnyQuestion,
        progress: OnProgress = ignore_progress,
        cancelled: Callable[[], bool] = never_cancelled,
    ) -> AnyAnswer:
        """Compute something about the runs while they train; waits for the answer.

        ``progress`` (tasks done, tasks in total) and ``cancelled`` (true once the answer is no
        longer needed) are called in any thread. Raises ``LabError``.
        """

    def folders(self) -> Mapping[str, Path]:
        """Return the folder of each run, by name, in the order of the runs."""

    def remember(self, view: View) -> None:
        """Store ``view`` for the next client."""

    def remembered(self) -> View:
        """Return the view stored last; empty at first."""
