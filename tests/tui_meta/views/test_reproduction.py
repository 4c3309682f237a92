"""Published losses beside ours as cells: each protocol has a table of its own."""

from __future__ import annotations

from typing import Any

from core.events import Spent
from core.reproduction.measure import Budget, Ours, Row
from core.reproduction.published import Published, plain, printed, reached, unpublished
from core.reproduction.verdict import Interval
from tui_meta.views.reproduction.table import sections

BUDGET = Budget(
    group="finn.maml",
    planned=3,
    finished=2,
    diverged=1,
    failed=0,
    iterations=70_000,
    published_iterations=70_000,
    spent=Spent(1_750_000, 35_000_000, 7_000_000, 65.0),
)
OURS = Ours(
    loss=0.671,
    over_tasks=Interval(0.656, 0.686),
    over_seeds=Interval(0.641, 0.701),
    median=0.4,
    adaptations=20_000,
    diverged=0,
)


def row(published: Published, protocol: str = "finn", **more: Any) -> Row:
    values = {"ours": OURS, "verdict": "agrees", "budget": BUDGET, **more}
    named = {"protocol": protocol, "version": 2, "publication": "Finn 2017", "url": "https://x"}
    return Row(published=published, **named, **values)  # type: ignore[arg-type]


def cells(published: Published, **more: Any) -> list[str]:
    (section,) = sections([row(published, **more)])
    return list(section.rows[0])


def test_a_row_has_the_published_loss_as_it_was_printed() -> None:
    ours = ["0.671", "0.0150", "0.0300", "0", "agrees"]
    assert cells(printed("maml", 5, 1, 0.69, 0.07)) == ["maml", "5", "1", "0.690 ± 0.070", *ours]
    assert cells(plain("maml", 5, {1: 0.67})[0])[3] == "0.670"
    assert cells(reached("maml", 5, {1: (0.5, 0.6)})[0])[3] == "0.500 to 0.600"
    assert cells(unpublished("maml", 5, 1)[0], verdict=None)[3::5] == ["-", "-"]


def test_a_row_counts_adaptations_that_diverged() -> None:
    some = Ours(
        loss=0.4,
        over_tasks=Interval(0.3, 0.5),
        over_seeds=None,
        median=0.3,
        adaptations=20_000,
        diverged=3,
    )
    row = cells(printed("maml", 5, 1, 0.69, 0.07), ours=some, verdict="diverged")
    assert row[4:] == ["0.400", "0.100", "-", "3 of 20,000", "diverged"]


def test_without_a_network_nothing_is_compared() -> None:
    row = cells(printed("maml", 5, 1, 0.69, 0.07), ours=None, verdict=None)
    assert row[4:] == ["-"] * 5


def test_protocols_have_sections_and_methods_their_budget() -> None:
    rows = [
        row(printed("maml", 5, 1, 0.69, 0.07)),
        row(printed("maml", 10, 1, 0.44, 0.04)),
        row(printed("maml", 5, 1, 0.9, 0.1, doubt="read in a digest"), "other"),
    ]
    first, second = sections(rows)
    assert (first.title, len(first.rows), first.doubts) == ("finn, version 2: Finn 2017", 2, [])
    assert [list(one) for one in first.budgets] == [
        ["maml", "2 of 3, 1 diverged", "70,000", "1,750,000", "35,000,000", "7,000,000", "1:05"]
    ]
    assert (len(second.rows), second.doubts) == (1, ["maml: read in a digest"])
