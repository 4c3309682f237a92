"""Questions that a client asks about runs: immutable, ready for MessagePack, and validated.

A question may come from another process, so every number and length has a bound: the answer to any
question takes bounded time and memory. Values out of bounds raise ``ConfigError``, also within
msgspec's decoders; wrong types raise their ``ValidationError``.
"""

from typing import get_args

import msgspec

from core import validation
from core.errors import ConfigError
from core.evaluation.few_shot_tasks import PresetName
from core.evaluation_protocol import EvaluationProtocol
from core.tasks.sine import SineTasks

MOST_UPDATES = 1_000
MOST_BATTERY_STEPS = 100
MOST_POINTS = 100
"""Points of a support set."""
FEWEST_TASKS = 100
MOST_TASKS = 10_000
MOST_SOURCES = 17
LARGEST_NUMBER = 1e6
"""Bound on a parameter of a task, an x or a y."""
LONGEST_NAME = 4_096


class Source(msgspec.Struct, frozen=True, tag_field="source", tag=str.lower):
    """The origin of meta-parameters."""


class Live(Source, frozen=True):
    """The current meta-parameters of the run called ``run``."""

    run: str

    def __post_init__(self) -> None:
        _text("run", self.run)


class PinnedTheta(Source, frozen=True, tag="held"):
    """The meta-parameters that a live run had at ``iteration``, when an earlier question used them.

    Once a question has named them so, they are kept for as long as there is room.
    """

    run: str
    iteration: int

    def __post_init__(self) -> None:
        _text("run", self.run)
        validation.count("iteration", self.iteration, low=0)


class Saved(Source, frozen=True):
    """The meta-parameters of the checkpoint at ``path``."""

    path: str

    def __post_init__(self) -> None:
        _text("path", self.path)


class Untrained(Source, frozen=True):
    """The random initialisation of ``of``, at its iteration 0."""

    of: Live | Saved


AnySource = Live | PinnedTheta | Saved | Untrained


class Task(msgspec.Struct, frozen=True, tag_field="task", tag=str.lower):
    """A task to adapt to."""


class ExplicitTask(Task, frozen=True, tag="given"):
    """The parameters of a curve of ``family``, and a support set, which need not lie on it."""

    parameters: tuple[float, ...]
    support_x: tuple[float, ...]
    support_y: tuple[float, ...]
    family: str = SineTasks.name

    def __post_init__(self) -> None:
        _text("family", self.family)
        validation.count("parameters", len(self.parameters), low=0, high=MOST_POINTS)
        for value in self.parameters:
            require_number("parameters", value)
        validation.count("support_x (points)", len(self.support_x), high=MOST_POINTS)
        if len(self.support_y) != len(self.support_x):
            raise ConfigError(
                "support_y (points)",
                len(self.support_y),
                f"must be {len(self.support_x)}, one for each x",
            )
        for x in self.support_x:
            require_number("support_x", x)
        for y in self.support_y:
            require_number("support_y", y)


class SampledTask(Task, frozen=True, tag="drawn"):
    """Task number ``index`` of a preset, drawn from the task family of the run."""

    preset: PresetName
    index: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        validation.one_of("preset", self.preset, get_args(PresetName))
        validation.count("index", self.index, low=0)
        validation.seed("seed", self.seed)


AnyTask = ExplicitTask | SampledTask


class Question(msgspec.Struct, frozen=True, kw_only=True, tag_field="question", tag=str.lower):
    """Something to compute; it changes nothing."""


class Adapt(Question, frozen=True, kw_only=True):
    """Fine-tune on one task by ``updates`` gradient steps, and keep every step.

    Without ``updates``, the preset decides, so an explicit task needs them; ``lr`` of None
    is the inner learning rate of the run.
    """

    source: AnySource
    task: AnyTask
    updates: int | None = None
    lr: float | None = None

    def __post_init__(self) -> None:
        if self.updates is not None or isinstance(self.task, ExplicitTask):
            validation.count("updates", self.updates, low=0, high=MOST_UPDATES)  # type: ignore[arg-type]
        _rate(self.lr)


class Battery(Question, frozen=True, kw_only=True, tag="survey"):
    """Evaluate several sources on the same random tasks, those of ``protocol``.

    Without a family of its own, tasks are drawn from that of the first source.
    """

    sources: tuple[AnySource, ...]
    protocol: EvaluationProtocol = EvaluationProtocol()

    def __post_init__(self) -> None:
        validation.count("sources", len(self.sources), high=MOST_SOURCES)
        protocol = self.protocol
        validation.count("tasks", protocol.tasks, low=FEWEST_TASKS, high=MOST_TASKS)
        validation.count("steps", protocol.last_step, low=0, high=MOST_BATTERY_STEPS)
        validation.count("shots", protocol.shots, high=MOST_POINTS)
        validation.count("query_points", protocol.query_points, high=MOST_POINTS)


class Trace(Question, frozen=True, kw_only=True):
    """Compute the geometry of the next iteration: inner steps from theta, and the outer step."""

    source: AnySource


class ReadHistory(Question, frozen=True, kw_only=True, tag="recall"):
    """Read a run's checkpoints and periodic evaluations.

    The path of a saved run is its folder, or any checkpoint in it.
    """

    of: Live | Saved


AnyQuestion = Adapt | Battery | Trace | ReadHistory


def require_number(field: str, value: float) -> None:
    """Require a number within the bounds of questions."""
    if not -LARGEST_NUMBER <= value <= LARGEST_NUMBER:
        raise ConfigError(
            field, value, f"must be a number from -{LARGEST_NUMBER:g} to {LARGEST_NUMBER:g}"
        )


def _rate(lr: float | None) -> None:
    if lr is not None:
        validation.positive("lr", lr)


def _text(field: str, value: str) -> None:
    if not 0 < len(value) <= LONGEST_NAME or "\0" in value:
        raise ConfigError(field, value, f"must be 1 to {LONGEST_NAME:,} characters, none null")
