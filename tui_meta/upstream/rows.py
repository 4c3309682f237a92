"""Renders the rows of a widget without looking up what they do not depend on.

Textual 8.2.8 asks for every rule of a widget again for each of its rows, and for each widget that
is near to one that changed. That took half the time from a key to a repainted screen. No upstream
issue is known.
"""

from collections.abc import Sequence
from typing import Any

from rich.segment import Segment
from textual._border import get_box
from textual._styles_cache import StylesCache
from textual.color import Color
from textual.css.styles import StylesBase
from textual.filter import LineFilter
from textual.geometry import Region, Size, Spacing
from textual.strip import Strip
from textual.style import Style
from textual.widget import Widget


class QuickRows(StylesCache):
    """Renders the rows of a widget that has a border or none, and no padding, tint or outline."""

    def __init__(self) -> None:
        super().__init__()
        self._rendered: tuple[object, list[Strip]] = None, []
        self._content = range(0)
        """The rows that are rendered quickly."""
        self._left: Sequence[Segment] = ()
        self._right: Sequence[Segment] = ()

    def set_dirty(self, *regions: Region) -> None:
        """Render these again, or all rows."""
        self._rendered = None, []
        super().set_dirty(*regions)

    def clear(self) -> None:
        """Render all rows again."""
        self._rendered = None, []
        super().clear()

    def render_widget(self, widget: Widget, crop: Region) -> list[Strip]:
        """Render some rows; the same ones are rendered once."""
        asked = crop, *widget.get_line_filters()
        if self._rendered[0] != asked:
            self._rendered = asked, super().render_widget(widget, crop)
        return self._rendered[1]

    def render(
        self,
        styles: StylesBase,
        size: Size,
        base_background: Color,
        background: Color,
        render_content_line: Any,
        filters: Sequence[LineFilter],
        *others: Any,
        **more: Any,
    ) -> list[Strip]:
        """Find once what all rows depend on, and render them."""
        border, gutter = styles.border, styles.gutter
        self._content = range(gutter.top, size.height - gutter.bottom)
        inner, outer = self.get_inner_outer(base_background, background)
        sides: list[Sequence[Segment]] = []
        for (edge, color), place in ((border[3], 0), (border[1], 2)):
            style = Style(foreground=base_background + color)
            sides.append([get_box(edge, inner, outer, style)[1][place]] if edge else ())
        self._left, self._right = sides
        return super().render(
            styles, size, base_background, background, render_content_line, filters, *others, **more
        )

    def render_line(
        self,
        styles: StylesBase,
        y: int,
        size: Size,
        content_size: Size,
        padding: Spacing,
        base_background: Color,
        background: Color,
        render_content_line: Any,
        *others: Any,
    ) -> Strip:
        """Render a row."""
        if y not in self._content:
            return super().render_line(
                styles,
                y,
                size,
                content_size,
                padding,
                base_background,
                background,
                render_content_line,
                *others,
            )
        inner, _ = self.get_inner_outer(base_background, background)
        line: Strip = render_content_line(y - self._content.start)
        line = line.adjust_cell_length(content_size.width, inner.rich_style)
        if not (self._left or self._right):
            return line
        return Strip([*self._left, *line, *self._right], size.width)
