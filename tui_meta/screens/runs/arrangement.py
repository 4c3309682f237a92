"""The widgets of the Runs screen that are shown, and their widths."""

from __future__ import annotations

from typing import Literal, NamedTuple, Self

from textual.geometry import Size
from textual.screen import Screen

Mode = Literal["list", "run", "curves"]

_PREVIEW_WIDTH = 120
"""Columns from which the run under the cursor is shown next to the list."""

_LEAST_PREVIEW = 40
"""Columns of it; it takes those that the list does not need."""

_CHART_HEIGHT = 22
"""Rows from which the curves of a run are shown below its facts."""


class Arrangement(NamedTuple):
    """What decides how the widgets are laid out; they have their sizes after the next refresh."""

    mode: Mode
    is_wide: bool
    preview: int
    """Columns of the run under the cursor; 0 if it is not shown."""
    has_chart: bool
    """True if the curves of an open run are shown."""

    @classmethod
    def of(cls, mode: Mode, size: Size, list_width: int) -> Self:
        """Return that of a terminal of this ``size``, with a list of ``list_width`` columns."""
        is_wide = size.width >= _PREVIEW_WIDTH
        preview = max(_LEAST_PREVIEW, size.width - list_width - 1) if is_wide else 0
        return cls(mode, is_wide, preview, is_wide or size.height >= _CHART_HEIGHT)

    def apply(self, page: Screen[None]) -> None:
        """Lay the widgets of ``page`` out in this way."""
        for mode, id in (("list", "#list"), ("run", "#run"), ("curves", "#comparison")):
            page.query_one(id).display = self.mode == mode
        page.query_one("#head").display = self.mode == "list"
        preview = page.query_one("#preview")
        preview.display = self.is_wide
        preview.styles.width = self.preview
        page.query_one("#run").set_class(self.is_wide, "-beside")
        page.query_one("#losses").display = self.has_chart
