"""What the Lab shows of its state and of the answers: two plots and some lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from core.bench.answers import Adapted
from core.bench.presets import PRESETS
from tui_meta.views.lab import INTERVALS, USUAL_HEIGHT, Lab
from tui_meta.views.numbers import loss, whole
from tui_meta.views.plot import (
    Axis,
    Limits,
    Plot,
    Series,
    curve,
    gaps,
    log10s,
    support,
    true_wave,
)
from tui_meta.views.text import Line, Span, line

_WAVE_POINTS = 100

T = TypeVar("T")


class LabCharts:
    """Makes the plots; it remembers limits, so that axes stay put from step to step."""

    def __init__(self) -> None:
        self._losses = Limits(-2, 1, "log")
        self._height = Limits(-USUAL_HEIGHT, USUAL_HEIGHT)

    def waves(self, lab: Lab, answers: Mapping[str, Adapted]) -> Plot:
        """The true wave, every source's prediction at the present step, support points, cursor."""
        usual = Limits(-USUAL_HEIGHT, USUAL_HEIGHT)
        tall = self._height.follow((-lab.height, lab.height))
        self._height = usual if lab.height == USUAL_HEIGHT else tall
        title = f"step {whole(lab.step)} of {whole(lab.updates)}"
        cursor = "carried" if lab.held is not None else ""
        return Plot(
            title,
            (
                _wave(lab),
                *(
                    curve(name, answer.query_x, gaps(_at(lab, answer.predictions)), index)
                    for index, (name, answer) in enumerate(answers.items())
                ),
                support(lab.task.support_x, lab.task.support_y),
                Series(cursor, (lab.x,), (lab.y,), "points", "bright_green", "◆"),
            ),
            x_axis(*lab.waves.x),
            self._height.axis("y"),
        )

    def losses(self, lab: Lab, answers: Mapping[str, Adapted]) -> Plot:
        """The query loss after each update, and where the present step is."""
        columns = [gaps(answer.losses) for answer in answers.values()]
        self._losses = self._losses.follow(value for column in columns for value in column)
        series = [
            curve(name, range(len(column)), log10s(column), index)
            for index, (name, column) in enumerate(zip(answers, columns, strict=True))
        ]
        now = [value for column in columns for value in column[lab.step : lab.step + 1]]
        here = Series("", [lab.step] * len(now), log10s(now), "points", "bright_green", "◆")
        return Plot(
            "loss per update",
            (*series, here),
            Limits(0, max(1, lab.updates)).axis("updates"),
            self._losses.axis("loss"),
            "no answer yet",
        )


def x_axis(low: float, high: float) -> Axis:
    """The interval of x; a single x has room around it."""
    limits = Limits(low, high) if low < high else Limits(-1, 1).follow((low - 1, high + 1))
    return limits.axis("x")


def task_line(lab: Lab) -> Line:
    """Which task it is."""
    n = len(lab.task.support_x)
    wave = f"{lab.task.amplitude:.2f}·sin(x + {lab.task.phase:.2f})"
    points = "1 point" if n == 1 else f"{n} points"
    return line(Span(wave, "bold"), f", {points} {_origin(lab)}")


def settings_line(lab: Lab) -> Line:
    """How it is adapted to."""
    rate = "each run's own" if lab.lr is None else f"{lab.lr:g}"
    return line(f"{whole(lab.updates)} updates, inner rate {rate}")


def loss_lines(lab: Lab, answers: Mapping[str, Adapted]) -> list[Line]:
    """Each source's loss before, at the present step and at the end."""
    return [
        line(
            f"{name}  {_loss(answer.losses[0])} → ",
            Span(_loss(_at(lab, answer.losses)), "bold"),
            f" → {_loss(answer.losses[-1])}",
            Span(f"  θ of {whole(answer.iteration)}", "dim"),
        )
        for name, answer in answers.items()
    ]


def _origin(lab: Lab) -> str:
    if lab.preset:
        return f"· {PRESETS[lab.preset].title} {whole(lab.index + 1)}"
    if lab.by_hand:
        return "placed by hand"
    noise = f", noise {lab.noise:g}" if lab.noise else ""
    return f"from {INTERVALS[lab.interval]}{noise}"


def _wave(lab: Lab) -> Series:
    import numpy as np

    from core.tasks import SineWave

    x = np.linspace(*lab.waves.x, _WAVE_POINTS)
    y = SineWave(lab.task.amplitude, lab.task.phase)(x)
    return true_wave(x.tolist(), y.tolist())


def _at(lab: Lab, steps: Sequence[T]) -> T:
    """What belongs to the present step; an answer of fewer updates is at its end."""
    return steps[min(lab.step, len(steps) - 1)]


def _loss(value: float | None) -> str:
    return "diverged" if value is None else loss(value)
