"""The lines of the runs on the Watch screen."""

from collections.abc import Mapping, Sequence

from textual import events
from textual.app import ComposeResult
from textual.geometry import Size
from textual.message import Message

from tui_meta.screens.base import DashboardScreen
from tui_meta.screens.watch.panels import PanelGrid
from tui_meta.views.text import Span
from tui_meta.views.watch import layout
from tui_meta.views.watch.state import WatchState
from tui_meta.widgets.lines import Lines

_FOCUS, _NO_FOCUS = Span("█", "bright_blue"), Span(" ")
"""What is in front of a line, for the focus must be seen without colour too."""


class RunLinesPanel(Lines):
    """The lines of all runs. A widget for each would be laid out and painted one by one."""

    class Pressed(Message):
        """The user has pressed the mouse on a ``row``."""

        def __init__(self, row: int) -> None:
            super().__init__()
            self.row = row

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Report the row."""
        self.post_message(self.Pressed(event.y))


class RunList(DashboardScreen, inherit_bindings=False):
    """A line for each run or group, or one window of them; one may have the focus."""

    state: WatchState
    grid: PanelGrid

    def rearrange(self) -> None:
        """Arrange what is shown for its new parts."""
        raise NotImplementedError

    @property
    def area(self) -> Size:
        """The size of the screen, also before its first layout."""
        return self.size or self.app.size

    def compose_runs(self) -> ComposeResult:
        """Yield the lines of groups and runs."""
        self._runs = RunLinesPanel(id="runs", can_focus=True)
        yield self._runs

    @property
    def focused_line(self) -> str | None:
        """The line that has the focus, of a run or of a group."""
        return self.state.lines.line if self.focused is self._runs else None

    @property
    def focused_name(self) -> str | None:
        """The line or the panel that has the focus."""
        return self.focused_line or self.grid.name_of(self.focused) or None

    @property
    def focus_boxes(self) -> Mapping[str, layout.Box]:
        """Where everything is that can have the focus."""
        boxes: dict[str, layout.Box] = {}
        rows = self.state.arrangement.run_rows
        for widget in self.focus_chain:
            x, y, width, height = widget.region
            if widget is self._runs:
                shown = range(y, y + height, rows)
                boxes |= {
                    name: (x, row, width, rows)
                    for name, row in zip(self._seen, shown, strict=False)
                }
            else:
                boxes[self.grid.name_of(widget)] = x, y, width, height
        return boxes

    def paint_runs(self) -> None:
        """Show what is known of each run."""
        rows, focused = self.state.arrangement.run_rows, self.focused_line
        # Before the layout, lines have another size than they will have.
        shown = self.state.run_lines(self.area.width - len(_FOCUS.text), rows)
        lines = []
        for name in self._seen:
            mark = _FOCUS if name == focused else _NO_FOCUS
            missing = [()] * (rows - len(shown[name]))
            lines += [(mark, *row) for row in (*shown[name], *missing)]
        self._runs.show(lines)

    def arrange_runs(self) -> None:
        """Make room for the lines that are shown."""
        self._runs.display = bool(self._seen)
        self._runs.styles.height = len(self._seen) * self.state.arrangement.run_rows

    def on_run_lines_panel_pressed(self, pressed: RunLinesPanel.Pressed) -> None:
        """Give the focus to the line."""
        number = pressed.row // self.state.arrangement.run_rows
        if number < len(self._seen):
            self.focus_line(self._seen[number])

    def choose(self, name: str) -> None:
        """Bring a run to the front, and its line to the screen."""
        before = self.state.arrangement
        if not self.state.choose(name):
            return
        if self.state.arrange(*self.area) == before:
            self.answer()
        else:
            self.rearrange()

    def follow_group(self) -> None:
        """Show another run of the chosen group in place of one that has ended."""
        if self.state.follow():
            self.rearrange()

    def focus_line(self, name: str) -> None:
        """Give the focus to the line of a run: at once, for the next key may have come with it."""
        self.set_focus(self._runs)
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
