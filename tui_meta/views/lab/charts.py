"""Charts of the Lab."""

from collections.abc import Sequence

from msgspec.structs import replace

from core.analysis.answers import Adapted
from core.tasks.family import NO_CURVE
from core.tasks.sine import SineTasks
from tui_meta.views.lab.pending_queries import Answers
from tui_meta.views.lab.state import LabState, at_step
from tui_meta.views.numbers import whole
from tui_meta.views.plots.axis import Axis, Limits, limits_around, log10s
from tui_meta.views.plots.loss_per_step import loss_per_step_plot
from tui_meta.views.plots.plot import Color, Kind, Marker, Plot, Series, curve, gaps
from tui_meta.views.plots.wave import (
    Prediction,
    error_limits,
    error_strip,
    task_series,
    wave_limits,
    wave_plot,
)

_WITH_STRIP = 14
"""Rows of the chart in which points are moved, below which the wave needs them all."""

_HERE: tuple[Kind, Color, Marker] = ("points", "bright_green", "◆")
"""Style of the cursor and of the current step."""


class LabCharts:
    """Builds the plots; remembers limits, so that axes stay fixed from step to step."""

    def __init__(self) -> None:
        self._losses = Limits.unknown("log")
        self._errors = Limits.unknown()
        self._height = wave_limits(SineTasks())

    def waves(self, lab: LabState, answers: Answers, *, playing: bool = False) -> Plot:
        """Return the wave, the predictions at the current step, the support set and the cursor."""
        if not lab.drawable:
            return self._empty("", lab)
        step = f"step {whole(lab.step)} of {whole(lab.updates)}"
        doing = "grabbed at" if lab.held is not None else "cursor at"
        doing = "playing" if playing else f"{doing} {lab.x:.2f}, {lab.y:.2f}"
        predictions = [
            curve(name, *_prediction(lab, answer), index)
            for index, (name, answer) in enumerate(answers.items())
        ]
        errors = [
            replace(
                one, y=[value - true for value, true in zip(one.y, answer.query_y, strict=True)]
            )
            for one, answer in zip(predictions, answers.values(), strict=True)
            if answer
        ]
        strip = error_strip(errors, self._error_limits(lab, answers))
        wave, support = _task(lab)
        return Plot(
            f"{step} · {doing}",
            (
                wave,
                *reversed(predictions),  # the first lies over the others
                support,
                Series("", (lab.x,), (lab.y,), *_HERE),
            ),
            _x(lab).axis("x"),
            self._y(lab),
            names=(*answers, "support"),
            strip=replace(strip, least_rows=_WITH_STRIP) if errors else None,
        )

    def each(self, lab: LabState, answers: Answers) -> list[Plot]:
        """Return a plot for each source: its prediction before and at the current step."""
        if not lab.drawable:
            return [self._empty(name, lab) for name in answers]
        plots = []
        for index, (name, answer) in enumerate(answers.items()):
            x, now = _prediction(lab, answer)
            prediction = None
            if answer:
                before = gaps(answer.predictions[0])
                prediction = Prediction(x, answer.query_y, before, now)
            task, y, errors = _task(lab), self._y(lab), self._error_limits(lab, answers)
            plots.append(wave_plot(name, task, _x(lab), y, prediction, index, errors))
        return plots

    def losses(self, lab: LabState, answers: Answers) -> Plot:
        """Return the query loss after each gradient step, with the current step marked."""
        columns = [gaps(answer.losses if answer else ()) for answer in answers.values()]
        values = [value for column in columns for value in column]
        self._losses = self._losses.follow(values, steady=True)
        curves = zip(answers, columns, range(len(columns)), strict=True)
        plot = loss_per_step_plot(
            curves, lab.updates, self._losses.axis("loss"), "loss per step", "no answer yet"
        )
        now = [value for column in columns for value in column[lab.step : lab.step + 1]]
        here = Series("", [lab.step] * len(now), log10s(now), *_HERE)
        return replace(plot, series=(*reversed(plot.series), here), names=tuple(answers))

    def _empty(self, title: str, lab: LabState) -> Plot:
        return Plot(title, (), _x(lab).axis("x"), self._y(lab), NO_CURVE)

    def _error_limits(self, lab: LabState, answers: Answers) -> Limits:
        """Return limits for the errors at the current step."""
        errors = [
            value - true
            for answer in answers.values()
            if answer
            for value, true in zip(_prediction(lab, answer)[1], answer.query_y, strict=True)
        ]
        self._errors = error_limits(errors, self._errors)
        return self._errors

    def _y(self, lab: LabState) -> Axis:
        usual = wave_limits(lab.function.member)
        tall = self._height.follow((-lab.height, lab.height))
        self._height = usual if lab.height == usual.upper else tall
        return self._height.axis("y")


def _prediction(lab: LabState, answer: Adapted | None) -> tuple[Sequence[float], Sequence[float]]:
    """Return x and y of the prediction at the current step."""
    return (answer.query_x, gaps(at_step(lab, answer.predictions))) if answer else ((), ())


def _task(lab: LabState) -> tuple[Series, Series]:
    task = lab.task
    return task_series(lab.function, task.support_x, task.support_y, _x(lab))


def _x(lab: LabState) -> Limits:
    return limits_around(lab.family.x)
