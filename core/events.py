"""Events and snapshots of a run. All are immutable and can be encoded as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, TypedDict, cast

import msgspec

from core.algorithms.base import Budget
from core.evaluation.few_shot_tasks import ProbeName
from core.tasks.sine import SineTasks

if TYPE_CHECKING:
    from core.tasks.base import Floats
else:
    Floats = Any  # msgspec reads the types of fields, and would need NumPy for this one

RunState = Literal["loading", "training", "paused", "finished", "diverged", "failed", "stopped"]

ENDED: tuple[RunState, ...] = ("finished", "diverged", "failed", "stopped")
"""States in which training does not continue without a command."""

SaveKind = Literal["auto", "best", "history", "hand", "final"]
"""Why a checkpoint was saved: the clock, the best so far, the history, a command, the end."""


def save_word(kind: SaveKind | None) -> str:
    """Return why a checkpoint was saved, for users; empty if it is not known."""
    return "manual" if kind == "hand" else kind or ""


Iteration = Annotated[int, msgspec.Meta(ge=0, le=2**62)]
"""An iteration in a file; the bound is beyond any run."""


class EventHeader(TypedDict):
    """The fields that every event has."""

    run: str
    iteration: int
    time: float


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag=str.lower):
    """A single occurrence in ``run``, at ``iteration``.

    ``time`` is in seconds since the epoch.
    """

    run: str
    iteration: Iteration
    time: float


class Started(Event, frozen=True, kw_only=True):
    """Training begins, from scratch or from the checkpoint ``resumed_from``.

    ``versions`` are those of the packages that can change the bits. ``differs`` lists differences
    from ``run.json``, with which the bits may not be those of an uninterrupted run. ``note`` is a
    remark of the engine for users.
    """

    engine: str
    device: str
    target: Iteration
    resumed_from: str | None = None
    versions: dict[str, str] = {}
    differs: tuple[str, ...] = ()
    note: str = ""


class RolledBack(Event, frozen=True, kw_only=True, tag="rewound"):
    """The run continues from ``iteration``; earlier events of later iterations are discarded."""


class Progress(Event, frozen=True, kw_only=True):
    """The mean training ``loss`` of the last ``LOG_INTERVAL`` iterations."""

    loss: float


class Evaluated(Event, frozen=True, kw_only=True):
    """A few-shot evaluation, with everything that is needed to plot it.

    ``losses`` has ``steps + 1`` query losses; ``before`` and ``after`` are the predictions at
    ``query_x``. ``training_loss`` is the smoothed training loss, None before the first iteration.
    A sine wave has ``amplitude`` and ``phase``, others ``parameters``, ``label`` and ``query_y``.
    """

    probe: ProbeName
    index: Iteration
    amplitude: float | msgspec.UnsetType = msgspec.UNSET
    phase: float | msgspec.UnsetType = msgspec.UNSET
    support_x: tuple[float, ...] = ()
    support_y: tuple[float, ...] = ()
    query_x: tuple[float, ...] = ()
    before: tuple[float, ...] = ()
    after: tuple[float, ...] = ()
    losses: tuple[float, ...]
    training_loss: float | None
    parameters: tuple[float, ...] | msgspec.UnsetType = msgspec.UNSET
    label: str | msgspec.UnsetType = msgspec.UNSET
    query_y: tuple[float, ...] | msgspec.UnsetType = msgspec.UNSET

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for an evaluation that cannot be plotted, as a file may hold."""
        if not self.losses:
            raise ValueError("an evaluation has a loss")
        if len(self.support_x) != len(self.support_y):
            raise ValueError("a support point has x and y")
        true = self.query_x if self.query_y is msgspec.UNSET else self.query_y
        if not len(self.query_x) == len(self.before) == len(self.after) == len(true):
            raise ValueError("each query point has a prediction before and after")
        named, wave = (self.parameters, self.label), (self.amplitude, self.phase)
        if msgspec.UNSET in named and msgspec.UNSET in wave:
            raise ValueError("a task has parameters and a label, or amplitude and phase")

    @property
    def task(self) -> tuple[float, ...]:
        """The parameters of the task: of a sine wave, amplitude and phase."""
        wave, known = cast(tuple[float, ...], (self.amplitude, self.phase)), self.parameters
        return wave if known is msgspec.UNSET or self.label is msgspec.UNSET else known

    @property
    def task_label(self) -> str:
        """The task as text."""
        return SineTasks().label(*self.task) if self.label is msgspec.UNSET else self.label

    @property
    def is_drawable(self) -> bool:
        """True if predictions and points are present; an abridged evaluation has none."""
        return bool(self.query_x)

    @property
    def is_abridged(self) -> bool:
        """True if this is what ``abridged`` returns."""
        return not (self.support_x or self.query_x) and len(self.losses) == 2

    def abridged(self) -> Evaluated:
        """Reduce to the task and the losses before and after adaptation: a tenth of the memory."""
        ends = self.losses[0], self.losses[-1]
        return msgspec.structs.replace(self.without_points(), losses=ends)

    def without_points(self) -> Evaluated:
        """Leave out everything that is only needed to draw it."""
        none = dict.fromkeys(("support_x", "support_y", "query_x", "before", "after"), ())
        true = self.query_y if self.query_y is msgspec.UNSET else ()
        return msgspec.structs.replace(self, **none, query_y=true)


