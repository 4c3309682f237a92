"""The panel of the loss table: it follows the newest row until the user scrolls."""

from textual import events

from tui_meta.upstream.repaint import set_border_title
from tui_meta.views.watch.loss_table import LossTable
from tui_meta.widgets.lines import Lines

_TITLE = "one random task each"
_WHEEL_ROWS = 3


class LossTablePanel(Lines):
    """Shows as many rows as fit between the column names and the pinned rows."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, can_focus=True)
        self.border_title = _TITLE
        self._table: LossTable | None = None
        self._first: int | None = None

    def show_table(self, table: LossTable) -> None:
        """Show ``table`` at the current scroll position."""
        self._table = table
        head, foot = table.head, table.foot
        rows = self._rows
        first = self._first_row(table)
        lines = [*head, *map(table.row, range(first, first + rows)), *foot]
        self.show(lines[: self.size.height] if rows else [*head[:1], *foot][: self.size.height])
        below = table.count - first - rows
        newer = f" · {below:,} newer below (end)" if below > 0 else ""
        set_border_title(self, _TITLE + newer)

    def scroll_rows(self, rows: int) -> None:
        """Scroll by ``rows``, towards newer ones if positive; at the end it follows again."""
        if self._table is None:
            return
        last = max(0, self._table.count - self._rows)
        first = min(max(0, self._first_row(self._table) + rows), last)
        self._first = None if first == last else first
        self.show_table(self._table)

    @property
    def page(self) -> int:
        """The number of rows of one page."""
        return max(1, self._rows - 1)

    @property
    def _rows(self) -> int:
        return max(0, self.size.height - 4)

    def _first_row(self, table: LossTable) -> int:
        last = max(0, table.count - self._rows)
        return last if self._first is None else min(self._first, last)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Older rows."""
        event.stop()
        self.scroll_rows(-_WHEEL_ROWS)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Newer rows."""
        event.stop()
        self.scroll_rows(_WHEEL_ROWS)
