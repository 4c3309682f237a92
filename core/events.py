"""What a run says and hears: events, snapshots, commands. All immutable and ready for JSON."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

import msgspec

from core.evaluation.protocols import ProbeName
from core.tasks.base import Floats
from core.tasks.sine import SineTasks
from core.validation import LARGEST_COUNT

RunState = Literal["loading", "training", "paused", "finished", "diverged", "failed", "stopped"]

ENDED: tuple[RunState, ...] = ("finished", "diverged", "failed", "stopped")
"""States in which nothing more is trained without a command."""

SaveKind = Literal["auto", "best", "hand", "final"]
"""Why a checkpoint was saved: by the clock, as the best so far, by a person, at the run's end."""


Iteration = Annotated[int, msgspec.Meta(ge=0, le=2**62)]
"""What a file may say of an iteration; no run gets as far."""


class EventHeader(TypedDict):
    """What every event begins with."""

    run: str
    iteration: int
    time: float


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag=str.lower):
    """Something that happened once in the life of ``run``, at ``iteration``.

    ``time`` is in seconds since the epoch.
    """

    run: str
    iteration: Iteration
    time: float


class Started(Event, frozen=True, kw_only=True):
    """Training begins, from scratch or from the checkpoint ``resumed_from``.

    ``versions`` are those of the packages that can change the bits, ``differs`` what is not as
    ``run.json`` has it: there the bits may not be those of the run that never stopped.
    """

    engine: str
    device: str
    target: Iteration
    resumed_from: str | None = None
    versions: dict[str, str] = {}
    differs: tuple[str, ...] = ()


class RolledBack(Event, frozen=True, kw_only=True, tag="rewound"):
    """The run goes on from ``iteration``: what was said before of later ones is replaced."""


class Progress(Event, frozen=True, kw_only=True):
    """``loss`` is the mean training loss of the last ``LOG_INTERVAL`` iterations."""

    loss: float


class Evaluated(Event, frozen=True, kw_only=True):
    """A few-shot evaluation: everything needed to draw it again.

    ``losses`` has ``updates + 1`` query losses; ``before`` and ``after`` are the predictions at
    ``query_x``. ``training_loss`` is the smoothed one at the time, if there is one yet.
    """

    probe: ProbeName
    index: Iteration
    amplitude: float
    phase: float
    support_x: tuple[float, ...]
    support_y: tuple[float, ...]
    query_x: tuple[float, ...]
    before: tuple[float, ...]
    after: tuple[float, ...]
    losses: tuple[float, ...]
    training_loss: float | None

    def __post_init__(self) -> None:
        """What cannot be drawn is no evaluation, above all where it comes from a file."""
        if not self.losses:
            raise ValueError("an evaluation has a loss")
        if len(self.support_x) != len(self.support_y):
            raise ValueError("a support point has x and y")
        if not len(self.query_x) == len(self.before) == len(self.after):
            raise ValueError("a prediction is made at each point of the query set")

    @property
    def is_drawable(self) -> bool:
        """Whether predictions and points are there, as they are not in an abridged one."""
        return bool(self.query_x)

    def abridged(self) -> Evaluated:
        """The task and the losses before and after adaptation only: a tenth of the memory."""
        return msgspec.structs.replace(
            self,
            support_x=(),
            support_y=(),
            query_x=(),
            before=(),
            after=(),
            losses=(self.losses[0], self.losses[-1]),
        )


class Saved(Event, frozen=True, kw_only=True):
    """A checkpoint is on disk, whole."""

    path: str
    kind: SaveKind = "hand"


class SaveFailed(Event, frozen=True, kw_only=True):
    """A checkpoint or a line of the log could not be written; said once for each problem."""

    problem: str


class WriteRecovered(Event, frozen=True, kw_only=True, tag="recovered"):
    """What could not be written is on the disk now: ``path``."""

    path: str


