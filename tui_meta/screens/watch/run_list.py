"""The lines of the runs on the Watch screen."""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.widget import Widget

from tui_meta.screens.base import DashboardScreen
from tui_meta.views.watch import layout
from tui_meta.views.watch.state import WatchState
from tui_meta.widgets.lines import Lines


class RunList(DashboardScreen, inherit_bindings=False):
    """A line for each run or group, or one window of them; one may have the focus."""

    state: WatchState

    def rearrange(self) -> None:
        """Arrange what is shown for its new parts."""
        raise NotImplementedError

    def compose_runs(self) -> ComposeResult:
        """Yield the lines of all groups and runs."""
        self._lines: dict[str, Lines] = {}
        self._displayed: set[str] = set()
        yield from self._new_lines()

    def mount_lines(self) -> None:
        """Create the lines of runs that were added, and of new groups, each in its place."""
        self.mount(*self._new_lines(), before="#panels")
        places = {name: place for place, name in enumerate(self.state.lines.every)}

        def place(widget: Widget) -> tuple[int, int]:
            if widget.id in self._lines:
                return 1, places.get(widget.id, len(places))
            return (0 if widget.id == "title" else 2), 0

        self.sort_children(key=place)

    def _new_lines(self) -> list[Lines]:
        missing = [name for name in self.state.lines.every if name not in self._lines]
        self._lines |= {name: Lines(id=name, can_focus=True) for name in missing}
        for name in missing:
            self._lines[name].add_class("run").display = False
        return [self._lines[name] for name in missing]

    @property
    def focused_line(self) -> str | None:
        """The line that has the focus, of a run or of a group."""
        name = self.focused.id or "" if self.focused else ""
        return name if layout.is_line(name) else None

    def paint_runs(self) -> None:
        """Show what is known of each run."""
        names = self._seen
        if names:
            # Before the layout, lines have another size than they will have.
            width = self.size.width - self._lines[names[0]].styles.gutter.width
            shown = self.state.run_lines(width, self.state.arrangement.run_rows)
            for name in names:
                self._lines[name].show(shown[name])

    def arrange_runs(self) -> None:
        """Show the lines that have room."""
        seen = set(self._seen)
        for name in self._displayed - seen:
            self._lines[name].display = False
        for name in seen:
            self._lines[name].display = True
            self._lines[name].styles.height = self.state.arrangement.run_rows
        self._displayed = seen

    def choose(self, name: str) -> None:
        """Bring a run to the front, and its line to the screen."""
        before = self.state.arrangement
        if not self.state.choose(name):
            return
        if self.state.arrange(*self.size) == before:
            self.answer()
        else:
            self.rearrange()

    def follow_group(self) -> None:
        """Show another run of the chosen group in place of one that has ended."""
        if self.state.follow():
            self.rearrange()

    def focus_line(self, name: str) -> None:
        """Give the focus to the line of a run: at once, for the next key may have come with it."""
        line = self._lines[name]
        line.display = True
        self._displayed.add(name)
        self.set_focus(line)
        self.choose(name)

    def open_group(self) -> bool:
        """Show the runs of the group whose line has the focus; False if that is none."""
        focused = self.focused_line
        if focused is None or not layout.is_group(focused):
            return False
        self.state.lines.open_group()
        self.refocus_line()
        return True

    def refocus_line(self) -> None:
        """Show the lines of a group that was opened or closed, and keep the focus on one."""
        if self.focused_line is not None:
            self.focus_line(self.state.lines.line)
        self.rearrange()

    def next_line(self, direction: layout.Direction, neighbour: str | None) -> str | None:
        """Return where an arrow leads among many runs: to the next line, or from panels to the
        chosen one; elsewhere to the ``neighbour``.
        """
        if not self.state.many:
            return neighbour
        lines = self.state.lines
        if self.focused_line is None:
            return lines.line if neighbour and layout.is_line(neighbour) else neighbour
        shown = lines.shown
        following = shown.index(self.focused_line) + {"up": -1, "down": 1}.get(
            direction, len(shown)
        )
        return shown[following] if following in range(len(shown)) else neighbour

    @property
    def _seen(self) -> Sequence[str]:
        shown = self.state.lines.shown
        return [shown[number] for number in self.state.arrangement.lines]
