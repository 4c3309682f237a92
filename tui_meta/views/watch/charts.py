"""Charts of the watch screen: snapshots and evaluations as plots with stable limits."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from core.evaluation.few_shot_tasks import PROBES
from core.events import Evaluated
from core.tasks.sine_sampler import SineWave
from tui_meta.views.event_history import EventHistory
from tui_meta.views.loss_per_step import loss_per_step_plot
from tui_meta.views.numbers import loss, whole
from tui_meta.views.plot import (
    Limits,
    Mark,
    Plot,
    Series,
    curve,
    decimate,
    limits_around,
    on_scale,
)
from tui_meta.views.run_status import RunStatus
from tui_meta.views.watch.lens import Lens
from tui_meta.views.wave import task_series, wave_plot

_SMOOTH = 48
_SMOOTH_EVALUATIONS = 12
"""Noisy curves are drawn as at most twice as many means."""

_ADAPTED = Limits(-2, 1, "log")

_NOWHERE = (299.0, 300.0)
"""Limits outside all losses: the first losses set new ones."""

_USUAL_WAVE = Limits(-6, 6)
"""Axes on which amplitudes can be compared by eye; very small and very large waves have others."""


class Charts:
    """Builds the plots of one session; remembers their limits, so that axes stay fixed."""

    def __init__(self) -> None:
        self._limits: dict[tuple[str, ...], Limits] = {}
        self._wave = _USUAL_WAVE

    def training(self, history: EventHistory, statuses: Sequence[RunStatus], lens: Lens) -> Plot:
        """Return the training loss of all runs over iterations."""
        curves = [
            (one, one.snapshot.curve.iterations, one.snapshot.curve.losses) for one in statuses
        ]
        plot = self._over_iterations(
            "training loss", _SMOOTH, Limits(-1, 1, "log"), curves, history, lens
        )
        return replace(plot, empty="no iteration yet")

    def adapted(self, history: EventHistory, statuses: Sequence[RunStatus], lens: Lens) -> Plot:
        """Return the validation loss of all runs: each evaluation on a random task."""
        curves = []
        for one in statuses:
            evaluations = history.evaluations[one.snapshot.run]
            iterations = [evaluated.iteration for evaluated in evaluations]
            curves.append((one, iterations, [evaluated.losses[-1] for evaluated in evaluations]))
        name = "validation loss after adaptation"
        plot = self._over_iterations(name, _SMOOTH_EVALUATIONS, _ADAPTED, curves, history, lens)
        return replace(plot, empty="no evaluation yet")

    def updates(
        self, evaluations: Mapping[str, Evaluated], statuses: Sequence[RunStatus], lens: Lens
    ) -> Plot:
        """Return the query loss of one evaluation after each gradient step, of all runs."""
        shown = [
            (one, evaluations[one.snapshot.run])
            for one in statuses
            if one.snapshot.run in evaluations
        ]
        losses = [loss for _, evaluated in shown for loss in evaluated.losses]
        y_axis = self._loss_limits("updates", _ADAPTED, losses, lens).axis("loss")
        most = max((len(evaluated.losses) - 1 for _, evaluated in shown), default=10)
        curves = [(one.title, evaluated.losses, one.index) for one, evaluated in shown]
        kinds = dict.fromkeys(PROBES[evaluated.probe].title for _, evaluated in shown)
        what = " / ".join(kind for kind in kinds if kind != PROBES["compare"].title)
        title = f"loss per step{f' · {what}' if what else ''}{lens.words}"
        return replace(loss_per_step_plot(curves, most, y_axis, title), cursor=lens.cursor)

    def waves(
        self,
        evaluations: Mapping[str, Evaluated],
        statuses: Sequence[RunStatus],
        lenses: Sequence[Lens],
    ) -> list[Plot]:
        """Return the wave and its prediction for each run, all on the same axes."""
        values: list[float] = []
        for evaluated in evaluations.values():
            values += (*evaluated.before, *evaluated.after, *evaluated.support_y)
            values += (-evaluated.amplitude, evaluated.amplitude)
        size = max(map(abs, values), default=1.0)
        self._wave = _USUAL_WAVE if 0.6 <= size <= 6 else self._wave.follow(values)
        return [
            replace(
                self._wave_plot(one.title, evaluations.get(one.snapshot.run)), cursor=lens.cursor
            )
            for one, lens in zip(statuses, lenses, strict=True)
        ]

    def _wave_plot(self, title: str, evaluated: Evaluated | None) -> Plot:
        y = self._wave.axis("y")
        if evaluated is None or not evaluated.query_x:
            return Plot(title, (), Limits(-5, 5).axis("x"), y, "no evaluation yet")
        x = limits_around(evaluated.query_x)
        support = evaluated.support_x, evaluated.support_y
        return wave_plot(
            f"{title}  {loss(evaluated.losses[0])} → {loss(evaluated.losses[-1])}"
            f" · {PROBES[evaluated.probe].title} · at {whole(evaluated.iteration)}",
            task_series(evaluated.amplitude, evaluated.phase, *support, x),
            x,
            y,
            (evaluated.query_x, evaluated.before, evaluated.after),
        )

    def _over_iterations(
        self,
        title: str,
        means: int,
        limits: Limits,
        curves: Sequence[tuple[RunStatus, Sequence[int], Sequence[float]]],
        history: EventHistory,
        lens: Lens,
    ) -> Plot:
        target = max((one.snapshot.target for one, _, _ in curves), default=0)
        span = lens.span((one.snapshot.iteration for one, _, _ in curves), target)
        x_axis = self._follow(("iteration", lens.window), Limits(0, 100), span).axis("iteration")
        series: list[Series] = []
        shown: list[float] = []
        marks: list[Mark] = []
        for one, iterations, losses in curves:
            first = bisect_left(iterations, x_axis.lower)
            x: Sequence[float] = iterations[first:]
            y: Sequence[float] = losses[first:]
            if lens.smooth:
                x, y = decimate(x, y, means)
            line = curve(one.title, x, on_scale(y, lens.scale), one.index)
            series.append(line)
            marks += [
                Mark(at, letter, line.color)
                for at, letter in history.happenings[one.snapshot.run]
                if x_axis.lower <= at <= x_axis.upper
            ]
            # A run that exploded leaves the picture at its top: the others must stay readable.
            if not one.trouble:
                shown += y
        y_axis = self._loss_limits(title, limits, shown, lens).axis("loss")
        title += lens.words
        return Plot(title, tuple(series), x_axis, y_axis, marks=tuple(marks), cursor=lens.cursor)

    def _loss_limits(
        self, name: str, on_log: Limits, losses: Sequence[float], lens: Lens
    ) -> Limits:
        start = on_log if lens.scale == "log" else Limits(0, 1)
        if lens.window != "all":
            start = Limits(*_NOWHERE, lens.scale)  # a part is looked at for its details
        # On a linear axis the eye compares lengths: it begins at zero.
        values = losses if lens.scale == "log" else (0.0, *losses)
        return self._follow((name, lens.scale, lens.window), start, values)

    def _follow(self, name: tuple[str, ...], start: Limits, values: Iterable[float]) -> Limits:
        limits = self._limits.get(name, start).follow(values)
        self._limits[name] = limits
        return limits


def task_line(evaluated: Evaluated | None) -> str:
    """Return the task of an evaluation in words."""
    if evaluated is None:
        return ""
    points, steps = len(evaluated.support_x), len(evaluated.losses) - 1
    wave = SineWave(evaluated.amplitude, evaluated.phase).label
    return f"{wave}, {points} points, {steps} gradient steps"
