"""The lines of the runs on the Watch screen."""

from textual.app import ComposeResult

from tui_meta.screens.base import DashboardScreen
from tui_meta.views.watch import layout
from tui_meta.views.watch.state import WatchState
from tui_meta.widgets.lines import Lines

_PREFIX = layout.run_line(0)[:-1]


class RunList(DashboardScreen, inherit_bindings=False):
    """A line for each run, or one window of them; one may have the focus."""

    state: WatchState

    def rearrange(self) -> None:
        """Arrange what is shown for its new parts."""
        raise NotImplementedError

    def compose_runs(self) -> ComposeResult:
        """Yield the lines of all runs."""
        for index in range(len(self.dashboard.snapshots)):
            yield Lines(id=layout.run_line(index), can_focus=True).add_class("run")

    @property
    def focused_run(self) -> int | None:
        """The run whose line has the focus."""
        name = self.focused.id or "" if self.focused else ""
        return layout.number(name) if name.startswith(_PREFIX) else None

    def paint_runs(self) -> None:
        """Show what is known of each run."""
        lines = [self._line(index) for index in self.state.arrangement.lines]
        if lines:
            shown = self.state.run_lines(*lines[0].size)
            for index, line in zip(self.state.arrangement.lines, lines, strict=True):
                line.show(shown[index])

    def arrange_runs(self) -> None:
        """Show the lines that have room."""
        now = self.state.arrangement
        for index in range(len(self.dashboard.snapshots)):
            line = self._line(index)
            line.display = index in now.lines
            line.styles.height = now.run_rows

    def choose(self, run: int) -> None:
        """Bring a run to the front, and its line to the screen."""
        if run == self.state.chosen:
            return
        before = self.state.arrangement
        self.state.choose(run)
        if self.state.arrange(*self.size) == before:
            self.paint()
        else:
            self.rearrange()

    def focus_run(self, run: int) -> None:
        """Give the focus to the line of a run: at once, for the next key may have come with it."""
        line = self._line(run)
        line.display = True
        self.set_focus(line)
        self.choose(run)

    def next_line(self, direction: layout.Direction, neighbour: str | None) -> str | None:
        """Return where an arrow leads among many runs: to the next one, or from panels to the
        chosen one; elsewhere to the ``neighbour``.
        """
        focused, chosen = self.focused_run, self.state.chosen
        if not self.state.many or chosen is None:
            return neighbour
        if focused is None:
            is_line = neighbour and neighbour.startswith(_PREFIX)
            return layout.run_line(chosen) if is_line else neighbour
        following = focused + {"up": -1, "down": 1}.get(direction, len(self.dashboard.snapshots))
        is_run = following in range(len(self.dashboard.snapshots))
        return layout.run_line(following) if is_run else neighbour

    def _line(self, run: int) -> Lines:
        return self.query_one(f"#{layout.run_line(run)}", Lines)
