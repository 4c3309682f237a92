"""What each chart shows: snapshots and evaluations turned into plots with steady limits."""

from collections.abc import Mapping, Sequence

from core.adaptation import PROBES
from core.events import Evaluated
from core.tasks import SineWave
from tui_meta.views.numbers import loss, whole
from tui_meta.views.plot import (
    Limits,
    Plot,
    Series,
    after,
    before,
    curve,
    decimate,
    log10s,
    support,
    true_wave,
)
from tui_meta.views.record import Record
from tui_meta.views.standing import Standing

_SMOOTH = 48
_SMOOTH_EVALUATIONS = 12
"""Noisy curves are drawn as at most twice as many means."""

_WAVE_POINTS = 100

_USUAL_WAVE = Limits(-6, 6)
"""Axes on which amplitudes can be compared by eye; very small and very large waves have others."""


class Charts:
    """Makes the plots of one session; it remembers their limits, so that axes stay put."""

    def __init__(self) -> None:
        self._iterations = Limits(0, 100)
        self._training = Limits(-1, 1, "log")
        self._adapted = Limits(-2, 1, "log")
        self._updates = Limits(-2, 1, "log")
        self._wave = _USUAL_WAVE

    def training(self, standings: Sequence[Standing]) -> Plot:
        """The training loss of all runs over iterations."""
        curves = []
        for one in standings:
            shown = one.snapshot.curve
            curves.append((one, shown.iterations, shown.losses))
        plot, self._training = self._over_iterations(
            "training loss", curves, self._training, _SMOOTH, "no iteration yet"
        )
        return plot

    def adapted(self, record: Record, standings: Sequence[Standing]) -> Plot:
        """The loss after adaptation of every periodic evaluation, each on a random task."""
        curves = []
        for one in standings:
            evaluations = record.evaluations[one.snapshot.run]
            iterations = [evaluated.iteration for evaluated in evaluations]
            curves.append((one, iterations, [evaluated.losses[-1] for evaluated in evaluations]))
        plot, self._adapted = self._over_iterations(
            "loss after adaptation, random tasks",
            curves,
            self._adapted,
            _SMOOTH_EVALUATIONS,
            "no evaluation yet",
        )
        return plot

    def updates(self, evaluations: Mapping[str, Evaluated], standings: Sequence[Standing]) -> Plot:
        """The query loss of one evaluation after each update, of all runs."""
        shown = [
            (one, evaluations[one.snapshot.run])
            for one in standings
            if one.snapshot.run in evaluations
        ]
        losses = [loss for _, evaluated in shown for loss in evaluated.losses]
        self._updates = self._updates.follow(losses)
        most = max((len(evaluated.losses) - 1 for _, evaluated in shown), default=10)
        series = tuple(
            curve(one.title, range(len(evaluated.losses)), log10s(evaluated.losses), one.index)
            for one, evaluated in shown
        )
        kinds = dict.fromkeys(PROBES[evaluated.probe].title for _, evaluated in shown)
        what = " / ".join(kind for kind in kinds if kind != "loss per update")
        return Plot(
            f"loss per update{f' · {what}' if what else ''}",
            series,
            Limits(0, max(1, most)).axis("updates"),
            self._updates.axis("loss"),
            "no evaluation yet",
        )

    def waves(
        self, evaluations: Mapping[str, Evaluated], standings: Sequence[Standing]
    ) -> list[Plot]:
        """The wave and its prediction by each run, all on the same axes."""
        values: list[float] = []
        for evaluated in evaluations.values():
            values += (*evaluated.before, *evaluated.after, *evaluated.support_y)
            values += (-evaluated.amplitude, evaluated.amplitude)
        size = max(map(abs, values), default=1.0)
        self._wave = _USUAL_WAVE if 0.6 <= size <= 6 else self._wave.follow(values)
        return [self._wave_plot(one.title, evaluations.get(one.snapshot.run)) for one in standings]

    def _wave_plot(self, title: str, evaluated: Evaluated | None) -> Plot:
        y = self._wave.axis("y")
        if evaluated is None or not evaluated.query_x:
            return Plot(title, (), Limits(-5, 5).axis("x"), y, "no evaluation yet")
        x = evaluated.query_x
        lower, upper = x[0], x[-1]
        fine = [lower + (upper - lower) * i / (_WAVE_POINTS - 1) for i in range(_WAVE_POINTS)]
        wave = SineWave(evaluated.amplitude, evaluated.phase)
        return Plot(
            f"{title}  {loss(evaluated.losses[0])} → {loss(evaluated.losses[-1])}"
            f" · {PROBES[evaluated.probe].title} at {whole(evaluated.iteration)}",
            (
                true_wave(fine, _wave_values(wave, fine)),
                before(x, evaluated.before),
                after(x, evaluated.after),
                support(evaluated.support_x, evaluated.support_y),
            ),
            Limits(lower, upper).axis("x"),
            y,
        )

    def _over_iterations(
        self,
        title: str,
        curves: Sequence[tuple[Standing, Sequence[int], Sequence[float]]],
        limits: Limits,
        smooth: int,
        empty: str,
    ) -> tuple[Plot, Limits]:
        series: list[Series] = []
        shown: list[float] = []
        for one, iterations, losses in curves:
            x, y = decimate(iterations, losses, smooth)
            series.append(curve(one.title, x, log10s(y), one.index))
            if not one.trouble:
                shown += y
        newest = max((one.snapshot.iteration for one, _, _ in curves), default=0)
        self._iterations = self._iterations.follow((0, newest))
        # A run that exploded leaves the picture at its top: the others must stay readable.
        limits = limits.follow(shown)
        x_axis, y_axis = self._iterations.axis("iteration"), limits.axis("loss")
        return Plot(title, tuple(series), x_axis, y_axis, empty), limits


def task_line(evaluated: Evaluated | None) -> str:
    """Which task an evaluation was on, and how it was adapted to."""
    if evaluated is None:
        return ""
    points, updates = len(evaluated.support_x), len(evaluated.losses) - 1
    wave = f"{evaluated.amplitude:.2f}·sin(x + {evaluated.phase:.2f})"
    return f"{wave}, {points} points, {updates} updates"


def _wave_values(wave: SineWave, x: Sequence[float]) -> list[float]:
    import numpy as np

    return [float(value) for value in wave(np.array(x))]
