"""When the verdict about the runs of a session is due, and the one that is shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from core.events import ENDED, Snapshot
from tui_meta.views.run_groups import run_groups
from tui_meta.views.watch.layout import MOST_IN_DETAIL

if TYPE_CHECKING:  # the first frame has no verdict
    from tui_meta.views.watch.seed_verdict import SeedVerdict
    from tui_meta.views.watch.verdict import Verdict


class Verdicts:
    """The ``current`` verdict, until a run is added or continues."""

    def __init__(self) -> None:
        self.current: Verdict | SeedVerdict | None = None
        self._asked: Sequence[tuple[str, int]] = []
        """The runs that it was asked for, and their iterations."""

    @property
    def most_rows(self) -> int:
        """The rows that it fills."""
        return self.current.most_rows if self.current else 0

    def runs_to_judge(self, runs: Iterable[Snapshot]) -> Sequence[Snapshot]:
        """Return the finished runs once all have ended; the verdict is asked for only once."""
        judged = judged_runs(runs)
        if (ends := _ends(judged)) == self._asked:
            return ()
        self._asked, self.current = ends, None
        return judged

    def take(self, found: Verdict, runs: Sequence[Snapshot]) -> Verdict | SeedVerdict | None:
        """Return what to show of all ``runs``: of groups, where there are any.

        None if a run was added or has continued since the verdict was asked for.
        """
        if _ends(found.runs) != self._asked:
            return None
        from tui_meta.views.watch.seed_verdict import SeedVerdict

        groups = run_groups(runs)
        has_seeds = not all(group.is_single for group in groups)
        has_curves = len(runs) > MOST_IN_DETAIL
        by_seeds = SeedVerdict.of(groups, runs, found, samples=has_curves)
        self.current = by_seeds if has_seeds else found
        return self.current


def judged_runs(runs: Iterable[Snapshot]) -> Sequence[Snapshot]:
    """Return the finished runs once all have ended; none before."""
    known = list(runs)
    if any(one.state not in ENDED for one in known):
        return ()
    return [one for one in known if one.state == "finished"]


def _ends(runs: Iterable[Snapshot]) -> Sequence[tuple[str, int]]:
    return [(one.run, one.iteration) for one in runs]
