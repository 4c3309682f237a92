"""Settings of the battery: number of tasks, support points and seed."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args

from core import validation
from core.analysis.questions import MOST_SOURCES, AnySource, Battery, Live, Untrained
from core.errors import ConfigError
from core.evaluation_protocol import EvaluationProtocol, ProtocolName, named_protocol
from core.tasks.family import TaskFamily
from tui_meta.views.keys.keymap import KeyOf
from tui_meta.views.numbers import whole
from tui_meta.views.text import Line, Span, first_that_fits, fit, line, wrap

COUNTS = (100, 300, 1_000, 3_000, 10_000)
"""Numbers of tasks to choose from."""

MOST_RUNS = 7
"""Runs that the screen has room for; the random initialisation is one more source."""

HINT = "finn-5-shot tasks=1000 seed=0 shots=5 steps=10 inner-lr=0.01 support-interval=0,5"
"""A text that ``BatterySettings.typed`` reads."""

UNTRAINED = "random init"
"""The name of the random initialisation."""

_INTRODUCTION = (
    "Every run and the random initialisation of the first one adapt to the same random tasks "
    "while training continues. Results: mean and median loss with 95% intervals, paired "
    "comparisons, a histogram of the losses, mean loss by {axes}, and the ten worst "
    "tasks, which {key} opens in the Lab."
)


@dataclass(frozen=True)
class BatterySettings:
    """Settings of the next battery: a named protocol, and what differs from it."""

    name: ProtocolName = "source"
    n_tasks: int = 1_000
    seed: int = 0
    shots: int | None = None
    steps: int | None = None
    inner_lr: float | None = None
    support_interval: tuple[float, float] | None = None

    def more(self, steps: int) -> BatterySettings:
        """Return the settings with the next larger or smaller number of tasks."""
        place = bisect_left(COUNTS, self.n_tasks)
        between = steps > 0 and COUNTS[place] != self.n_tasks
        place += steps - 1 if between else steps
        return replace(self, n_tasks=COUNTS[max(0, min(place, len(COUNTS) - 1))])

    def next_protocol(self) -> BatterySettings:
        """Return the settings of the next named protocol, with the same tasks and seed."""
        names = get_args(ProtocolName)
        name = names[(names.index(self.name) + 1) % len(names)]
        return BatterySettings(name, self.n_tasks, self.seed)

    @property
    def text(self) -> str:
        """The settings as ``typed`` reads them."""
        values: dict[str, object] = {"tasks": self.n_tasks, "seed": self.seed}
        values |= {"shots": self.shots, "steps": self.steps, "inner-lr": self.inner_lr}
        if self.support_interval:
            values["support-interval"] = "{:g},{:g}".format(*self.support_interval)
        known = (f"{key}={value}" for key, value in values.items() if value is not None)
        return " ".join((self.name, *known))

    def typed(self, text: str, family: TaskFamily) -> BatterySettings:
        """Return the settings in ``text``: a protocol's name, then such as ``shots=5 seed=1``.

        Raises ``ConfigError``.
        """
        name, *others = text.split() or [self.name]
        if "=" in name:
            name, others = "source", [name, *others]
        named_protocol(name, family)  # type: ignore[arg-type]
        settings = BatterySettings(name)  # type: ignore[arg-type]
        for other in others:
            key, _, value = other.partition("=")
            validation.one_of("setting", key, _READERS)
            field, read = _READERS[key]
            try:
                settings = replace(settings, **{field: read(value)})
            except ValueError as error:
                raise ConfigError(key, value, "must be a number, as in " + HINT) from error
        settings.question(["any"], family)
        return settings

    def reseeded(self, steps: int) -> BatterySettings:
        """Return the settings with another seed."""
        return replace(self, seed=max(0, self.seed + steps))

    def protocol(self, family: TaskFamily) -> EvaluationProtocol:
        """Return what runs that are trained on ``family`` are evaluated on."""
        named = named_protocol(self.name, family)
        return replace(
            named,
            tasks=self.n_tasks,
            seed=self.seed,
            shots=named.shots if self.shots is None else self.shots,
            steps=named.steps if self.steps is None else (self.steps,),
            inner_lr=self.inner_lr or named.inner_lr,
            support_interval=self.support_interval or named.support_interval,
        )

    def question(self, runs: Sequence[str], family: TaskFamily) -> Battery:
        """Return the question about the runs of these names and a random initialisation."""
        live = [Live(run) for run in runs[: MOST_SOURCES - 1]]
        sources: tuple[AnySource, ...] = (*live, Untrained(live[0]))
        return Battery(sources=sources, protocol=self.protocol(family))

    def line(self, width: int, family: TaskFamily, *, selected: bool) -> Line:
        """Return the settings in one line, marked if ``selected``."""
        protocol = self.protocol(family)
        interval = protocol.support_interval
        within = f" from [{interval[0]:g}, {interval[1]:g}]" if interval else ""
        points, count = f"{protocol.shots} points{within}", protocol.last_step
        rate = f", inner lr {protocol.inner_lr:g}" if protocol.inner_lr else ""
        rest = f"{rate}, seed {self.seed}"
        tasks = Span(f"{whole(self.n_tasks)} tasks", "bold")
        head = line(Span("▸ next: " if selected else "  next: ", "bold" if selected else "dim"))
        candidates = [
            line(
                *head,
                f"{self.name}: ",
                tasks,
                f", {protocol.support}, {count} gradient steps{rest}",
            ),
            line(*head, tasks, f", {points}, {count} gradient steps{rest}"),
            line(*head, tasks, f", {points}, {count} steps{rest}"),
            line(*head, tasks, f", {self.name}, seed {self.seed}"),
        ]
        return fit(first_that_fits(candidates, width), width)


def _interval(text: str) -> tuple[float, float]:
    low, high = map(float, text.split(","))
    return low, high


_READERS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "tasks": ("n_tasks", int),
    "seed": ("seed", int),
    "shots": ("shots", int),
    "steps": ("steps", int),
    "inner-lr": ("inner_lr", float),
    "support-interval": ("support_interval", _interval),
}
"""Of each setting that can be typed, its field and how its value is read."""


def introduction(width: int, key: KeyOf, family: TaskFamily, *, running: bool) -> list[Line]:
    """Return the text shown before the first results, with the key that starts the battery."""
    begin = line("Press ", Span(key("battery start"), "bold"), " to start.")
    axes = " and ".join(family.parameters[:2]) or "nothing"
    text = _INTRODUCTION.format(key=key("battery open"), axes=axes)
    lines: list[Line] = [line(row) for row in wrap(text, min(76, width))]
    return lines if running else [*lines, (), begin]