class Paused(Event, frozen=True, kw_only=True):
    """Training waits."""


class Resumed(Event, frozen=True, kw_only=True):
    """Training goes on after a pause."""


class Stepped(Event, frozen=True, kw_only=True):
    """``count`` iterations were made while paused."""

    count: int


class CommandRejected(Event, frozen=True, kw_only=True, tag="refused"):
    """A command could not be obeyed; ``reason`` says why."""

    command: str
    reason: str


class CommandIssued(Event, frozen=True, kw_only=True, tag="asked"):
    """``who``, one of several watchers, gave ``command``. It is shown, not logged."""

    who: str
    command: str


class Extended(Event, frozen=True, kw_only=True):
    """The run trains on, to ``target`` iterations."""

    target: Iteration


class Diverged(Event, frozen=True, kw_only=True):
    """Loss or parameters are no longer finite after ``iteration``; that state is kept."""

    problem: str
    advice: str


class Failed(Event, frozen=True, kw_only=True):
    """The run ended by an error; ``details`` is a traceback for a fault of our own, else empty."""

    problem: str
    details: str = ""


class Finished(Event, frozen=True, kw_only=True):
    """All iterations are done."""


class Stopped(Event, frozen=True, kw_only=True):
    """The run was told to end before it had finished."""


AnyEvent = (
    Started
    | RolledBack
    | Progress
    | Evaluated
    | Saved
    | SaveFailed
    | WriteRecovered
    | Paused
    | Resumed
    | Stepped
    | CommandRejected
    | CommandIssued
    | Extended
    | Diverged
    | Failed
    | Finished
    | Stopped
)


class Curve(msgspec.Struct, frozen=True):
    """Mean losses, each over the iterations since the point before, ending at ``iterations``."""

    iterations: tuple[int, ...] = ()
    losses: tuple[float, ...] = ()


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """How a run stands; the newest one replaces those before.

    ``rate`` is in iterations per second, ``elapsed`` in seconds of training, without pauses.
    ``loss`` is the smoothed training loss, ``best`` the lowest loss of a periodic evaluation
    after adaptation and ``best_iteration`` where it was met. ``pace`` is the wanted rate, None
    for full speed, and ``unsaved`` tells whether the newest iteration is in no checkpoint. While
    the state is "loading", ``preparing`` says what takes the time. ``waves`` are its tasks.
    """

    run: str
    algorithm: str
    title: str
    state: RunState
    iteration: int
    target: int
    rate: float
    elapsed: float
    engine: str
    device: str
    pace: float | None
    unsaved: bool
    loss: float | None
    best: float | None
    best_iteration: int | None
    curve: Curve
    theta: Floats | None
    preparing: str = ""
    waves: SineTasks = SineTasks()


class Command(msgspec.Struct, frozen=True, tag_field="command", tag=str.lower):
    """Something to do between two chunks of training."""


class Pause(Command, frozen=True):
    """Hold training."""


class Resume(Command, frozen=True):
    """Go on with training."""


class Step(Command, frozen=True):
    """Make ``count`` iterations while paused; a long step ends when another command comes."""

    count: Annotated[int, msgspec.Meta(ge=1, le=LARGEST_COUNT)] = 1


class Evaluate(Command, frozen=True):
    """Evaluate ``probe`` on its task number ``index``."""

    probe: ProbeName
    index: Annotated[int, msgspec.Meta(ge=0, le=LARGEST_COUNT)]


class Save(Command, frozen=True):
    """Write a checkpoint."""


class SetPace(Command, frozen=True):
    """Train at ``pace`` iterations per second, None for full speed."""

    pace: float | None


class Extend(Command, frozen=True):
    """Train a finished run for as many iterations again."""


class Stop(Command, frozen=True):
    """End the run, with a checkpoint if ``save``."""

    save: bool = True


AnyCommand = Pause | Resume | Step | Evaluate | Save | SetPace | Extend | Stop
