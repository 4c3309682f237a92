"""Charts of the watch screen: snapshots and evaluations as plots with stable limits."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from core.evaluation.few_shot_tasks import PROBES
from core.events import Evaluated
from core.tasks.family import NO_CURVE, TaskFamily
from tui_meta.views.event_history import EventHistory
from tui_meta.views.keys.concepts import concept
from tui_meta.views.numbers import loss, whole
from tui_meta.views.plots.axis import TIGHT, Axis, Limits, Scale, limits_around, on_scale
from tui_meta.views.plots.lines import decimate
from tui_meta.views.plots.loss_per_step import loss_per_step_plot
from tui_meta.views.plots.plot import BAND_EDGES, Mark, Plot, Series, curve, gaps
from tui_meta.views.plots.wave import (
    Prediction,
    error_limits,
    evaluated_prediction,
    evaluated_series,
    wave_limits,
    wave_plot,
)
from tui_meta.views.run_settings import family_of, training_loss_words, validation_words
from tui_meta.views.run_status import RunStatus
from tui_meta.views.watch.groups import OVER_SEEDS, SEED_BAND, GroupStatus, SeedCurves, mean_curve
from tui_meta.views.watch.lens import Lens
from tui_meta.views.watch.x_axis import X_LABELS, in_unit

UNTRAINED = "untrained"
_SMOOTH = 48
"""A noisy curve is drawn as at most twice as many means."""

_ABOUT_WAVES = ("goal", "iteration", "before", "good")
"""Concepts that panels without a wave explain, each another one than its neighbours."""

_X_PARTS = 4
"""The x axis grows by steps of about a quarter of what is shown, so that it seldom changes."""


class _Curve(Struct, frozen=True):
    """Losses of a run at some iterations; ``band`` is the lower and the upper edge of its band.

    ``over`` says what the band is over, if not tasks.
    """

    status: RunStatus
    iterations: Sequence[int]
    losses: Sequence[float]
    band: tuple[Sequence[float], ...] = ()
    over: str = ""

    def used(
        self, iterations: Sequence[float], history: EventHistory, lens: Lens
    ) -> Sequence[float]:
        """Return ``iterations`` in the unit of the x axis."""
        run = self.status.snapshot
        return in_unit(lens.x, iterations, run, history.validations[run.run])

    def planned(self, history: EventHistory, lens: Lens) -> float:
        """Return where the curve will end on the x axis: that of a run which does not train, here.

        The seconds at the end of training are not known.
        """
        run = self.status.snapshot
        end = run.target if run.state in ("training", "loading") else run.iteration
        if lens.x == "seconds" and run.iteration < end:
            return math.inf
        return self.used((end,), history, lens)[0]

    def places(
        self, iterations: Sequence[float], history: EventHistory, lens: Lens
    ) -> Sequence[float]:
        """Return the positions of ``iterations`` on the x axis; 0 has none on a logarithmic one."""
        used = self.used(iterations, history, lens)
        if lens.x_scale == "linear":
            return used
        return [math.log10(value) if value > 0 else -math.inf for value in used]


class Charts:
    """Builds the plots of one session; remembers their limits, so that axes stay fixed.

    The curve of the run or group number ``front`` is drawn over the others. If it is ``alone``, it
    is the only one with a band, marks and a name in the legend.
    """

    def __init__(self, seed_curves: SeedCurves | None = None) -> None:
        self._seed_curves = seed_curves or SeedCurves()
        self._limits: dict[tuple[str, ...], Limits] = {}
        self._predictions: dict[str, tuple[Evaluated, Prediction]] = {}
        self.front: int | None = None
        self.alone = False

    def validation(self, history: EventHistory, statuses: Sequence[RunStatus], lens: Lens) -> Plot:
        """Return the mean loss on the validation tasks in its band, and that of no training."""
        grouped = any(isinstance(one, GroupStatus) for one in statuses)
        curves = [
            self._over_seeds(one, history)
            if isinstance(one, GroupStatus)
            else _validations(one, history, has_band=not grouped)
            for one in statuses
        ]
        words = validation_words(one.snapshot for one in statuses)
        plot = self._over_iterations("validation", curves, history, lens)
        if words:
            # Where the title is cut, how the chart is shown stays.
            title = f"{plot.title}{' ·' if lens.words else ':'} loss on {words}"
            plot = replace(plot, title=title)
        own = [one for one in curves if not self.alone or one.status.index == self.front]
        series = (*_untrained(own, plot), *plot.series)
        caption = SEED_BAND if grouped else ""
        about = concept("Watch", "validation")
        return replace(plot, series=series, empty="no validation yet", about=about, caption=caption)

    def _over_seeds(self, group: GroupStatus, history: EventHistory) -> _Curve:
        iterations, points = self._seed_curves.of(group, history)
        band = [one.low for one in points], [one.high for one in points]
        return _Curve(group, iterations, [one.mean for one in points], band, OVER_SEEDS)

    def training(self, history: EventHistory, statuses: Sequence[RunStatus], lens: Lens) -> Plot:
        """Return the training loss of all runs."""
        losses = [
            (one, mean_curve(one) if isinstance(one, GroupStatus) else one.snapshot.curve)
            for one in statuses
        ]
        curves = [_Curve(one, curve.iterations, curve.losses) for one, curve in losses]
        plot = self._over_iterations("training loss", curves, history, lens)
        caption = training_loss_words(one.snapshot for one in statuses)
        about = concept("Watch", "training")
        return replace(plot, empty="no iteration yet", about=about, caption=caption)

    def updates(
        self, evaluations: Mapping[str, Evaluated], statuses: Sequence[RunStatus], lens: Lens
    ) -> Plot:
        """Return the query loss of one evaluation after each gradient step, of all runs."""
        found = [(one, _evaluated(one, evaluations)) for one in statuses]
        shown = [(one, evaluated) for one, evaluated in found if evaluated]
        losses = [loss for _, evaluated in shown for loss in evaluated.losses]
        y_axis = self._loss_limits("updates", losses, lens).axis("loss")
        most = max((len(evaluated.losses) - 1 for _, evaluated in shown), default=10)
        curves = [(one.title, evaluated.losses, one.index) for one, evaluated in shown]
        kinds = dict.fromkeys(PROBES[evaluated.probe].title for _, evaluated in shown)
        what = " / ".join(kind for kind in kinds if kind != PROBES["compare"].title)
        grouped = any(isinstance(one, GroupStatus) for one, _ in shown)
        title = f"loss per step{f' · {what}' if what else ''}{lens.words}"
        plot = loss_per_step_plot(curves, most, y_axis, title)
        lines = self._in_front((one for one, _ in shown), plot.series)
        names = tuple(one.title for one, _ in shown)
        caption = "mean over seeds" if grouped else ""
        return replace(
            plot,
            series=lines,
            about=concept("Watch", "support"),
            names=names,
            cursor=lens.cursor,
            caption=caption,
        )

    def waves(
        self,
        evaluations: Mapping[str, Evaluated],
        statuses: Sequence[RunStatus],
        lenses: Sequence[Lens],
    ) -> list[Plot]:
        """Return the wave and its prediction for each run, all on the same axes."""
        predictions = {
            run: self._prediction(run, one) for run, one in evaluations.items() if one.query_x
        }
        values = [one.height for one in predictions.values()]
        errors = error_limits(one.largest_error for one in predictions.values())
        families = [_family(one, evaluations.get(one.snapshot.run)) for one in statuses]
        of_each = [wave_limits(family, values) for family in families]
        y = max(of_each, key=lambda limits: limits.upper, default=Limits(-1, 1)).axis("y")
        plots = []
        for one, lens in zip(statuses, lenses, strict=True):
            run = one.snapshot.run
            plot = _wave_plot(one, evaluations.get(run), predictions.get(run), y, errors)
            plots.append(replace(plot, cursor=lens.cursor))
        return plots

    def _prediction(self, run: str, evaluated: Evaluated) -> Prediction:
        """Return what ``run`` predicted; of a hundred runs, few have another one than before."""
        known = self._predictions.get(run)
        if known is None or known[0] is not evaluated:
            known = self._predictions[run] = evaluated, evaluated_prediction(evaluated)
        return known[1]

    def _over_iterations(
        self,
        title: str,
        curves: Sequence[_Curve],
        history: EventHistory,
        lens: Lens,
    ) -> Plot:
        x_axis = self._x_axis(curves, history, lens)
        bands: list[Series] = []
        lines: list[Series] = []
        shown: list[float] = []
        marks: list[Mark] = []
        for one in curves:
            places = one.places(one.iterations, history, lens)
            first = bisect_left(places, x_axis.lower) if one.iterations else 0
            x: Sequence[float] = places[first:]
            y: Sequence[float] = one.losses[first:]
            has_details = not self.alone or one.status.index == self.front
            band = one.band if has_details else ()
            for name, edge in zip(BAND_EDGES, band, strict=False):
                bands.append(_band(one, name, x, on_scale(edge[first:], lens.scale)))
                shown += () if one.status.trouble else edge[first:]
            if lens.smooth and not one.band:
                x, y = decimate(x, y, _SMOOTH)
            line = curve(one.status.title, x, on_scale(y, lens.scale), one.status.index)
            lines.append(line)
            happened = history.happenings[one.status.snapshot.run] if has_details else ()
            at = one.places([iteration for iteration, _ in happened], history, lens)
            marks += [
                Mark(place, letter, line.color)
                for place, (_, letter) in zip(at, happened, strict=True)
                if x_axis.lower <= place <= x_axis.upper
            ]
            # A run that exploded leaves the picture at its top: the others must stay readable.
            if not one.status.trouble:
                shown += y
        y_axis = self._loss_limits(title, shown, lens).axis("loss")
        title += lens.words
        statuses = [one.status for one in curves]
        return Plot(
            title,
            (*bands, *self._in_front(statuses, lines)),
            x_axis,
            y_axis,
            marks=tuple(marks),
            cursor=lens.cursor,
            names=(*(one.title for one in statuses), UNTRAINED),
        )

    def _in_front(
        self, statuses: Iterable[RunStatus], lines: Iterable[Series]
    ) -> tuple[Series, ...]:
        """Return the lines of runs in the order of drawing, and which of them are named."""
        in_front = [one.index == self.front for one in statuses]
        named = [
            (front, replace(one, listed=front or not self.alone))
            for front, one in zip(in_front, lines, strict=True)
        ]
        return tuple(one for _, one in sorted(named, key=itemgetter(0)))

    def _x_axis(self, curves: Sequence[_Curve], history: EventHistory, lens: Lens) -> Axis:
        target = max((one.status.snapshot.target for one in curves), default=0)
        first, last = lens.span((one.status.snapshot.iteration for one in curves), target)
        linear = lens.x_scale == "linear"
        values: list[float] = []
        for one in curves:
            # A logarithmic axis begins with the first point, for it has no place for 0.
            begin = next((at for at in one.iterations if at > first), last)
            ends = (first if linear else begin, one.status.snapshot.iteration)
            values += one.used(ends, history, lens)
        planned = max((one.planned(history, lens) for one in curves), default=math.inf)
        if max(values, default=0) <= 0:
            values.append(planned if planned < math.inf else 1)
        name = ("x", lens.x, lens.x_scale, lens.window)
        parts = _X_PARTS if linear else 2 * _X_PARTS
        return self._follow(name, lens.x_scale, values, planned, parts).axis(X_LABELS[lens.x])

    def _loss_limits(self, name: str, losses: Sequence[float], lens: Lens) -> Limits:
        # On a linear axis the eye compares lengths: it begins at zero.
        values = (0.0, *losses) if losses and lens.scale == "linear" else losses
        return self._follow((name, lens.scale, lens.window), lens.scale, values)

    def _follow(
        self,
        name: tuple[str, ...],
        scale: Scale,
        values: Iterable[float],
        end: float = math.inf,
        parts: int = TIGHT,
    ) -> Limits:
        limits = self._limits.get(name, Limits.unknown(scale)).follow(values, end, parts)
        self._limits[name] = limits
        return limits


def task_line(evaluated: Evaluated | None) -> str:
    """Return the task of an evaluation in words."""
    if evaluated is None:
        return ""
    points, steps = len(evaluated.support_x), len(evaluated.losses) - 1
    support = f"{points} points, " if evaluated.is_drawable else ""
    return f"{evaluated.task_label}, {support}{steps} gradient steps"


def _evaluated(status: RunStatus, evaluations: Mapping[str, Evaluated]) -> Evaluated | None:
    """Return the evaluation of a run; of a group, one with the mean losses of its seeds."""
    newest = evaluations.get(status.snapshot.run)
    if newest is None or not isinstance(status, GroupStatus):
        return newest
    of_seeds = [evaluations.get(one.snapshot.run) for one in status.members]
    steps = len(newest.losses)
    alike = [one.losses for one in of_seeds if one and one.probe == newest.probe]
    losses = [one for one in alike if len(one) == steps]
    mean = tuple(sum(at) / len(losses) for at in zip(*losses, strict=True))
    return msgspec.structs.replace(newest, losses=mean)


def _family(status: RunStatus, evaluated: Evaluated | None) -> TaskFamily:
    """Return the family of the task: of a mixture, the one that it belongs to."""
    family = family_of(status.snapshot)
    return family.member(*evaluated.task)[0] if evaluated else family


def _wave_plot(
    status: RunStatus,
    evaluated: Evaluated | None,
    prediction: Prediction | None,
    y: Axis,
    errors: Limits,
) -> Plot:
    title, family = status.title, family_of(status.snapshot)
    if evaluated:
        title += f"  {loss(evaluated.losses[0])} → {loss(evaluated.losses[-1])}"
        title += f" · {PROBES[evaluated.probe].title} · at {whole(evaluated.iteration)}"
    x = limits_around(family.x)
    if not family.is_curve:
        return Plot(title, (), x.axis("x"), y, NO_CURVE)
    if evaluated is None or prediction is None:
        about = concept("Watch", _ABOUT_WAVES[status.index % len(_ABOUT_WAVES)])
        return Plot(title, (), x.axis("x"), y, "no evaluation yet", about)
    x = limits_around(evaluated.query_x)
    return wave_plot(
        title,
        evaluated_series(evaluated, x),
        x,
        y,
        prediction,
        status.index,
        errors,
    )


def _validations(status: RunStatus, history: EventHistory, *, has_band: bool) -> _Curve:
    validations = history.validations[status.snapshot.run]
    low, mean, high = (
        gaps(getattr(one, name)[-1] for one in validations) for name in ("low", "mean", "high")
    )
    band = (low, high) if has_band else ()
    return _Curve(status, [one.iteration for one in validations], mean, band)


def _band(of: _Curve, name: str, x: Sequence[float], y: Sequence[float]) -> Series:
    color = curve("", (), (), of.status.index).color
    label = f"{of.status.title}{of.over}{name}"
    return Series(label, x, y, "line", color, "dotted", dim=True, listed=False)


def _untrained(curves: Sequence[_Curve], plot: Plot) -> Sequence[Series]:
    """Return a level line at the loss of each untrained network; runs usually share theirs."""
    losses = dict.fromkeys(
        one.losses[0] for one in curves if one.iterations and not one.iterations[0]
    )
    levels = on_scale(losses, plot.y.scale)
    ends = (plot.x.lower, plot.x.upper)
    return [
        Series(UNTRAINED, ends, (y, y), "line", "default", "dotted", dim=True, listed=not index)
        for index, y in enumerate(levels)
    ]
