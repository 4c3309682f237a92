"""Settings of the battery: number of tasks, support points and seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.analysis.questions import MOST_SOURCES, AnySource, Battery, Live, Untrained
from core.evaluation_protocol import EvaluationProtocol, named_protocol
from core.tasks.sine import SineTasks
from tui_meta.views.numbers import whole
from tui_meta.views.text import Line, Span, first_that_fits, fit, line, wrap

COUNTS = (100, 300, 1_000, 3_000, 10_000)
"""Numbers of tasks to choose from."""

MOST_RUNS = MOST_SOURCES - 1
"""The random initialisation is one source."""

UNTRAINED = "random init"
"""The name of the random initialisation."""

_INTRODUCTION = (
    "Every run and the random initialisation of the first one adapt to the same random tasks "
    "while training continues. Results: mean and median loss with 95% intervals, paired "
    "comparisons, a histogram of the losses, mean loss by amplitude and phase, and the ten worst "
    "tasks, which {key} opens in the Lab."
)


@dataclass(frozen=True)
class BatterySettings:
    """Settings of the next battery."""

    n_tasks: int = 1_000
    right_half: bool = False
    seed: int = 0

    def more(self, steps: int) -> BatterySettings:
        """Return the settings with the next larger or smaller number of tasks."""
        place = COUNTS.index(self.n_tasks) + steps
        return replace(self, n_tasks=COUNTS[max(0, min(place, len(COUNTS) - 1))])

    def reseeded(self, steps: int) -> BatterySettings:
        """Return the settings with another seed."""
        return replace(self, seed=max(0, self.seed + steps))

    def protocol(self, waves: SineTasks) -> EvaluationProtocol:
        """Return what runs that are trained on ``waves`` are evaluated on."""
        named = named_protocol("source-half-range" if self.right_half else "source", waves)
        return replace(named, tasks=self.n_tasks, seed=self.seed)

    def question(self, runs: Sequence[str], waves: SineTasks) -> Battery:
        """Return the question about the runs of these names and a random initialisation."""
        live = [Live(run) for run in runs[:MOST_RUNS]]
        sources: tuple[AnySource, ...] = (*live, Untrained(live[0]))
        return Battery(sources=sources, protocol=self.protocol(waves))

    def line(self, width: int, waves: SineTasks, *, selected: bool) -> Line:
        """Return the settings in one line, marked if ``selected``."""
        protocol = self.protocol(waves)
        where = "right half" if self.right_half else "whole range"
        steps = f"{protocol.last_step} gradient steps"
        tasks = Span(f"{whole(self.n_tasks)} tasks", "bold")
        head = line(Span("▸ next: " if selected else "  next: ", "bold" if selected else "dim"))
        candidates = [
            line(*head, tasks, f", {protocol.support}, {steps}, seed {self.seed}"),
            line(*head, tasks, f", {protocol.shots} points, {where}, {steps}, seed {self.seed}"),
            line(*head, tasks, f", {where}, seed {self.seed}"),
        ]
        return fit(first_that_fits(candidates, width), width)


def introduction(width: int, key: str, *, running: bool) -> list[Line]:
    """Return the text shown before the first results; ``key`` starts the battery."""
    begin = line("Press ", Span(key, "bold"), " to start.")
    text = _INTRODUCTION.format(key=key)
    lines: list[Line] = [line(row) for row in wrap(text, min(76, width))]
    return lines if running else [*lines, (), begin]
