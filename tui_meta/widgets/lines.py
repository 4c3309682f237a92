"""A widget for lines of text that repaints only those that have changed."""

from collections.abc import Sequence
from functools import lru_cache

from rich.segment import Segment
from rich.style import Style
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.geometry import Region
from textual.strip import Strip

from tui_meta.upstream.key_order import KeysToApplication
from tui_meta.upstream.repaint import FocusStyledOnce, LaidOutOnce, set_border_title
from tui_meta.upstream.rows import QuickRows
from tui_meta.views.plots.plot import LINE_MARKS, SAMPLES
from tui_meta.views.printable import printable
from tui_meta.views.text import Line, Span

_MARKED = {2 * SAMPLES[marker]: SAMPLES[marker] + mark for marker, mark in LINE_MARKS.items()}
"""Samples of lines as charts have them without colour: with the marks of the lines."""


class Lines(LaidOutOnce, FocusStyledOnce, KeysToApplication):
    """Lines of text; what does not fit is cut.

    A ``Static`` would send all of its lines whenever one differs, and even if none does.
    """

    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None, can_focus: bool = False) -> None:
        super().__init__(id=id)
        self._styles_cache = QuickRows()
        self.can_focus = can_focus
        self._lines: tuple[Line, ...] = ()

    def show(self, lines: Sequence[Line]) -> None:
        """Show ``lines`` from now on."""
        old, self._lines = self._lines, tuple(lines)
        shared = min(len(old), len(self._lines))
        longest = max(len(old), len(self._lines))
        changed = [y for y in range(shared) if old[y] != self._lines[y]]
        regions = [
            Region(0, y, self.size.width, 1)
            for y in (*changed, *range(shared, longest))
            if y < self.size.height
        ]
        if regions:
            self.refresh(*regions)

    def render_line(self, y: int) -> Strip:
        """The line ``y`` of the content."""
        content = self._lines[y] if y < len(self._lines) else ()
        marked = self.app.no_color and not getattr(self.app, "ascii_only", False)
        return _strip(content, self.size.width, self.visual_style.rich_style, marked=marked)


@lru_cache(maxsize=256)
def _strip(content: Line, width: int, style: Style, *, marked: bool) -> Strip:
    texts = [_MARKED.get(span.text, span.text) if marked else span.text for span in content]
    styles = map(_style, content)
    strip = Strip([Segment(*each) for each in zip(texts, styles, strict=True)])
    return strip.adjust_cell_length(width).apply_style(style)


def _style(span: Span) -> Style:
    style = Style.parse(span.style)
    return style + Style(meta={"@click": f"screen.{span.action}"}) if span.action else style


class LinesPanel(Lines):
    """A bordered panel of lines, like the panels of charts."""

    def show_titled(self, title: str, lines: Sequence[Line]) -> None:
        """Show ``lines`` under ``title`` from now on."""
        set_border_title(self, printable(title))
        self.show(lines)


class ScrolledLines(VerticalScroll, can_focus=False):
    """Lines of text that scroll; they are made for ``line_width``."""

    @property
    def line_width(self) -> int:
        """The cells of a line: those beside the scrollbar, whether it is shown or not."""
        return self.scrollable_size.width

    def compose(self) -> ComposeResult:
        yield Lines()

    def show(self, lines: Sequence[Line]) -> None:
        """Show ``lines`` from now on."""
        shown, height = self.query_one(Lines), max(1, len(lines))
        if shown.styles.height is None or shown.size.height != height:
            shown.styles.height = height
        shown.show(lines)
