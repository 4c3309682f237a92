"""The two lines above the table: the best group so far, and how far the sweep is."""

from tui_meta.views.numbers import seeds_mean, whole
from tui_meta.views.sweep.rows import state_words
from tui_meta.views.sweep.status import SweepStatus
from tui_meta.views.text import Line, Span, first_that_fits, fit, line

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


def best_line(sweep: SweepStatus, width: int) -> Line:
    """Return the best group with its mean over seeds."""
    best = sweep.best
    is_over = sweep.states["finished"] == sweep.states.total()
    if best is None or best.summary.validation is None:
        measured = any(one.mean is not None for one in sweep.groups)
        said = "the groups are validated in different ways" if measured else "no result yet"
        return fit(line(Span(f"best: {said}", "dim")), width)
    mean, found = best.summary.validation, "best" if is_over else "best so far"
    name, number = Span(best.name, "bold"), Span(seeds_mean(mean), "bold")
    seeds = Span(f" over {whole(mean.n)} seeds" if mean.n > 1 else "", "dim")
    full = line(f"{found}: ", name, Span("   validation ", "dim"), number, seeds)
    return fit(first_that_fits([full, line(f"{found}: ", name, "  ", number)], width), width)


def progress_line(sweep: SweepStatus, where: str, view: str, width: int) -> Line:
    """Return how many runs are done, how long the others take, and how the table is shown."""
    done, total = sweep.states["finished"], sweep.states.total()
    head = line(f"{where}: ", Span(f"{whole(done)} of {whole(total)} runs done", "bold"))
    states = state_words(sweep.states)
    others = [Span(f", {states}", "yellow")] if states else []
    left = [f"  ·  about {roughly(sweep.seconds_left)} left"] if sweep.seconds_left else []
    pace = [f"  ·  about {sweep.at_once:.0f} at once"] if sweep.at_once and left else []
    shown = [Span(f"  ·  {view}", "dim")] if view else []
    candidates = [
        line(*head, *others, *pace, *left, *shown),
        line(*head, *others, *left, *shown),
        line(*head, *others, *left),
        line(*head, *others),
    ]
    return fit(first_that_fits(candidates, width), width)


def roughly(seconds: float) -> str:
    """Return a time that is an estimate: ``40 s``, ``12 min``, ``3.5 h``, ``2 days``."""
    if seconds < 1.5 * _MINUTE:
        return f"{max(10, round(seconds, -1)):.0f} s"
    if seconds < 1.5 * _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    if seconds < 2 * _DAY:
        return f"{seconds / _HOUR:.1f} h"
    return f"{seconds / _DAY:.0f} days"