class Spent(msgspec.Struct, frozen=True):
    """What a run has used: tasks, points, gradient evaluations, and seconds of training.

    Points are those of support and query sets; a gradient evaluation is of one task's loss, on all
    points of a support set, a query set or a minibatch.
    """

    tasks: int
    points: int
    gradients: int
    seconds: float


class Validated(Event, frozen=True, kw_only=True):
    """The losses on the validation tasks: statistics after each of ``steps`` gradient steps.

    ``low`` to ``high`` is the 95 % interval of the mean over tasks; ``diverged`` counts tasks.
    ``losses`` are those of the single tasks after the last step, in an order that is the same for
    all runs with the same validation settings. None is a number that is not finite. ``spent`` is
    what the run had used.
    """

    steps: tuple[int, ...]
    mean: tuple[float | None, ...]
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]
    median: tuple[float | None, ...]
    diverged: tuple[int, ...]
    losses: tuple[float | None, ...]
    spent: Spent

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for statistics that do not fit the steps, as a file may hold."""
        columns = (self.mean, self.low, self.high, self.median, self.diverged)
        if not self.steps or any(len(column) != len(self.steps) for column in columns):
            raise ValueError("each step has its statistics")

    @property
    def result(self) -> Validation | None:
        """The mean after the last step, None if it is not finite."""
        mean, low, high = self.mean[-1], self.low[-1], self.high[-1]
        if mean is None or low is None or high is None:
            return None
        return Validation(self.iteration, mean, low, high)


class Validation(msgspec.Struct, frozen=True):
    """The mean loss on the validation tasks after the last step, with its 95 % interval."""

    iteration: Iteration
    mean: float
    low: float
    high: float

    @property
    def margin(self) -> float:
        """Half the width of the interval."""
        return (self.high - self.low) / 2


class Saved(Event, frozen=True, kw_only=True):
    """A checkpoint was written to disk."""

    path: str
    kind: SaveKind = "hand"


class SaveFailed(Event, frozen=True, kw_only=True):
    """A checkpoint or the log could not be written; published once for each problem."""

    problem: str


class WriteRecovered(Event, frozen=True, kw_only=True, tag="recovered"):
    """A write that had failed has succeeded: ``path`` is on disk now."""

    path: str


class Paused(Event, frozen=True, kw_only=True):
    """Training was paused."""


class Resumed(Event, frozen=True, kw_only=True):
    """Training continues after a pause."""


class Stepped(Event, frozen=True, kw_only=True):
    """``count`` iterations were trained while paused."""

    count: int


class CommandRejected(Event, frozen=True, kw_only=True, tag="refused"):
    """A command was rejected for ``reason``."""

    command: str
    reason: str


class CommandIssued(Event, frozen=True, kw_only=True, tag="asked"):
    """The client ``who`` issued ``command``. Published while there are several, and not logged."""

    who: str
    command: str


class Extended(Event, frozen=True, kw_only=True):
    """A finished run continues, to ``target`` iterations."""

    target: Iteration


class Diverged(Event, frozen=True, kw_only=True):
    """Loss or parameters are not finite after ``iteration``, whose state is saved."""

    problem: str
    advice: str


class Failed(Event, frozen=True, kw_only=True):
    """The run ended with an error; ``details`` is the traceback of an internal one, else empty."""

    problem: str
    details: str = ""


class Finished(Event, frozen=True, kw_only=True):
    """The run reached its target."""


class Stopped(Event, frozen=True, kw_only=True):
    """The run was stopped before its target."""


EndOfRun = Diverged | Failed | Finished | Stopped
"""Events after which a run does not train without a command."""

AnyEvent = (
    Started
    | RolledBack
    | Progress
    | Evaluated
    | Validated
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


def spent(budget: Budget, iterations: int, seconds: float) -> Spent:
    """Return what ``iterations`` of ``budget`` each have used, in ``seconds`` of training."""
    tasks, points, gradients = budget.tasks, budget.points, budget.gradients
    return Spent(tasks * iterations, points * iterations, gradients * iterations, seconds)


class Curve(msgspec.Struct, frozen=True):
    """Mean losses, each over the iterations between the previous point and its own."""

    iterations: tuple[int, ...] = ()
    losses: tuple[float, ...] = ()


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a run at one moment; a newer snapshot replaces it.

    ``rate`` is in iterations per second, ``elapsed`` in seconds of training, without pauses.
    ``loss`` is the smoothed training loss, ``best`` the validation with the lowest mean. ``pace``
    is the requested rate, None for full speed, and ``unsaved`` is True if no checkpoint has the
    current iteration. While the state is "loading", ``preparing`` names what takes the time.
    ``config`` has all settings, as a complete ``RunConfig.to_dict``; ``budget`` is what an
    iteration uses.
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
    best: Validation | None
    curve: Curve
    theta: Floats | None
    preparing: str = ""
    config: dict[str, Any] = {}
    budget: Budget = Budget(0, 0, 0)

    @property
    def spent(self) -> Spent:
        """What the run has used so far."""
        return spent(self.budget, self.iteration, self.elapsed)
