"""Published losses beside ours as tables: one for each protocol, and one of the budgets."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.reproduction.measure import Budget, Ours, Row
from core.reproduction.published import Published
from core.reproduction.verdict import ASSUMED_MARGIN, Interval
from tui_meta.views.numbers import duration, interval, loss, whole

HEADER = ("method", "K", "steps", "published", "ours", "± tasks", "± seeds", "diverged", "verdict")
BUDGET_HEADER = ("method", "seeds", "iterations", "tasks", "points", "gradients", "time")

NUMBERS = (1, 2, 4, 5, 6, 7)
"""The columns of ``HEADER`` that are right-aligned."""
BUDGET_NUMBERS = (2, 3, 4, 5, 6)


@dataclass(frozen=True)
class Section:
    """The results of one protocol, as cells."""

    title: str
    url: str
    warning: str
    """Says that the budget is not that of the publication; empty where it is."""
    rows: Sequence[Sequence[str]]
    budgets: Sequence[Sequence[str]]
    doubts: Sequence[str]


def sections(rows: Sequence[Row]) -> Iterator[Section]:
    """Yield a section for each protocol: losses of different protocols share no column."""
    for _, group in itertools.groupby(rows, key=lambda row: row.protocol):
        own = list(group)
        first = own[0]
        methods = {row.published.method: row.budget for row in own}
        doubts = [
            f"{row.published.method}: {row.published.doubt}" for row in own if row.published.doubt
        ]
        yield Section(
            title=f"{first.protocol}, version {first.version}: {first.publication}",
            url=first.url,
            warning=_warning(first.budget),
            rows=[row_cells(row) for row in own],
            budgets=[budget_cells(method, budget) for method, budget in methods.items()],
            doubts=list(dict.fromkeys(doubts)),
        )


def _warning(budget: Budget) -> str:
    if budget.is_published:
        return ""
    iterations = f"{whole(budget.iterations)} instead of {whole(budget.published_iterations)}"
    return f"NOT the published budget: {iterations} iterations; no verdict"


def row_cells(row: Row) -> list[str]:
    """Return the cells of a row below ``HEADER``."""
    published = row.published
    named = (published.method, whole(published.shots), whole(published.step))
    return [*named, published_words(published), *_ours(row.ours), row.verdict or "-"]


def published_words(published: Published) -> str:
    """Return a published loss with its interval, as it was printed."""
    known = published.interval
    if known is None:
        return "-"
    if published.loss is None:
        return f"{loss(known.low)} to {loss(known.high)}"
    if not published.is_printed:
        return loss(published.loss)
    return interval(published.loss, _margin(known))


def _ours(ours: Ours | None) -> list[str]:
    if ours is None:
        return ["-"] * 4
    margins = [loss(_margin(one)) if one else "-" for one in (ours.over_tasks, ours.over_seeds)]
    of = f" of {whole(ours.adaptations)}" if ours.diverged else ""
    return [loss(ours.loss), *margins, whole(ours.diverged) + of]


def _margin(interval: Interval) -> float:
    return (interval.high - interval.low) / 2


def budget_cells(method: str, budget: Budget) -> list[str]:
    """Return the cells of a method's budget below ``BUDGET_HEADER``."""
    troubles = {"diverged": budget.diverged, "failed": budget.failed}
    counts = [f"{whole(count)} {state}" for state, count in troubles.items() if count]
    seeds = ", ".join([f"{whole(budget.finished)} of {whole(budget.planned)}", *counts])
    iterations = whole(budget.iterations)
    if budget.spent is None:
        return [method, seeds, iterations, *["-"] * 4]
    spent = budget.spent
    used = map(whole, (spent.tasks, spent.points, spent.gradients))
    return [method, seeds, iterations, *used, duration(spent.seconds)]


def notes(rows: Sequence[Row], tasks: int) -> list[str]:
    """Return what the numbers mean, for evaluations on so many ``tasks``."""
    budgets = {row.budget.group: row.budget for row in rows}.values()
    seconds = sum(one.finished * one.spent.seconds for one in budgets if one.spent)
    return [
        "K: support points; steps: gradient steps of the adaptation",
        "published: mean loss ± 95% interval; where none is printed, "
        f"{ASSUMED_MARGIN:.0%} of the loss are assumed",
        f"ours: mean loss on {whole(tasks)} tasks, and half of its 95% interval over tasks and "
        "over seeds",
        "diverged: adaptations that did, of all; they are in no mean, and the verdict says so",
        "agrees: the wider of our intervals overlaps with the published one; else the lower loss "
        "is better, unless it is unclear how the published one was measured",
        "tasks, points, gradients, time: of the training of one run; of all runs together "
        f"{duration(seconds)}, on one processor each",
    ]
