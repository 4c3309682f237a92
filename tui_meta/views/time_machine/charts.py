"""Charts of the time machine: the validation history, and one task over all checkpoints."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from core.analysis.answers import Adapted
from tui_meta.views.checkpoint_travel import TimeMachine
from tui_meta.views.lab.state import LabState, at_step
from tui_meta.views.plots.axis import Limits, limits_around, log10s
from tui_meta.views.plots.lines import decimate
from tui_meta.views.plots.plot import Plot, Series, curve, gaps

_SMOOTH = 48


class _LossChart:
    """Builds a chart of losses over iterations; remembers limits of the losses."""

    def __init__(self) -> None:
        self._losses = Limits.unknown("log")

    def _draw(
        self,
        title: str,
        lines: tuple[Series, ...],
        here: Sequence[int],
        value: Sequence[float],
        newest: int,
    ) -> Plot:
        """Return the ``lines``, with the losses ``value`` at the chosen iterations marked."""
        chosen = Series("chosen", here, log10s(value), "points", "bright_green", "◆")
        x = limits_around((0, newest or 1)).axis("iteration")
        return Plot(title, (*lines, chosen), x, self._losses.axis("loss"))


class HistoryChart(_LossChart):
    """The curve of all validations; of a run without any, that of its evaluations."""

    def plot(self, machine: TimeMachine) -> Plot:
        """Return the losses, with the chosen position marked."""
        past, evaluation = machine.past, machine.chosen_evaluation
        title, iterations = "validation loss", [one.iteration for one in past.validations]
        losses = gaps(one.mean for one in past.validations)
        if not past.validations:
            title, iterations = "loss on random tasks", [one.iteration for one in past.evaluations]
            losses = gaps(one.after for one in past.evaluations)
        x, y = decimate(iterations, losses, _SMOOTH)
        at = evaluation.iteration if evaluation else machine.iteration
        saved = [one.iteration for one in past.checkpoints[-1:]]
        newest = max([0, *iterations[-1:], *saved, at or 0])
        place = bisect_right(iterations, -1 if at is None else at) - 1
        here, value = (iterations[place:][:1], losses[place:][:1]) if place >= 0 else ((), ())
        self._losses = self._losses.follow((*y, *value))
        plot = self._draw(title, (curve("", x, log10s(y)),), here, value, newest)
        return replace(plot, empty="no evaluation yet")


class ThroughTimeChart(_LossChart):
    """The losses on one task over the checkpoints that adapted to it."""

    def plot(
        self, lab: LabState, answers: Mapping[int, Adapted | None], chosen: int | None
    ) -> Plot:
        """Return the loss on the task before adaptation and at the current step, by iteration."""
        known = {at: one for at, one in answers.items() if one}
        first = gaps(one.losses[0] for one in known.values())
        now = gaps(at_step(lab, one.losses) for one in known.values())
        here = [at for at in known if at == chosen]
        value = gaps(at_step(lab, known[at].losses) for at in here)
        self._losses = self._losses.follow((*first, *now))
        at_now = f"at step {lab.step}" if lab.step else "before"
        lines = (
            replace(curve("before", tuple(known), log10s(first)), marker="short", dim=True),
            curve(at_now, tuple(known), log10s(now)),
        )
        plot = self._draw("this task, by checkpoint", lines, here, value, max(answers, default=0))
        return replace(plot, empty="no answer yet")
