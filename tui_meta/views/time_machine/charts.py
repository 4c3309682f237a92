"""Charts of the time machine: the validation history, and one task over all checkpoints."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from core.analysis.answers import Adapted
from tui_meta.views.checkpoint_travel import TimeMachine, evaluations_until
from tui_meta.views.lab.state import LabState, at_step
from tui_meta.views.plot import Limits, Plot, Series, curve, decimate, gaps, log10s

_SMOOTH = 48


class _LossChart:
    """Builds a chart of losses over iterations; remembers limits."""

    def __init__(self) -> None:
        self._iterations = Limits(0, 100)
        self._losses = Limits(-2, 1, "log")

    def _draw(
        self, title: str, lines: tuple[Series, ...], here: Sequence[int], value: Sequence[float]
    ) -> Plot:
        """Return the ``lines``, with the losses ``value`` at the chosen iterations marked."""
        chosen = Series("chosen", here, log10s(value), "points", "bright_green", "◆")
        x, y = self._iterations.axis("iteration"), self._losses.axis("loss")
        return Plot(title, (*lines, chosen), x, y)


class HistoryChart(_LossChart):
    """The curve of all periodic evaluations."""

    def plot(self, machine: TimeMachine) -> Plot:
        """Return the validation losses, with the chosen position marked."""
        evaluations = machine.past.evaluations
        losses = gaps(one.after for one in evaluations)
        x, y = decimate([one.iteration for one in evaluations], losses, _SMOOTH)
        at = machine.iteration
        newest = max([0, *(one.iteration for one in evaluations[-1:]), *([at] if at else [])])
        self._iterations = self._iterations.follow((0, newest))
        chosen = machine.chosen_evaluation
        behind = evaluations_until(machine)
        if chosen is None and behind:
            chosen = evaluations[behind - 1]
        here = (chosen.iteration,) if chosen else ()
        value = gaps((chosen.after,)) if chosen else ()
        self._losses = self._losses.follow((*y, *value))
        plot = self._draw("validation loss", (curve("", x, log10s(y)),), here, value)
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
        self._iterations = self._iterations.follow((0, *answers))
        self._losses = self._losses.follow((*first, *now))
        at_now = f"at step {lab.step}" if lab.step else "before"
        lines = (
            Series("before", tuple(known), log10s(first), "line", "bright_blue", "•"),
            Series(at_now, tuple(known), log10s(now), "line", "yellow", "blocks"),
        )
        plot = self._draw("this task, by checkpoint", lines, here, value)
        return replace(plot, empty="no answer yet")
