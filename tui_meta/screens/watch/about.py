"""What the Watch screen says about its runs besides their curves: what they are, and a verdict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from core.analysis.answers import Cancelled
from core.events import Snapshot
from tui_meta.screens.base import DashboardScreen
from tui_meta.views.text import plain
from tui_meta.views.watch.state import WatchState

if TYPE_CHECKING:
    from tui_meta.views.watch.verdict import Verdict

_LONG = 1_000
"""Cells in which any verdict fits."""


class AboutRuns(DashboardScreen, inherit_bindings=False):
    """The runs in focus, and the question that the dashboard asks by itself."""

    state: WatchState

    @property
    def scope(self) -> Sequence[Snapshot]:
        """The runs that a key acts on."""
        raise NotImplementedError

    @property
    def runs_in_focus(self) -> Sequence[Snapshot]:
        return self.scope

    def rearrange(self) -> None:
        """Arrange what is shown for its new parts."""
        raise NotImplementedError

    def ask_for_verdict(self) -> None:
        """Ask for the verdict once all runs have ended; a run that continues takes it back."""
        verdicts = self.state.verdicts
        had_verdict = verdicts.current is not None
        runs = verdicts.runs_to_judge(self.dashboard.snapshots.values())
        if had_verdict and not verdicts.current:
            self.rearrange()
        if runs:
            titles = [self.dashboard.titles[one.run] for one in runs]

            def find(cancelled: Callable[[], bool]) -> Verdict | Cancelled:
                from tui_meta.views.watch.verdict import judge

                return judge(runs, titles, lambda one: self.session.ask(one, cancelled=cancelled))

            self.compute("verdict", find, self._take_verdict, self._miss_verdict)

    def _take_verdict(self, found: Verdict | Cancelled) -> None:
        assert not isinstance(found, Cancelled)
        runs = list(self.dashboard.snapshots.values())
        verdict = self.state.verdicts.take(found, runs)
        if verdict is None:
            return
        self.rearrange()
        if not self.state.arrangement.verdict_rows:
            (losses,) = verdict.lines(_LONG, 1)
            self.show_result(plain(losses).rstrip())

    def _miss_verdict(self, problem: str) -> None:
        self.show_message(f"no verdict: {problem}")
